import { encode, rfc8949EncodeOptions } from 'cborg'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeControl } from '../../src/codec/control.ts'

/** Whatever a control map may hold. */
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.integer(),
    fc.constantFrom(
      ...[8, 16, 32].flatMap((bits) => [2 ** bits - 1, 2 ** bits, -(2 ** bits), -1 - 2 ** bits]),
      23,
      24,
      -0,
    ),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.string({ unit: 'grapheme-ascii', maxLength: 600 }),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 5 }),
    // Keys on both sides of the length at which their head takes a second byte.
    fc.dictionary(fc.string({ unit: 'binary', maxLength: 30 }), tie('value'), { maxKeys: 12 }),
    fc.dictionary(fc.string({ unit: 'grapheme-ascii', maxLength: 30 }), tie('value'), { maxKeys: 12 }),
  ),
}))

test('control maps are encoded as RFC 8949 demands, keys in the order of their encoded bytes', () => {
  fc.assert(
    fc.property(value, (control) => {
      expect(encodeControl(control)).toEqual(Uint8Array.from(encode(control, rfc8949EncodeOptions)))
    }),
    { numRuns: 2000 },
  )
})
