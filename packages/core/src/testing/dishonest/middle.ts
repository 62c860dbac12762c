import { decodeMessage, type ProtocolMessage } from '../../codec/messages.ts'
import type { Channel } from '../../transport.ts'
import { messageQueue } from './message-queue.ts'
import { joined, type Outgoing, partsOf } from './outgoing.ts'

/** What somebody in between makes of each message: other messages, several, or none. Messages pass where it is absent. */
export interface Interference {
  toVerifier?(message: ProtocolMessage, bytes: Uint8Array): readonly Outgoing[] | Promise<readonly Outgoing[]>
  toProver?(message: ProtocolMessage, bytes: Uint8Array): readonly Outgoing[]
}

/** A channel with somebody in between who changes what passes, and knows no secret of either side. */
export function interferedChannel(channel: Channel, { toVerifier, toProver }: Interference): Channel {
  let tail: Promise<unknown> = Promise.resolve()

  async function pass(bytes: Uint8Array): Promise<void> {
    const passed = toVerifier ? await toVerifier(decodeMessage(bytes), bytes) : [[bytes]]
    for (const outgoing of passed) await channel.send(partsOf(outgoing))
  }

  return {
    peer: channel.peer,
    maxMessageBytes: channel.maxMessageBytes,
    send(message) {
      const bytes = joined(message)
      const sent = tail.then(() => pass(bytes))
      sent.catch(() => undefined)
      tail = sent.catch(() => undefined)
      return sent
    },
    [Symbol.asyncIterator]() {
      const queue = messageQueue()
      const receive = async () => {
        for await (const bytes of channel) {
          const passed = toProver ? toProver(decodeMessage(bytes), bytes) : [[bytes]]
          for (const outgoing of passed) queue.push(joined(partsOf(outgoing)))
        }
      }
      receive().then(queue.end, queue.fail)
      return queue[Symbol.asyncIterator]()
    },
    close: async (options) => {
      await tail
      await channel.close(options)
    },
    abort: (error) => channel.abort(error),
  }
}
