import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FrameReader } from '../src/frame-reader.ts'
import { encodeHeader, kinds } from '../src/wire.ts'
import { goodbye, messageFrame } from './support/raw.ts'

const limit = 64 * 2 ** 20
const body = (length: number) => Uint8Array.from({ length }, (_, i) => (i * 31 + length) % 251)

function readAll(reader: FrameReader, chunks: Iterable<Uint8Array>): Uint8Array[] {
  const bodies: Uint8Array[] = []
  for (const chunk of chunks) for (const frame of reader.read(chunk)) bodies.push(frame.body)
  return bodies
}

test('frames survive any fragmentation', () => {
  const lengths = fc.array(fc.nat(300), { maxLength: 8 })
  const cuts = fc.array(fc.nat(2000), { maxLength: 40 })
  fc.assert(
    fc.property(lengths, cuts, (sizes, positions) => {
      const stream = Buffer.concat(sizes.map((size) => messageFrame(body(size))))
      const edges = [0, ...positions.map((position) => position % (stream.length + 1)), stream.length].sort(
        (a, b) => a - b,
      )
      const chunks = edges.slice(1).map((end, i) => stream.subarray(edges[i], end))
      expect(readAll(new FrameReader(limit), chunks)).toEqual(sizes.map(body))
    }),
    { seed: 1 },
  )
})

test('one byte at a time, and everything at once', () => {
  const sizes = [0, 1, 8, 70_000, 0, 300_000, 5]
  const stream = Buffer.concat(sizes.map((size) => messageFrame(body(size))))
  const single = Array.from({ length: stream.length }, (_, i) => stream.subarray(i, i + 1))
  for (const chunks of [single, [stream]]) {
    const bodies = readAll(new FrameReader(limit), chunks)
    expect(bodies.map(({ length }) => length)).toEqual(sizes)
    expect(sizes.every((size, i) => Buffer.compare(bodies[i]!, body(size)) === 0)).toBe(true)
  }
})

test('every body has memory of its own, and no more than it needs', () => {
  const stream = Buffer.concat([body(3), body(200_000), body(16)].map(messageFrame))
  const bodies = readAll(new FrameReader(limit), [stream])
  expect(bodies.map(({ byteOffset, buffer }) => [byteOffset, buffer.byteLength])).toEqual([
    [0, 3],
    [0, 200_000],
    [0, 16],
  ])
  stream.fill(0)
  expect(bodies[0]).toEqual(body(3))
})

test('insideFrame tells a frame under way from the pause between two', () => {
  const reader = new FrameReader(limit)
  const seen = Array.from(messageFrame(body(2)), (byte) => {
    readAll(reader, [Uint8Array.of(byte)])
    return reader.insideFrame
  })
  expect(seen).toEqual([true, true, true, true, true, true, true, true, true, false])
  readAll(reader, [goodbye])
  expect(reader.insideFrame).toBe(false)
})

test('what a header claims is not allocated before it arrives', () => {
  const before = process.memoryUsage().arrayBuffers
  const readers = Array.from({ length: 200 }, () => new FrameReader(limit))
  for (const reader of readers) readAll(reader, [encodeHeader(kinds.message, limit)])
  const claimed = process.memoryUsage().arrayBuffers - before
  expect(claimed).toBeLessThan(200 * 70_000)

  const chunk = new Uint8Array(100_000)
  for (const reader of readers) readAll(reader, [chunk])
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(200 * (5 * 100_000 + 70_000))
})
