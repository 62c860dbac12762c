import type { DType } from '../../dtype.ts'
import type { Matrix } from '../../matrix.ts'
import { halfFormats, spacing } from '../rounding.ts'

const float32 = new Float32Array(1)
const word = new Uint32Array(float32.buffer)

/** Bits of a bfloat16: to nearest, ties to even. */
function bfloat16Bits(value: number): number {
  float32[0] = value
  return (word[0]! + 0x7fff + ((word[0]! >>> 16) & 1)) >>> 16
}

/** Bits of a float16: to nearest, ties to even, saturating at the largest finite number. */
function float16Bits(value: number): number {
  const sign = value < 0 ? 0x8000 : 0
  const { minNormal } = halfFormats.float16
  const step = spacing('float16', value)
  const steps = roundHalfToEven(Math.abs(value) / step)
  if (steps < 1024) return sign | steps
  const exponent = Math.round(Math.log2(step / minNormal)) + 11
  // The leading bit is implied; a carry out of the fraction goes on into the exponent, as it should.
  return sign | Math.min(0x7bff, (exponent << 10) + (steps - 1024))
}

function roundHalfToEven(x: number): number {
  const floor = Math.floor(x)
  const rest = x - floor
  return rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
}

/** float32 values as the operand of a product, rounded to 16 bits where `dtype` has them. */
export function encodeMatrix(values: Float32Array, rows: number, cols: number, dtype: DType): Matrix {
  if (dtype === 'float32') {
    return { rows, cols, dtype, bytes: new Uint8Array(values.buffer, values.byteOffset, values.byteLength) }
  }
  if (dtype !== 'float16' && dtype !== 'bfloat16') throw new RangeError(`cannot make operands of ${dtype}`)
  const bits = Uint16Array.from(values, dtype === 'float16' ? float16Bits : bfloat16Bits)
  return { rows, cols, dtype, bytes: new Uint8Array(bits.buffer) }
}
