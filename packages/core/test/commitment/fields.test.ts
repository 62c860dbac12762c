import { bytesToHex } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes, encodeFields, fieldParts, float64Field } from '../../src/commitment/fields.ts'
import vectors from '../vectors/commitment.json' with { type: 'json' }

/** Reads an encoding back, as nothing but a list of byte strings. */
function decode(encoded: Uint8Array): string[] {
  const fields: string[] = []
  const view = new DataView(encoded.buffer, encoded.byteOffset)
  for (let offset = 0; offset < encoded.length; ) {
    const length = Number(view.getBigUint64(offset, true))
    fields.push(bytesToHex(encoded.subarray(offset + 8, offset + 8 + length)))
    offset += 8 + length
  }
  return fields
}

const field = fc.oneof(
  fc.uint8Array({ maxLength: 20 }),
  fc.array(fc.uint8Array({ maxLength: 5 }), { maxLength: 3 }),
  fc.string({ unit: 'grapheme', maxLength: 10 }),
  fc.maxSafeNat(),
)

describe('encodeFields', () => {
  test.each(vectors.fields)('agrees with the frozen vector $tag $fields', ({ tag, fields, encoded }) => {
    expect(bytesToHex(encodeFields(tag, ...(fields as (string | number)[])))).toBe(encoded)
  })

  test('is injective: the tag and every field can be read back', () => {
    const utf8 = new TextEncoder()
    const uint64 = (value: number) => new Uint8Array(new BigUint64Array([BigInt(value)]).buffer)
    fc.assert(
      fc.property(fc.string({ maxLength: 10 }), fc.array(field, { maxLength: 6 }), (tag, fields) => {
        const expected = fields.map((value) => {
          if (typeof value === 'number') return uint64(value)
          if (typeof value === 'string') return utf8.encode(value)
          return Array.isArray(value) ? concatBytes(value) : value
        })
        const decoded = decode(encodeFields(tag, ...fields))
        expect(decoded).toEqual([utf8.encode(`tensor-assay/v1/${tag}`), ...expected].map(bytesToHex))
      }),
      { seed: 1 },
    )
  })

  test('tells apart fields that would join to the same bytes', () => {
    const alike = [['ab', 'c'], ['a', 'bc'], ['abc'], ['abc', ''], ['', 'abc']].map((fields) =>
      encodeFields('t', ...fields),
    )
    expect(new Set(alike.map(bytesToHex)).size).toBe(alike.length)
    expect(encodeFields('t', 'ab')).not.toEqual(encodeFields('ta', 'b'))
  })

  test('never starts as a node of a Merkle tree does', () => {
    for (const tag of ['', 'leaf', 'tensor']) expect(encodeFields(tag)[0]).toBe(16 + tag.length)
  })

  test.each([-1, 0.5, 2 ** 53, Number.NaN, Number.POSITIVE_INFINITY])('refuses the number %s', (value) => {
    expect(() => encodeFields('t', value)).toThrow(
      new RangeError(`a numeric field must be a safe integer >= 0, got ${value}`),
    )
  })

  test.each(['\ud800', 'a\udc00b', '\udc00\ud800'])(
    'refuses a lone surrogate, which UTF-8 cannot tell from U+FFFD',
    (value) => {
      expect(() => encodeFields('t', value)).toThrow(RangeError)
      expect(() => encodeFields(value)).toThrow(RangeError)
      expect(() => encodeFields('t', '😀')).not.toThrow()
    },
  )

  test('passes large byte fields through without a copy', () => {
    const bytes = new Uint8Array(1000)
    expect(fieldParts('t', 1, bytes)).toContain(bytes)
  })
})

describe('float64Field', () => {
  test.each(vectors.float64)('agrees with the frozen vector $value', ({ value, bytes }) => {
    expect(bytesToHex(float64Field(Number(value)))).toBe(bytes)
  })

  test('gives every NaN the same bytes', () => {
    const oddNaN = new Float64Array(new BigUint64Array([0xfff8_dead_beef_0001n]).buffer)[0]!
    expect(float64Field(oddNaN)).toEqual(float64Field(Number.NaN))
  })
})
