import { assertRejects } from '../assert.ts'
import type { TransportCase } from '../transport.ts'
import { fill, fillMessage, Inbound, pattern, sendAll, within, withPair } from './harness.ts'

export const ending: readonly TransportCase[] = [
  {
    name: 'close delivers everything queued and ends the iteration of the peer',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const messages = Array.from({ length: 50 }, (_, i) => pattern(20_000 + i, i))
        for (const message of messages) void dialed.send([message])
        const closing = dialed.close()
        const inbound = new Inbound(context, accepted)
        await inbound.expect(messages)
        await inbound.expectEnd()
        await within(context, Promise.all([closing, accepted.close()]), 'close')
      }),
  },
  {
    name: 'the end stays the end when the iteration is asked again',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const closing = dialed.close()
        const inbound = new Inbound(context, accepted)
        await inbound.expectEnd()
        await inbound.expectEnd()
        await within(context, Promise.all([closing, accepted.close()]), 'close')
        await inbound.expectEnd()
      }),
  },
  {
    name: 'both sides may close at once without losing a message',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const there = Array.from({ length: 20 }, (_, i) => pattern(5000 + i, i))
        const back = Array.from({ length: 20 }, (_, i) => pattern(6000 + i, i))
        const [atDialer, atListener] = [new Inbound(context, dialed), new Inbound(context, accepted)]
        for (const message of there) void dialed.send([message])
        for (const message of back) void accepted.send([message])
        const closing = Promise.all([dialed.close(), accepted.close()])
        const reading = [
          atDialer.expect(back).then(() => atDialer.expectEnd()),
          atListener.expect(there).then(() => atListener.expectEnd()),
        ]
        await within(context, Promise.all(reading), 'reading')
        await within(context, closing, 'close')
      }),
  },
  {
    name: 'close needs no reader: what arrives for nobody does not hold it up',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const { blocked } = await fill(context, dialed)
        await within(context, Promise.all([accepted.close(), blocked, dialed.close()]), 'close')
      }),
  },
  {
    name: 'close can be called again, at any time',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const closing = [dialed.close(), dialed.close(), accepted.close()]
        await within(context, Promise.all(closing), 'close')
        await within(context, dialed.close(), 'close after close')
        dialed.abort(new Error('nothing is left to abort'))
        await within(context, dialed.close(), 'close after abort')
      }),
  },
  {
    name: 'send after close is channel-closed',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const closing = dialed.close()
        await assertRejects(
          within(context, dialed.send([pattern(1, 1)]), 'send'),
          'channel-closed',
          'send during close',
        )
        const inbound = new Inbound(context, accepted)
        await inbound.expectEnd()
        await within(context, Promise.all([closing, accepted.close()]), 'close')
        for (const channel of [dialed, accepted]) {
          const late = within(context, channel.send([pattern(1, 1)]), 'send')
          await assertRejects(late, 'channel-closed', 'send after close')
        }
      }),
  },
  {
    name: 'a side that closed still receives until the other closes',
    requires: ['half-close'],
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const [atDialer, atListener] = [new Inbound(context, dialed), new Inbound(context, accepted)]
        const answers = [1, 2, 3].map((i) => pattern(1000 * i, i))
        await within(context, dialed.send([pattern(10, 1)]), 'send')
        const closing = dialed.close()
        await atListener.expect([pattern(10, 1)])
        await atListener.expectEnd()
        await within(context, sendAll(accepted, answers), 'the answers')
        await atDialer.expect(answers)
        await within(context, Promise.all([accepted.close(), closing]), 'close')
        await atDialer.expectEnd()
      }),
  },
  {
    name: 'close gives up on a peer that neither reads nor closes',
    requires: ['close-deadline'],
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        await fill(context, dialed)
        await within(context, dialed.close(), 'close')
        // The peer was never told goodbye, so what it can still read must not look complete.
        await new Inbound(context, accepted).expectLost()
      }),
  },
  {
    name: 'the signal given to close ends its wait',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        await fill(context, dialed)
        const controller = new AbortController()
        const closing = dialed.close({ signal: controller.signal })
        controller.abort()
        await within(context, closing, 'close')
        await within(context, accepted.close({ signal: AbortSignal.abort() }), 'close with an aborted signal')
      }),
  },
  {
    name: 'a slow reader still gets everything that was sent before a close',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const { sent, blocked } = await fill(context, dialed)
        const closing = dialed.close()
        const inbound = new Inbound(context, accepted)
        await inbound.expect(Array.from({ length: sent }, () => fillMessage(dialed)))
        await inbound.expectEnd()
        await within(context, Promise.all([blocked, closing, accepted.close()]), 'close')
      }),
  },
]
