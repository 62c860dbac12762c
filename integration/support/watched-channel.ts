import { type Channel, decodeMessage, type MessageType } from '@tensor-assay/core'

/** Where a message is when it is seen: about to be sent, handed to the transport, or received and not yet read. */
export type Passage = 'sending' | 'sent' | 'received'

/** A channel that shows each message as it passes and goes on once `seen` resolves. */
export function watchedChannel(
  channel: Channel,
  seen: (passage: Passage, type: MessageType) => Promise<void> | void,
): Channel {
  return {
    peer: channel.peer,
    maxMessageBytes: channel.maxMessageBytes,
    close: (options) => channel.close(options),
    abort: (error) => channel.abort(error),
    async send(message) {
      const { type } = decodeMessage(Buffer.concat(message))
      await seen('sending', type)
      await channel.send(message)
      await seen('sent', type)
    },
    async *[Symbol.asyncIterator]() {
      for await (const message of channel) {
        await seen('received', decodeMessage(message).type)
        yield message
      }
    },
  }
}
