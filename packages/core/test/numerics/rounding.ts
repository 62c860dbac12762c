const float = new Float32Array(1)
const bits = new Uint32Array(float.buffer)

/** Rounds a float32 to nearest, ties to even, with `dropped` fewer bits of significand. */
function shorten(value: number, dropped: number): number {
  float[0] = value
  const odd = (bits[0]! >>> dropped) & 1
  bits[0] = ((bits[0]! + 2 ** (dropped - 1) - 1 + odd) >>> dropped) << dropped
  return float[0]!
}

export const bfloat16 = (value: number): number => shorten(value, 16)

/** To nearest, ties to even; from 2⁻²⁴, the least subnormal number, to 65504. */
export function float16(value: number): number {
  const size = Math.abs(value)
  const step = size < 2 ** -14 ? 2 ** -24 : 2 ** (Math.floor(Math.log2(size)) - 10)
  const floor = Math.floor(size / step)
  const rest = size / step - floor
  const count = rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? floor + 1 : floor
  return Math.sign(value) * (count * step > 65504 ? Number.POSITIVE_INFINITY : count * step)
}

/** The operands of a TF32 product: 10 bits after the point. */
export const tf32 = (value: number): number => shorten(value, 13)

export function truncatedTf32(value: number): number {
  float[0] = value
  bits[0] = (bits[0]! >>> 13) << 13
  return float[0]!
}

/** An 8-bit float with 3 bits of fraction and exponents down to −6, saturating at 448. */
export function float8(value: number): number {
  const size = Math.min(Math.abs(value), 448)
  const step = size < 2 ** -6 ? 2 ** -9 : 2 ** (Math.floor(Math.log2(size)) - 3)
  return Math.sign(value) * Math.min(448, Math.round(size / step) * step)
}

/** Symmetric quantisation to 2·`levels` + 1 values with one scale for the column. */
export function quantizedColumn(column: Float32Array, levels: number): Float32Array {
  const scale = column.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) / levels
  return column.map((value) => (scale === 0 ? 0 : Math.round(value / scale) * scale))
}

export const int8PerColumn = (column: Float32Array): Float32Array => quantizedColumn(column, 127)
