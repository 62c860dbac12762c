import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import { decodeControl, encodeControl } from '../../../packages/core/src/codec/control.ts'
import { revalue } from '../revalue.ts'
import { attempt, promised, refused, sameBytes, type Target } from '../target.ts'

const tokens = [
  '00',
  '1800',
  '20',
  '40',
  '5820',
  '60',
  '6161',
  '80',
  '81',
  '82',
  'a0',
  'a1',
  'b8',
  'c0',
  'f4',
  'f6',
  'f7',
]
const more = ['f93c00', 'f97e00', 'fa3f800000', 'fb3ff0000000000000', '9bffffffffffffffff', 'bf', '9f', 'ff', '62efbb']

/** Control maps, apart from frames: what is accepted is exactly what the encoder writes. */
export const control: Target = {
  name: 'control',
  maxInputBytes: 4096,
  // Byte strings are copied, and every float is encoded again for a moment.
  allowedBytes: (length) => 4096 + 256 * length,
  tokens: [...tokens, ...more].map((hex) => Buffer.from(hex, 'hex')),
  seeds: () =>
    [
      {},
      { a: 1, b: [true, null, -1, 0.5, 1e300], bytes: new Uint8Array(40) },
      { deep: { deeper: [[[{ deepest: 'text, long enough for a head of two bytes' }]]] }, é: 2 ** 53 - 1 },
      [2 ** 32, 2 ** 16, 256, 24, -25, -(2 ** 53 - 1), 'ß', ''],
    ].map((value) => encodeControl(value)),
  rewrite(input, random) {
    try {
      return encodeControl(revalue(decodeControl(input), random))
    } catch {
      return input
    }
  },
  check(input) {
    const value = attempt(() => decodeControl(input), ['frame-malformed'])
    promised((value !== refused) === comesBack(input), 'accepts other bytes than the encoder writes for their value')
    if (value === refused) return false
    promised(sameBytes(encodeControl(value), input), 'its value has another encoding')
    return true
  },
}

/** The slow way to the same answer; depth and number of items are within the limits at this size, or refused. */
function comesBack(input: Uint8Array): boolean {
  try {
    const options = { strict: true, allowIndefinite: false, allowUndefined: false, allowBigInt: false }
    const value: unknown = decode(input, { ...options, allowNaN: false, allowInfinity: false })
    return sameBytes(encode(value, rfc8949EncodeOptions), input) && depthOf(value) <= 16
  } catch {
    return false
  }
}

function depthOf(value: unknown): number {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return 0
  return 1 + Object.values(value).reduce((depth: number, child) => Math.max(depth, depthOf(child)), 0)
}
