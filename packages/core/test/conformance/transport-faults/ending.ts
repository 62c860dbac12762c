import { AssayError } from '../../../src/errors.ts'
import { memoryTransport } from '../../../src/testing/index.ts'
import { channels, iterations, never, type PlantedFault } from './spoil.ts'

const abortFirst = 'abort before the first message: channel-lost there, the given error here'
const abortQueued = 'abort with sends queued rejects them with the given error'

export const endingFaults: Record<string, PlantedFault> = {
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
}
