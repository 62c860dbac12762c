import { WebSocket } from 'ws'

/** The WebSocket of `ws` in place of a browser's: the interface is the same, but for errors that want a listener. */
export class StandIn extends WebSocket {
  constructor(url: string, protocols: string[]) {
    super(url, protocols)
    this.on('error', () => {})
  }
}
