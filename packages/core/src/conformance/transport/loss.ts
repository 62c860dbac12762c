import type { Channel } from '../../transport.ts'
import { assert, assertBytes, assertEqual, assertRejects } from '../assert.ts'
import type { TransportCase, TransportContext } from '../transport.ts'
import { eventually, fill, Inbound, pattern, within, withPair } from './harness.ts'

export const loss: readonly TransportCase[] = [
  {
    name: 'abort before the first message: channel-lost there, the given error here',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const reason = new Error('changed my mind')
        dialed.abort(reason)
        await new Inbound(context, dialed).expectError(reason)
        await new Inbound(context, accepted).expectLost()
        await assertThrows(context, dialed, reason)
        await assertSendsLost(context, accepted)
      }),
  },
  {
    name: 'abort while both sides read',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const [here, there] = [new Inbound(context, dialed), new Inbound(context, accepted)]
        await within(context, dialed.send([pattern(100, 1)]), 'send')
        assertBytes(await there.next(), pattern(100, 1), 'the message')
        const reason = new Error('enough')
        const reading = Promise.all([here.expectError(reason), there.expectLost()])
        dialed.abort(reason)
        await within(context, reading, 'reading')
        await here.expectError(reason)
        await there.expectLost()
      }),
  },
  {
    name: 'abort by the listening side',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const reason = new Error('the dialer misbehaved')
        accepted.abort(reason)
        await new Inbound(context, accepted).expectError(reason)
        await new Inbound(context, dialed).expectLost()
      }),
  },
  {
    name: 'abort with sends queued rejects them with the given error',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const { blocked } = await fill(context, dialed)
        const queued = [blocked, dialed.send([pattern(10, 1)]), dialed.send([pattern(10, 2)])]
        const reason = new Error('the run failed')
        const outcomes = Promise.all(queued.map((send) => send.catch((error: unknown) => error)))
        dialed.abort(reason)
        for (const outcome of await within(context, outcomes, 'the queued sends')) {
          assertEqual(outcome, reason, 'what a queued send throws')
        }
        await within(context, dialed.close(), 'close after abort')
        await new Inbound(context, accepted).expectLost()
      }),
  },
  {
    name: 'abort during close ends the close',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const here = new Inbound(context, dialed)
        await fill(context, dialed)
        const closing = dialed.close()
        const reason = new Error('no time left')
        dialed.abort(reason)
        await within(context, closing, 'close')
        await here.expectError(reason)
        await new Inbound(context, accepted).expectLost()
      }),
  },
  {
    name: 'only the first abort counts',
    run: (context) =>
      withPair(context, async ({ dialed }) => {
        const first = new Error('first')
        dialed.abort(first)
        dialed.abort(new Error('second'))
        await new Inbound(context, dialed).expectError(first)
      }),
  },
  {
    name: 'a connection that is cut is channel-lost on both sides',
    requires: ['abrupt-loss'],
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        assert(context.sever !== undefined, 'a context that declares abrupt-loss supplies sever()')
        const [here, there] = [new Inbound(context, dialed), new Inbound(context, accepted)]
        await within(context, dialed.send([pattern(100, 1)]), 'send')
        await there.expect([pattern(100, 1)])
        await context.sever(dialed)
        await Promise.all([here.expectLost(), there.expectLost()])
        await Promise.all([assertSendsLost(context, dialed), assertSendsLost(context, accepted)])
        await within(context, Promise.all([dialed.close(), accepted.close()]), 'close')
      }),
  },
]

async function assertThrows(context: TransportContext, channel: Channel, reason: Error): Promise<void> {
  const outcome = await within(context, channel.send([pattern(1, 1)]), 'send').catch((error: unknown) => error)
  assertEqual(outcome, reason, 'what send throws after abort')
}

/** The first sends may still be accepted: a side learns of the loss when the network tells it. */
async function assertSendsLost(context: TransportContext, channel: Channel): Promise<void> {
  await eventually(context, () =>
    assertRejects(within(context, channel.send([pattern(1, 1)]), 'send'), 'channel-lost', 'send on a lost channel'),
  )
}
