import type { Elements } from './decode.ts'

const float32 = new Float32Array(1)
const bits = new Uint32Array(float32.buffer)

/** A float32 with 10 bits of fraction: to nearest, ties away from zero. As the instruction `cvt.rna.tf32.f32` does it. */
export function nearestTf32(x: number): number {
  float32[0] = x
  bits[0] = (bits[0]! + 0x1000) & ~0x1fff
  return float32[0]!
}

/** A float32 with 10 bits of fraction, the rest cut off: what a tensor core makes of bits that nobody rounded before. */
export function truncatedTf32(x: number): number {
  float32[0] = x
  bits[0]! &= ~0x1fff
  return float32[0]!
}

/** The ways in which engines turn float32 operands into those of TF32 products. */
export const tf32Conversions = [nearestTf32, truncatedTf32] as const

/** Operands after a conversion; one object serves for every entry. */
export interface ConvertedOperands {
  a: Float64Array
  column: Float64Array
}

/** Converts `a` and the column at `offset` into `out`, whose arrays it replaces if they are too short. */
export function convertOperands(
  convert: (x: number) => number,
  a: Float64Array,
  columns: Elements,
  offset: number,
  out: ConvertedOperands,
): void {
  const k = a.length
  if (out.a.length !== k) {
    out.a = new Float64Array(k)
    out.column = new Float64Array(k)
  }
  for (let t = 0; t < k; t++) {
    out.a[t] = convert(a[t]!)
    out.column[t] = convert(columns[offset + t]!)
  }
}
