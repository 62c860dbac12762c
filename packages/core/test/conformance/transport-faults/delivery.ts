import { AssayError } from '../../../src/errors.ts'
import type { Message } from '../../../src/transport.ts'
import { channels, joined, type PlantedFault, received } from './spoil.ts'

const inOrder = 'messages arrive whole and in order, both ways'
const ownMemory = 'a received message lies in aligned memory of its own'
const tooLarge = 'a message over maxMessageBytes is refused on the sender and harms nothing'

export const deliveryFaults: Record<string, PlantedFault> = {
  'merges messages': {
    fault: channels((channel) => {
      let waiting: Uint8Array[] | undefined
      return {
        async send(message) {
          if (waiting !== undefined) return void waiting.push(...message)
          const batch = [...message]
          waiting = batch
          setTimeout(() => {
            waiting = undefined
            void channel.send(batch)
          })
        },
      }
    }),
    caughtBy: inOrder,
    message: /length in bytes/,
  },
  'splits a message into its parts': {
    fault: channels((channel) => ({
      async send(message) {
        for (const part of message) await channel.send([part])
      },
    })),
    caughtBy: 'the parts of a message arrive joined',
    message: /length in bytes/,
  },
  'drops one message in seven': {
    fault: channels((channel) => {
      let count = 0
      return { send: async (message) => void (++count % 7 === 0 || (await channel.send(message))) }
    }),
    caughtBy: inOrder,
    message: /message 6/,
  },
  'swaps neighbours': {
    fault: channels((channel) => {
      let held: Message | undefined
      return {
        async send(message) {
          if (held === undefined) {
            held = message
          } else {
            const first = held
            held = undefined
            await channel.send(message)
            await channel.send(first)
          }
        },
      }
    }),
    caughtBy: inOrder,
    message: /message 0/,
  },
  'swallows empty messages': {
    fault: channels((channel) => ({
      send: async (message) => void (message.every((part) => part.byteLength === 0) || (await channel.send(message))),
    })),
    caughtBy: 'an empty message arrives as one',
    message: /message 0/,
  },
  'flips a bit in large messages': {
    fault: channels((channel) => ({
      async send(message) {
        const whole = joined(message)
        if (whole.byteLength > 65_536) whole[65_536]! ^= 1
        await channel.send([whole])
      },
    })),
    caughtBy: inOrder,
    message: /byte 65536 is/,
  },
  'loses the tail at close': {
    fault: channels((channel) => ({ send: async (message) => void setTimeout(() => channel.send(message), 5) })),
    caughtBy: 'close delivers everything queued and ends the iteration of the peer',
    message: /the iteration ended instead/,
  },
  'ignores back-pressure': {
    fault: channels((channel) => ({ send: async (message) => void channel.send(message) })),
    caughtBy: 'a peer that does not read stops the sender, and reading lets it go on',
    message: /send went on for/,
  },
  'shares memory between messages': {
    fault: received((memory, message) => {
      const view = new Uint8Array(memory, 0, message.byteLength)
      view.set(message)
      return view
    }),
    caughtBy: ownMemory,
    message: /memory is shared/,
  },
  'yields unaligned memory': {
    fault: received((_, message) => {
      const view = new Uint8Array(message.byteLength + 1).subarray(1)
      view.set(message)
      return view
    }),
    caughtBy: ownMemory,
    message: /byteOffset/,
  },
  'reads the memory of the sender late': {
    fault: channels((channel) => ({ send: async (message) => void setTimeout(() => channel.send(message), 5) })),
    caughtBy: 'the sender may reuse its memory once send resolved',
    message: /byte 0 is 0/,
  },
  'cuts long messages short': {
    fault: channels((channel) => ({
      send: (message) => channel.send([joined(message).subarray(0, channel.maxMessageBytes)]),
    })),
    caughtBy: tooLarge,
    message: /expected message-too-large/,
  },
  'ends the channel over a long message': {
    fault: channels((channel) => ({
      async send(message) {
        const error = new AssayError('message-too-large', 'that was too much')
        if (joined(message).byteLength > channel.maxMessageBytes) channel.abort(error)
        await channel.send(message)
      },
    })),
    caughtBy: tooLarge,
    message: /that was too much/,
  },
  'takes the limit for exclusive': {
    fault: channels((channel) => ({
      async send(message) {
        const length = joined(message).byteLength
        if (length >= channel.maxMessageBytes) throw new AssayError('message-too-large', `${length} is too long`)
        await channel.send(message)
      },
    })),
    caughtBy: 'a message of maxMessageBytes arrives',
    message: /is too long|did not settle/,
  },
  'starts a second iteration': {
    fault: channels((channel) => {
      let iterator: AsyncIterator<Uint8Array> | undefined
      return {
        [Symbol.asyncIterator]() {
          iterator ??= channel[Symbol.asyncIterator]()
          return iterator
        },
      }
    }),
    caughtBy: 'iterating a second time is a clear error',
    message: /TypeError|did not settle/,
  },
}
