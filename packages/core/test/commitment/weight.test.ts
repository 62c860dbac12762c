import { hexToBytes } from '@noble/hashes/utils.js'
import { expect, test } from 'vitest'
import { weightDigest } from '../../src/commitment/weight.ts'
import type { DType } from '../../src/dtype.ts'
import vectors from '../vectors/commitment.json' with { type: 'json' }

test.each(vectors.weights)('agrees with the frozen vector $dtype $bytes', ({ dtype, bytes, digest }) => {
  expect(weightDigest(dtype as DType, hexToBytes(bytes))).toBe(digest)
})

test('does not depend on where the bytes lie', () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => i * i)
  const elsewhere = new Uint8Array(100_005)
  elsewhere.set(bytes, 5)
  expect(weightDigest('uint8', elsewhere.subarray(5))).toBe(weightDigest('uint8', bytes))
})

test('changes with any byte', () => {
  const bytes = new Uint8Array(100)
  const digests = Array.from(bytes, (_, i) => weightDigest('float32', bytes.with(i, 1)))
  expect(new Set([...digests, weightDigest('float32', bytes)]).size).toBe(101)
})
