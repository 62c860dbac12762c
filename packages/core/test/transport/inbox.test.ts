import { describe, expect, test } from 'vitest'
import { Inbox } from '../../src/transport/inbox.ts'

const message = (length: number) => new Uint8Array(length)

function inbox(maxBytes: number) {
  const log: string[] = []
  return { log, box: new Inbox(maxBytes, () => log.push('room')) }
}

describe('Inbox', () => {
  test('is full from its limit until half of it is read', async () => {
    const { box, log } = inbox(4000)
    for (let i = 0; i < 3; i++) box.push(message(1000))
    expect(box.full).toBe(false)
    box.push(message(1000))
    expect(box.full).toBe(true)
    const iterator = box.iterate()
    await iterator.next()
    await iterator.next()
    expect([box.full, log]).toEqual([true, []])
    await iterator.next()
    expect([box.full, log]).toEqual([false, ['room']])
  })

  test('empty messages fill it as well', () => {
    const { box } = inbox(10_000)
    let count = 0
    while (!box.full && count < 1000) {
      box.push(message(0))
      count += 1
    }
    expect(count).toBeLessThan(100)
  })

  test('keeps order, whoever waits for whom', async () => {
    const { box } = inbox(1000)
    const iterator = box.iterate()
    const early = [iterator.next(), iterator.next()]
    for (const length of [1, 2, 3, 4]) box.push(message(length))
    const late = [iterator.next(), iterator.next()]
    const lengths = (await Promise.all([...early, ...late])).map(({ value }) => value?.length)
    expect(lengths).toEqual([1, 2, 3, 4])
  })

  test('end and failure come after what arrived before, and stay', async () => {
    const ended = inbox(1000).box
    ended.push(message(1))
    ended.end()
    ended.fail(new Error('too late to matter'))
    const first = ended.iterate()
    expect((await first.next()).value).toHaveLength(1)
    for (const _ of [1, 2]) expect(await first.next()).toEqual({ done: true, value: undefined })

    const failed = inbox(1000).box
    failed.push(message(1))
    failed.fail(new Error('lost'))
    failed.fail(new Error('only the first counts'))
    const second = failed.iterate()
    expect((await second.next()).value).toHaveLength(1)
    for (const _ of [1, 2]) await expect(second.next()).rejects.toThrow('lost')
  })

  test('failing at once drops what was not read, an end included', async () => {
    const { box } = inbox(1000)
    box.push(message(1))
    box.end()
    box.failAtOnce(new Error('aborted'))
    await expect(box.iterate().next()).rejects.toThrow('aborted')
  })

  test('leaving the iteration ends it and holds the sender back until close', async () => {
    const { box } = inbox(1000)
    const iterator = box.iterate()
    box.push(message(1))
    const [taken, waiting] = [iterator.next(), iterator.next()]
    await iterator.return?.()
    expect((await taken).done).toBe(false)
    expect((await waiting).done).toBe(true)
    box.push(message(1))
    expect(await iterator.next()).toEqual({ done: true, value: undefined })
    expect(box.full).toBe(true)
    box.close()
    expect(box.full).toBe(false)
  })

  test('close drops what nobody reads, and nothing of what somebody does', async () => {
    const { box, log } = inbox(1000)
    box.push(message(1000))
    box.close()
    expect([box.full, log]).toEqual([false, ['room']])
    box.push(message(1000))
    expect(box.full).toBe(false)
    expect(() => box.iterate()).toThrow(expect.objectContaining({ code: 'channel-closed' }))

    const read = inbox(1000).box
    const iterator = read.iterate()
    read.push(message(1))
    read.close()
    read.push(message(2))
    expect((await iterator.next()).value).toHaveLength(1)
    expect((await iterator.next()).value).toHaveLength(2)
  })
})
