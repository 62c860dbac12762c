import { expect, test } from 'vitest'
import { Outbox } from '../src/outbox.ts'

const message = (length: number) => [new Uint8Array(length)]

/** An outbox, what it handed on, and what became of each send. */
function outbox(windowBytes: number) {
  const handed: { length: number; take(): void }[] = []
  const log: string[] = []
  const box = new Outbox(windowBytes, (parts, take) => handed.push({ length: parts[0]!.length, take }))
  const send = (length: number) =>
    box.send(message(length)).then(
      () => void log.push(`${length} sent`),
      (error: Error) => void log.push(`${length} ${error.message}`),
    )
  return { box, handed, log, send, lengths: () => handed.map(({ length }) => length) }
}

const ticks = () => new Promise((resolve) => setImmediate(resolve))

test('hands on while the window has room, each message with its overhead', () => {
  const { box, send, lengths } = outbox(1000)
  for (const length of [100, 1, 387, 2, 3]) void send(length)
  // 356, 613 and 1256 bytes are outstanding.
  expect(lengths()).toEqual([100, 1, 387])
  box.credit(256)
  expect(lengths()).toEqual([100, 1, 387])
  box.credit(1)
  expect(lengths()).toEqual([100, 1, 387, 2])
})

test('a send resolves when its memory is free and there is room behind it', async () => {
  const { box, handed, log, send } = outbox(1000)
  for (const length of [100, 500]) void send(length)
  await ticks()
  expect(log).toEqual([])
  handed[0]!.take()
  handed[1]!.take()
  await ticks()
  expect(log).toEqual(['100 sent'])
  box.credit(112)
  await ticks()
  expect(log).toEqual(['100 sent'])
  box.credit(1)
  await ticks()
  expect(log).toEqual(['100 sent', '500 sent'])
})

test('sends resolve in order, and later ones do not hold earlier ones back', async () => {
  const { handed, log, send } = outbox(1000)
  for (const length of [1, 2, 3, 4, 5, 6]) void send(length)
  handed[1]!.take()
  await ticks()
  expect(log).toEqual([])
  handed[0]!.take()
  await ticks()
  expect(log).toEqual(['1 sent', '2 sent'])
})

test('a message longer than the window goes out when nothing is outstanding', () => {
  const { box, send, lengths } = outbox(10)
  void send(5000)
  void send(1)
  expect(lengths()).toEqual([5000])
  box.credit(5246)
  expect(lengths()).toEqual([5000])
  box.credit(1)
  expect(lengths()).toEqual([5000, 1])
})

test('credit for more than is outstanding is malformed', () => {
  const { box, send } = outbox(1000)
  expect(() => box.credit(1)).toThrow(expect.objectContaining({ code: 'frame-malformed' }))
  void send(0)
  expect(() => box.credit(257)).toThrow('credit for 257 bytes, where 256 are outstanding')
  box.credit(256)
})

test('the end comes after everything that was queued, once there is room, and once', () => {
  const { box, send, lengths } = outbox(300)
  let ends = 0
  for (const length of [50, 51]) void send(length)
  box.finish(() => {
    ends += 1
  })
  expect([lengths(), ends]).toEqual([[50], 0])
  box.credit(306)
  expect([lengths(), ends]).toEqual([[50, 51], 0])
  box.credit(7)
  expect(ends).toBe(0)
  box.credit(1)
  box.credit(1)
  expect(ends).toBe(1)
})

test('with nothing queued the end comes at once', () => {
  let ended = false
  outbox(1).box.finish(() => {
    ended = true
  })
  expect(ended).toBe(true)
})

test('a failure rejects every send in order, and nothing follows', async () => {
  const { box, handed, log, send } = outbox(300)
  for (const length of [1, 100, 3]) void send(length)
  let ended = false
  box.finish(() => {
    ended = true
  })
  box.fail(new Error('lost'))
  handed[0]!.take()
  box.credit(300)
  await ticks()
  expect(log).toEqual(['1 lost', '100 lost', '3 lost'])
  expect([handed.length, ended]).toEqual([2, false])
})
