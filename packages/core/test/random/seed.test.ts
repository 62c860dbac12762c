import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { describe, expect, test } from 'vitest'
import { deriveSeed } from '../../src/random/seed.ts'
import vectors from '../vectors/random.json' with { type: 'json' }

const key = hexToBytes(vectors.seed)

describe('deriveSeed', () => {
  test.each(vectors.derived)('agrees with the frozen vector $label $fields', ({ label, fields, seed }) => {
    expect(bytesToHex(deriveSeed(key, label, ...(fields as (string | number)[])))).toBe(seed)
  })

  test('differs with key, label, and every field', () => {
    const seeds = [
      deriveSeed(key, 'rows', 1, 'a'),
      deriveSeed(key.with(31, 0), 'rows', 1, 'a'),
      deriveSeed(key, 'columns', 1, 'a'),
      deriveSeed(key, 'rows', 2, 'a'),
      deriveSeed(key, 'rows', 1, 'b'),
      deriveSeed(key, 'rows', 1),
    ]
    expect(new Set(seeds.map(bytesToHex)).size).toBe(seeds.length)
  })

  test.each([0, 31, 33, 64])('refuses a key of %d bytes', (length) => {
    expect(() => deriveSeed(new Uint8Array(length), 'rows')).toThrow(
      new RangeError(`a key must have 32 bytes, got ${length}`),
    )
  })
})
