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

/** The operands of a TF32 product: 10 bits after the point. */
export const tf32 = (value: number): number => shorten(value, 13)

/** Symmetric quantisation with one scale for the column. */
export function int8PerColumn(column: Float32Array): Float32Array {
  const scale = column.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) / 127
  return column.map((value) => (scale === 0 ? 0 : Math.round(value / scale) * scale))
}
