import { AssayError } from '../../src/errors.ts'
import { memoryTransport } from '../../src/testing/index.ts'
import type { AbortOptions, Channel, Listener, Message, Transport } from '../../src/transport.ts'

/** Spoils a good transport. */
export type Fault = (good: Transport) => Transport

interface PlantedFault {
  readonly fault: Fault
  /** The case that must fail, and what it must say. */
  readonly caughtBy: string
  readonly message: RegExp
}

const inOrder = 'messages arrive whole and in order, both ways'
const ownMemory = 'a received message lies in aligned memory of its own'
const tooLarge = 'a message over maxMessageBytes is refused on the sender and harms nothing'
const abortFirst = 'abort before the first message: channel-lost there, the given error here'
const abortQueued = 'abort with sends queued rejects them with the given error'
const rejects = 'a listener outlives an onChannel that rejects'
const closedListener = 'closing the listener leaves open channels alive and lets nobody in'
const signals = 'an aborted signal is aborted, for dial and listen, before and during the call'
const slots = 'one channel more than maxChannels is refused, and closing one makes room'

export const faults: Record<string, PlantedFault> = {
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
  'aborts politely': {
    fault: channels((channel) => ({ abort: () => void channel.close() })),
    caughtBy: abortFirst,
    message: /what the iteration throws|channel-closed|close\(\) was called/,
  },
  'replaces the error given to abort': {
    fault: channels((channel) => ({ abort: () => channel.abort(new Error('something went wrong')) })),
    caughtBy: abortFirst,
    message: /what the iteration throws/,
  },
  'takes a lost connection for a clean end': {
    fault: iterations(async function* (iterator) {
      try {
        for (let step = await iterator.next(); !step.done; step = await iterator.next()) yield step.value
      } catch (error) {
        if (!(AssayError.isInstance(error) && error.code === 'channel-lost')) throw error
      }
    }),
    caughtBy: abortFirst,
    message: /expected channel-lost, but it succeeded/,
  },
  'forgets queued sends at abort': {
    fault: channels((channel) => ({ send: (message) => channel.send(message).catch(() => never) })),
    caughtBy: abortQueued,
    message: /the queued sends did not settle/,
  },
  'cannot half-close': {
    fault: channels((channel) => {
      async function* iterate() {
        yield* channel
        void channel.close()
      }
      return { [Symbol.asyncIterator]: iterate }
    }),
    caughtBy: 'a side that closed still receives until the other closes',
    message: /was closed on this side/,
  },
  'stops listening to a peer when it closes itself': {
    fault: channels((channel) => {
      let closed = false
      return {
        close(options) {
          closed = true
          return channel.close(options)
        },
        [Symbol.asyncIterator]() {
          const iterator = channel[Symbol.asyncIterator]()
          return { next: () => (closed ? Promise.resolve({ done: true, value: undefined }) : iterator.next()) }
        },
      }
    }),
    caughtBy: 'both sides may close at once without losing a message',
    message: /the iteration ended instead/,
  },
  'waits for ever for a peer that is not there': {
    fault: () => memoryTransport({ maxMessageBytes: 2 ** 18, maxBufferedBytes: 2 ** 17, closeTimeoutMs: 10 ** 6 }),
    caughtBy: 'close gives up on a peer that neither reads nor closes',
    message: /close did not settle/,
  },
  'ignores the signal given to close': {
    fault: () =>
      channels((channel) => ({ close: () => channel.close() }))(
        memoryTransport({ maxMessageBytes: 2 ** 18, maxBufferedBytes: 2 ** 17, closeTimeoutMs: 10 ** 6 }),
      ),
    caughtBy: 'the signal given to close ends its wait',
    message: /close did not settle/,
  },
  'closes only once': {
    fault: channels((channel) => {
      let closed = false
      return {
        close(options) {
          if (closed) return never
          closed = true
          return channel.close(options)
        },
      }
    }),
    caughtBy: 'close can be called again, at any time',
    message: /close did not settle/,
  },
  'accepts sends after close': {
    fault: channels((channel) => ({
      send: (message) =>
        channel.send(message).catch((error) => {
          if (error.code !== 'channel-closed') throw error
        }),
    })),
    caughtBy: 'send after close is channel-closed',
    message: /expected channel-closed, but it succeeded/,
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
  'stops listening when a handler throws': {
    fault: listeners(async (good, address, onChannel, options) => {
      const listener: Listener = await good.listen(
        address,
        (channel) => {
          void Promise.resolve()
            .then(() => onChannel(channel))
            .catch((error) => {
              channel.abort(error)
              return listener.close()
            })
        },
        options,
      )
      return listener
    }),
    caughtBy: 'a listener outlives an onChannel that throws',
    message: /nobody listens/,
  },
  'leaves the channel of a failed handler open': {
    fault: listeners((good, address, onChannel, options) =>
      good.listen(
        address,
        (channel) => {
          void Promise.resolve()
            .then(() => onChannel(channel))
            .catch(() => {})
        },
        options,
      ),
    ),
    caughtBy: rejects,
    message: /did not settle/,
  },
  'closes channels with their listener': {
    fault: listeners(async (good, address, onChannel, options) => {
      const open: Channel[] = []
      const accept = (channel: Channel) => {
        open.push(channel)
        return onChannel(channel)
      }
      const listener = await good.listen(address, accept, options)
      return {
        ...listener,
        async close() {
          for (const channel of open) channel.abort(new Error('the listener is gone'))
          await listener.close()
        },
      }
    }),
    caughtBy: closedListener,
    message: /without a goodbye/,
  },
  'goes on accepting after Listener.close': {
    fault: listeners(async (...args) => ({ ...(await listen(...args)), close: async () => {} })),
    caughtBy: closedListener,
    message: /expected peer-unreachable, but it succeeded/,
  },
  'fails without a code': {
    fault: (good) => ({
      ...good,
      dial: (address, options) =>
        good.dial(address, options).catch((error) => {
          throw new Error(error.message)
        }),
    }),
    caughtBy: 'dialing nobody is peer-unreachable',
    message: /expected an AssayError/,
  },
  'binds an address twice': {
    fault: listeners((good, address, ...rest) =>
      listen(good, address, ...rest).catch((error) => {
        if (error.code !== 'address-unavailable') throw error
        return { address, close: async () => {}, [Symbol.asyncDispose]: async () => {} }
      }),
    ),
    caughtBy: 'binding an address twice is address-unavailable and leaves the first listener alone',
    message: /expected address-unavailable, but it succeeded/,
  },
  'takes a malformed address for a wrong one': {
    fault: (good) => ({
      ...good,
      dial: (address, options) =>
        good.dial(address, options).catch((error) => {
          throw new AssayError('peer-unreachable', error.message)
        }),
    }),
    caughtBy: 'a malformed address is address-invalid',
    message: /expected address-invalid, got peer-unreachable/,
  },
  'ignores the signal given to dial': {
    fault: (good) => ({ ...good, dial: (address) => good.dial(address) }),
    caughtBy: signals,
    message: /expected aborted, but it succeeded/,
  },
  'looks at the signal given to listen only at the start': {
    fault: listeners(async (good, address, onChannel, { signal, ...options } = {}) => {
      if (signal?.aborted) throw new AssayError('aborted', 'the caller aborted')
      return good.listen(address, onChannel, options)
    }),
    caughtBy: signals,
    message: /expected aborted, but it succeeded/,
  },
  'ends a channel with the signal of its dial': {
    fault: (good) => ({
      ...good,
      async dial(address, options) {
        const channel = await good.dial(address, options)
        options?.signal?.addEventListener('abort', () => channel.abort(new Error('aborted')))
        return channel
      },
    }),
    caughtBy: 'a signal aborted after dial does not touch the channel',
    message: /aborted/,
  },
  'ignores maxChannels': {
    fault: listeners((good, address, onChannel) => good.listen(address, onChannel)),
    caughtBy: slots,
    message: /expected peer-unreachable, but it succeeded/,
  },
  'never frees a slot': {
    fault: (good) => {
      const left = new Map<string, number>()
      return {
        ...good,
        async listen(address, onChannel, { maxChannels = 1024, ...options } = {}) {
          left.set(address, maxChannels)
          return good.listen(address, onChannel, options)
        },
        async dial(address, options) {
          const slotsLeft = left.get(address) ?? 1
          if (slotsLeft === 0) throw new AssayError('peer-unreachable', 'no slot is left')
          const channel = await good.dial(address, options)
          left.set(address, slotsLeft - 1)
          return channel
        },
      }
    },
    caughtBy: slots,
    message: /no slot is left/,
  },
  'sends everything through the latest channel': {
    fault: (good) => {
      let latest: Channel
      return {
        ...good,
        async dial(address, options) {
          const channel = await good.dial(address, options)
          latest = channel
          return changed(channel, { send: (message) => latest.send(message) })
        },
      }
    },
    caughtBy: 'channels of one listener do not mix',
    message: /did not settle|message 0/,
  },
}

const never = new Promise<never>(() => {})

function changed(channel: Channel, changes: Partial<Channel>): Channel {
  const whole = {
    peer: channel.peer,
    maxMessageBytes: channel.maxMessageBytes,
    send: (message: Message) => channel.send(message),
    close: (options?: AbortOptions) => channel.close(options),
    abort: (error: Error) => channel.abort(error),
    [Symbol.asyncIterator]: () => channel[Symbol.asyncIterator](),
    ...changes,
  }
  // Like every transport, a spoilt one does not crash a process over a send that nobody awaits.
  return { ...whole, send: (message) => quiet(whole.send(message)) }
}

function channels(change: (channel: Channel) => Partial<Channel>): Fault {
  const spoil = (channel: Channel) => changed(channel, change(channel))
  return (good) => ({
    ...good,
    dial: async (address, options) => spoil(await good.dial(address, options)),
    listen: (address, onChannel, options) => good.listen(address, (channel) => onChannel(spoil(channel)), options),
  })
}

function iterations(change: (iterator: AsyncIterator<Uint8Array>) => AsyncIterator<Uint8Array>): Fault {
  return channels((channel) => ({ [Symbol.asyncIterator]: () => change(channel[Symbol.asyncIterator]()) }))
}

/** Changes what is received; `memory` is one buffer for the whole channel. */
function received(change: (memory: ArrayBuffer, message: Uint8Array) => Uint8Array): Fault {
  return iterations(async function* (iterator) {
    const memory = new ArrayBuffer(2 ** 18)
    for (let step = await iterator.next(); !step.done; step = await iterator.next()) yield change(memory, step.value)
  })
}

function quiet<T>(promise: Promise<T>): Promise<T> {
  promise.catch(() => {})
  return promise
}

type Listen = Transport['listen']

function listeners(change: (good: Transport, ...args: Parameters<Listen>) => ReturnType<Listen>): Fault {
  return (good) => ({ ...good, listen: (...args) => change(good, ...args) })
}

function listen(good: Transport, ...args: Parameters<Listen>): ReturnType<Listen> {
  return good.listen(...args)
}

function joined(message: Message): Uint8Array {
  const bytes = new Uint8Array(message.reduce((sum, part) => sum + part.byteLength, 0))
  let offset = 0
  for (const part of message) {
    bytes.set(part, offset)
    offset += part.byteLength
  }
  return bytes
}
