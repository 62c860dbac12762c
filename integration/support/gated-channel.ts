import type { Channel } from '@tensor-assay/core'

/** A channel whose reader gets `first` messages and then none until the gate opens. */
export function gatedChannel(channel: Channel, first: number): { channel: Channel; open(): void } {
  let open = () => {}
  const gate = new Promise<void>((resolve) => {
    open = resolve
  })
  return {
    open: () => open(),
    channel: {
      peer: channel.peer,
      maxMessageBytes: channel.maxMessageBytes,
      send: (message) => channel.send(message),
      close: (options) => channel.close(options),
      abort: (error) => channel.abort(error),
      async *[Symbol.asyncIterator]() {
        let read = 0
        for await (const message of channel) {
          if (read++ >= first) await gate
          yield message
        }
      },
    },
  }
}
