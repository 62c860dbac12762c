import { AssayError } from '../../../src/errors.ts'
import type { Channel, Listener } from '../../../src/transport.ts'
import { changed, listen, listeners, type PlantedFault } from './spoil.ts'

const rejects = 'a listener outlives an onChannel that rejects'
const closedListener = 'closing the listener leaves open channels alive and lets nobody in'
const signals = 'an aborted signal is aborted, for dial and listen, before and during the call'
const slots = 'one channel more than maxChannels is refused, and closing one makes room'

export const listeningFaults: Record<string, PlantedFault> = {
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
    message: /calls of onChannel: expected 2, got 1/,
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
