/** Significant bits of the number formats in which a product may secretly be computed. */
export const significantBits = {
  float16: 11,
  tf32: 11,
  bfloat16: 8,
  'fp8 (E4M3)': 4,
  'fp8 (E5M2)': 3,
} as const

/** Rounds to nearest, ties to even, at `bits` significant bits; the range of exponents is that of float64. */
export function roundTo(bits: number, value: number): number {
  if (value === 0 || !Number.isFinite(value)) return value
  const step = 2 ** (Math.floor(Math.log2(Math.abs(value))) - bits + 1)
  const quotient = value / step
  const floor = Math.floor(quotient)
  const rest = quotient - floor
  const up = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0)
  return (up ? floor + 1 : floor) * step
}

/** Symmetric integers of `bits` bits, with one scale for each group of `size` values. */
export function quantised(bits: number, values: Float32Array, size: number): Float32Array {
  const out = values.slice()
  for (let start = 0; start < out.length; start += size) {
    const group = out.subarray(start, start + size)
    const scale = group.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) / (2 ** (bits - 1) - 1)
    if (scale > 0) group.set(group.map((value) => Math.round(value / scale) * scale))
  }
  return out
}
