import type { Channel } from '../../transport.ts'
import { assert, assertEqual, assertRejects } from '../assert.ts'
import type { TransportCase, TransportContext } from '../transport.ts'
import { eventually, Inbound, type Listening, pattern, within, withListener } from './harness.ts'

const unused = () => {}

export const listening: readonly TransportCase[] = [
  {
    name: 'channels of one listener do not mix',
    run: (context) =>
      withListener(context, async ({ connect }) => {
        const pairs = [await connect(), await connect(), await connect()]
        for (const [i, [dialed]] of pairs.entries()) await within(context, dialed.send([pattern(500, i)]), 'send')
        for (const [i, [, accepted]] of pairs.entries()) await new Inbound(context, accepted).expect([pattern(500, i)])
      }),
  },
  {
    name: 'a listener outlives an onChannel that throws',
    run: (context) => outlives(context, thrower),
  },
  {
    name: 'a listener outlives an onChannel that rejects',
    run: (context) => outlives(context, async () => thrower()),
  },
  {
    name: 'closing the listener leaves open channels alive and lets nobody in',
    run: (context) =>
      withListener(context, async ({ listener, connect }) => {
        const [dialed, accepted] = await connect()
        await within(context, listener.close(), 'Listener.close')
        await within(context, listener.close(), 'Listener.close, again')
        const refused = within(context, context.transport.dial(listener.address), 'dial')
        await assertRejects(refused, 'peer-unreachable', 'dial to a closed listener')
        await exchange(context, dialed, accepted)
      }),
  },
  {
    name: 'a closed listener frees its address',
    run: async (context) => {
      let address = ''
      await withListener(context, async ({ listener }) => {
        address = listener.address
      })
      const again = await within(context, context.transport.listen(address, unused), 'listen on the freed address')
      await within(context, again.close(), 'Listener.close')
    },
  },
  {
    name: 'a listener can be disposed of',
    run: async (context) => {
      const listener = await within(context, context.transport.listen(await context.listenAddress(), unused), 'listen')
      await within(context, Promise.resolve(listener[Symbol.asyncDispose]()), 'disposal')
      const refused = within(context, context.transport.dial(listener.address), 'dial')
      await assertRejects(refused, 'peer-unreachable', 'dial to a disposed listener')
    },
  },
  {
    name: 'dialing nobody is peer-unreachable',
    run: async (context) => {
      const dialing = within(context, context.transport.dial(await vacant(context)), 'dial')
      await assertRejects(dialing, 'peer-unreachable', 'dial to nobody')
    },
  },
  {
    name: 'binding an address twice is address-unavailable and leaves the first listener alone',
    run: (context) =>
      withListener(context, async ({ listener, connect }) => {
        const second = within(context, context.transport.listen(listener.address, unused), 'listen')
        await assertRejects(second, 'address-unavailable', 'the second listen')
        await exchange(context, ...(await connect()))
      }),
  },
  {
    name: 'a malformed address is address-invalid',
    run: async (context) => {
      for (const address of ['', 'nonsense', 'unheard-of-scheme://somewhere:1', ' ']) {
        const where = JSON.stringify(address)
        const dialing = within(context, context.transport.dial(address), 'dial')
        await assertRejects(dialing, 'address-invalid', `dial(${where})`)
        const binding = within(context, context.transport.listen(address, unused), 'listen')
        await assertRejects(binding, 'address-invalid', `listen(${where})`)
      }
    },
  },
  {
    name: 'an aborted signal is aborted, for dial and listen, before and during the call',
    run: (context) =>
      withListener(context, async ({ listener }) => {
        const { transport } = context
        const free = await vacant(context)
        const calls: ((signal: AbortSignal) => Promise<unknown>)[] = [
          (signal: AbortSignal) => transport.dial(listener.address, { signal }),
          (signal: AbortSignal) => transport.listen(free, unused, { signal }),
        ]
        for (const call of calls) {
          const before = within(context, call(AbortSignal.abort()), 'the aborted call')
          await assertRejects(before, 'aborted', 'a call with an aborted signal')
          const controller = new AbortController()
          const during = call(controller.signal)
          controller.abort(new Error('the user gave up'))
          await assertRejects(within(context, during, 'the aborted call'), 'aborted', 'a call aborted at once')
        }
        // Nothing was left behind: the address that was not listened on after all is free.
        const later = await within(context, transport.listen(free, unused), 'listen')
        await within(context, later.close(), 'Listener.close')
      }),
  },
  {
    name: 'a signal aborted after dial does not touch the channel',
    run: (context) =>
      withListener(context, async ({ listener, accepted }) => {
        const controller = new AbortController()
        const { signal } = controller
        const dialed = await within(context, context.transport.dial(listener.address, { signal }), 'dial')
        controller.abort()
        const other = await eventually(context, async () => {
          assert(accepted[0] !== undefined, 'onChannel was not called')
          return accepted[0]
        })
        await exchange(context, dialed, other)
      }),
  },
  {
    name: 'one channel more than maxChannels is refused, and closing one makes room',
    requires: ['max-channels'],
    run: (context) =>
      withListener(
        context,
        async ({ listener, connect, accepted }) => {
          const [first, firstAccepted] = await connect()
          const second = await connect()
          const refused = within(context, context.transport.dial(listener.address), 'dial')
          await assertRejects(refused, 'peer-unreachable', 'the third dial')
          assertEqual(accepted.length, 2, 'channels that the listener was given')
          await exchange(context, ...second)
          await within(context, Promise.all([first.close(), firstAccepted.close()]), 'close')
          await exchange(context, ...(await eventually(context, connect)))
        },
        { maxChannels: 2 },
      ),
  },
]

function thrower(): never {
  throw new Error('this handler always fails')
}

/** The dialer of a channel whose handler fails may learn of it while dialing or afterwards; the next one must get in. */
async function outlives(context: TransportContext, onChannel: (channel: Channel) => void): Promise<void> {
  const dialTwice = async ({ listener, accepted }: Listening) => {
    for (const times of [1, 2]) {
      const dialed = await within(context, context.transport.dial(listener.address), 'dial').catch(() => undefined)
      if (dialed !== undefined) await new Inbound(context, dialed).expectLost()
      await eventually(context, async () => {
        assertEqual(accepted.length, times, 'calls of onChannel')
      })
    }
  }
  await withListener(context, dialTwice, { onChannel })
}

async function exchange(context: TransportContext, dialed: Channel, accepted: Channel): Promise<void> {
  const [here, there] = [new Inbound(context, dialed), new Inbound(context, accepted)]
  await within(context, dialed.send([pattern(64, 1)]), 'send')
  await there.expect([pattern(64, 1)])
  await within(context, accepted.send([pattern(64, 2)]), 'send')
  await here.expect([pattern(64, 2)])
}

/** An address that was listened on a moment ago, so that it is of the right form. */
async function vacant({ transport, listenAddress }: TransportContext): Promise<string> {
  const listener = await transport.listen(await listenAddress(), unused)
  await listener.close()
  return listener.address
}
