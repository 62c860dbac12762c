import { assert, assertBytes, assertEqual, assertRejects } from '../assert.ts'
import type { TransportCase } from '../transport.ts'
import { fill, fillMessage, Inbound, pattern, sendAll, within, withPair } from './harness.ts'

const sizes = [1, 7, 8, 9, 1000, 65_535, 65_536, 65_537, 300_000]

export const delivery: readonly TransportCase[] = [
  {
    name: 'messages arrive whole and in order, both ways',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        for (const [from, to] of [[dialed, accepted] as const, [accepted, dialed] as const]) {
          assert(typeof from.peer === 'string' && from.peer !== '', 'peer must be a label for people')
          const messages = sizes.filter((size) => size <= from.maxMessageBytes).map(pattern)
          const sending = sendAll(from, messages)
          await new Inbound(context, to).expect(messages)
          await within(context, sending, 'send')
        }
      }),
  },
  {
    name: 'the parts of a message arrive joined',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const whole = pattern(1000, 1)
        const parts = [0, 1, 1, 8, 500, 1000].map((end, i, ends) => whole.subarray(i === 0 ? 0 : ends[i - 1], end))
        await within(context, dialed.send(parts), 'send')
        await within(context, dialed.send([pattern(3, 2)]), 'send')
        await new Inbound(context, accepted).expect([whole, pattern(3, 2)])
      }),
  },
  {
    name: 'an empty message arrives as one',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const empty = new Uint8Array(0)
        const messages = [[empty], [pattern(5, 1)], [empty], [], [pattern(6, 2)]]
        const sending = Promise.all(messages.map((message) => dialed.send(message)))
        await new Inbound(context, accepted).expect(messages.map(([part]) => part ?? empty))
        await within(context, sending, 'send')
      }),
  },
  {
    name: 'a message of maxMessageBytes arrives',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        assertEqual(dialed.maxMessageBytes, accepted.maxMessageBytes, 'maxMessageBytes of the two sides')
        const largest = pattern(dialed.maxMessageBytes, 1)
        const sending = dialed.send([largest.subarray(0, 10), largest.subarray(10)])
        await new Inbound(context, accepted).expect([largest])
        await within(context, sending, 'send')
      }),
  },
  {
    name: 'a message over maxMessageBytes is refused on the sender and harms nothing',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const tooLarge = [new Uint8Array(dialed.maxMessageBytes), new Uint8Array(1)]
        await within(context, dialed.send([pattern(9, 1)]), 'send')
        await assertRejects(within(context, dialed.send(tooLarge), 'send'), 'message-too-large', 'send')
        await within(context, dialed.send([pattern(9, 2)]), 'send')
        await new Inbound(context, accepted).expect([pattern(9, 1), pattern(9, 2)])
      }),
  },
  {
    name: 'a received message lies in aligned memory of its own',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const messages = [3, 16, 4096, 70_001].map(pattern)
        const sending = sendAll(dialed, messages)
        const inbound = new Inbound(context, accepted)
        const received: Uint8Array[] = []
        for (const message of messages) {
          const bytes = await inbound.next()
          assertEqual(bytes.byteOffset % 8, 0, 'byteOffset modulo 8')
          for (const other of [...messages, ...received]) assert(other.buffer !== bytes.buffer, 'memory is shared')
          assertBytes(bytes, message, 'a message')
          bytes.fill(0xee)
          received.push(bytes)
        }
        for (const bytes of received)
          assert(
            bytes.every((byte) => byte === 0xee),
            'a later message wrote into an earlier one',
          )
        messages.forEach((message, i) => {
          assertBytes(message, pattern(message.byteLength, i), 'what the sender still holds')
        })
        await within(context, sending, 'send')
      }),
  },
  {
    name: 'the sender may reuse its memory once send resolved',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const part = pattern(50_000, 1)
        await within(context, dialed.send([part]), 'send')
        part.fill(0)
        await new Inbound(context, accepted).expect([pattern(50_000, 1)])
      }),
  },
  {
    name: 'a thousand messages each way, interleaved, awaited or not',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const there = Array.from({ length: 1000 }, (_, i) => pattern((i * 37) % 3000, i))
        const back = Array.from({ length: 1000 }, (_, i) => pattern((i * 53) % 3000, i + 5000))
        const sends = Promise.all(back.map((message) => accepted.send([message])))
        const work = [
          sendAll(dialed, there),
          sends,
          new Inbound(context, dialed).expect(back),
          new Inbound(context, accepted).expect(there),
        ]
        await within(context, Promise.all(work), 'the exchange')
      }),
  },
  {
    name: 'a peer that does not read stops the sender, and reading lets it go on',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        const { sent, blocked } = await fill(context, dialed)
        const inbound = new Inbound(context, accepted)
        const message = fillMessage(dialed)
        for (let i = 0; i < sent; i++) assertBytes(await inbound.next(`message ${i}`), message, `message ${i}`)
        await within(context, blocked, 'the send that waited')
        await within(context, dialed.send([pattern(1, 7)]), 'send')
        await inbound.expect([pattern(1, 7)])
      }),
  },
  {
    name: 'leaving the iteration early leaves the channel usable for sending',
    run: (context) =>
      withPair(context, async ({ dialed, accepted }) => {
        await within(context, accepted.send([pattern(4, 1)]), 'send')
        const leave = async () => {
          for await (const message of dialed) return message
          return undefined
        }
        assertBytes((await within(context, leave(), 'the iteration'))!, pattern(4, 1), 'the message')
        await within(context, dialed.send([pattern(4, 2)]), 'send')
        await new Inbound(context, accepted).expect([pattern(4, 2)])
      }),
  },
  {
    name: 'iterating a second time is a clear error',
    run: (context) =>
      withPair(context, async ({ dialed }) => {
        const first = dialed[Symbol.asyncIterator]()
        void first.next().catch(() => {})
        let error: unknown
        try {
          const again = dialed[Symbol.asyncIterator]().next()
          error = await within(context, again, 'the second iteration').catch((reason: unknown) => reason)
        } catch (thrown) {
          error = thrown
        }
        assert(error instanceof TypeError, `expected a TypeError, got ${String(error)}`)
      }),
  },
]
