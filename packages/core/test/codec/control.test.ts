import { encode, rfc8949EncodeOptions } from 'cborg'
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { encodeControl } from '../../src/codec/control.ts'

/** Whatever a control map may hold. */
const { value } = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    fc.integer(),
    fc.maxSafeInteger(),
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.string({ unit: 'binary', maxLength: 40 }),
    fc.uint8Array({ maxLength: 40 }),
    fc.array(tie('value'), { maxLength: 5 }),
    // Keys on both sides of the length at which their head takes a second byte.
    fc.dictionary(fc.string({ unit: 'binary', maxLength: 30 }), tie('value'), { maxKeys: 12 }),
  ),
}))

test('control maps are encoded as RFC 8949 demands, keys in the order of their encoded bytes', () => {
  fc.assert(
    fc.property(value, (control) => {
      expect(encodeControl(control)).toEqual(encode(control, rfc8949EncodeOptions))
    }),
    { numRuns: 2000 },
  )
})
