import type { Socket } from 'node:net'
import { AssayError, Deadline, type Message } from '@tensor-assay/core'
import type { WebSocket } from 'ws'
import { Heartbeat } from './heartbeat.ts'
import { closeReason, joined, type Link, type LinkEvents } from './link.ts'
import { longestLineBytes, malformed, tooLarge } from './wire.ts'

/** How long a peer that was refused may take to read why. */
const lingerMs = 2000

/** What `ws` says of messages over the limit, and of those over what a number can hold. */
const tooLargeCodes = ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH']

export interface NodeLinkOptions {
  readonly maxMessageBytes: number
  readonly pingIntervalMs: number
  readonly stallTimeoutMs: number
}

/** A WebSocket of the package `ws`. */
export class NodeLink implements Link {
  readonly #websocket: WebSocket
  readonly #socket: Socket
  readonly #linger: Deadline
  #heartbeat: Heartbeat | undefined
  #events: LinkEvents | undefined

  /** @param socket - What the WebSocket runs on. */
  constructor(websocket: WebSocket, socket: Socket, options: NodeLinkOptions) {
    this.#websocket = websocket
    this.#socket = socket
    this.#linger = new Deadline(lingerMs, () => this.destroy())
    let cause: Error | undefined
    socket.on('error', (error) => {
      cause ??= error
    })
    websocket.binaryType = 'arraybuffer'
    websocket.on('open', () => this.#open(options))
    websocket.on('message', (data, isBinary) => {
      if (isBinary) this.#events?.message(own(data as ArrayBuffer))
      else this.#events?.text((data as Buffer).toString('latin1', 0, longestLineBytes))
    })
    websocket.on('pong', () => this.#heartbeat?.answered())
    websocket.on('error', (error: NodeJS.ErrnoException) => {
      cause ??= error
      if (error.code?.startsWith('WS_ERR_')) this.#break(error, options.maxMessageBytes)
    })
    websocket.on('close', (code, reason) => {
      this.#heartbeat?.stop()
      this.#linger.stop()
      this.#events?.closed({ code, reason: reason.toString(), cause })
    })
    if (websocket.readyState === websocket.OPEN) this.#open(options)
  }

  get receivedBytes(): number {
    return this.#socket.bytesRead
  }

  get backlogBytes(): number {
    return this.#websocket.bufferedAmount
  }

  attach(events: LinkEvents): void {
    this.#events = events
    if (this.#websocket.readyState === this.#websocket.OPEN) events.opened?.()
  }

  sendMessage(message: Message, onTaken: () => void): void {
    // A failure ends the connection, which is told once, as its end.
    this.#websocket.send(joined(message), { binary: true }, (error) => {
      if (!error) onTaken()
    })
  }

  sendText(text: string): void {
    this.#websocket.send(text, () => {})
  }

  end(code: number, reason: string): void {
    this.#websocket.close(code, reason)
  }

  refuse(code: number, error: AssayError): void {
    this.#linger.start()
    this.end(code, closeReason(error))
  }

  destroy(): void {
    this.#websocket.terminate()
  }

  #open({ pingIntervalMs, stallTimeoutMs }: NodeLinkOptions): void {
    this.#heartbeat = new Heartbeat(pingIntervalMs, stallTimeoutMs, {
      ping: () => this.#websocket.ping(() => {}),
      receivedBytes: () => this.receivedBytes,
      onDead: () => {
        const dead = `the peer did not answer a ping within ${stallTimeoutMs} ms, nor send 64 KiB`
        this.#events?.failed(new AssayError('deadline-exceeded', dead))
        this.destroy()
      },
    })
    this.#events?.opened?.()
  }

  /** `ws` has begun to close already. */
  #break(error: NodeJS.ErrnoException, maxMessageBytes: number): void {
    this.#linger.start()
    const isTooLarge = tooLargeCodes.includes(error.code!)
    this.#events?.failed(isTooLarge ? tooLarge(undefined, maxMessageBytes) : malformed(error.message))
  }
}

/** A view of memory that nobody else has: `ws` keeps one for all empty messages. */
function own(data: ArrayBuffer): Uint8Array {
  return data.byteLength === 0 ? new Uint8Array(0) : new Uint8Array(data)
}
