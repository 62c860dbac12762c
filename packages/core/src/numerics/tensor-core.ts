import type { Elements } from './decode.ts'
import { powerBelow } from './rounding.ts'

/** A tensor core, as measured: products are exact, blocks follow each other in order. */
export interface TensorCore {
  readonly name: string
  /** Products that are added at once to the sum so far. */
  readonly block: number
  /** Bits below the ulp of the largest addend that survive alignment. */
  readonly extraBits: number
}

/**
 * Where the generations differ most. Blocks are half as long for TF32 operands, which `blocks of 4, 1 extra bit` is.
 *
 * @see Fasi, Higham, Mikaitis and Pranesh, PeerJ Computer Science 7:e330, 2021 (V100, T4, A100).
 * @see Khattak and Mikaitis, Accurate models of NVIDIA tensor cores, arXiv 2512.07004, 2025 (V100 to B200).
 */
export const tensorCores: readonly TensorCore[] = [
  { name: 'V100', block: 4, extraBits: 0 },
  { name: 'A100, TF32', block: 4, extraBits: 1 },
  { name: 'A100', block: 8, extraBits: 1 },
  { name: 'H100', block: 16, extraBits: 2 },
]

/**
 * Σ a_t·b_t as a tensor core adds it: the products of a block and the sum so far are cut off below the ulp (of 24 bits) of
 * the largest of them, less `extraBits`, added exactly, and the result is truncated to float32.
 *
 * @param a - Shape [k].
 * @param columns - Holds the k elements of the column at `offset`.
 */
export function tensorCoreSum(
  { block, extraBits }: TensorCore,
  a: Float64Array,
  columns: Elements,
  offset: number,
): number {
  const k = a.length
  let sum = 0
  for (let first = 0; first < k; first += block) {
    const end = Math.min(first + block, k)
    let largest = Math.abs(sum)
    for (let t = first; t < end; t++) {
      const size = Math.abs(a[t]! * columns[offset + t]!)
      if (size > largest) largest = size
    }
    if (largest === 0) continue
    const quantum = powerBelow(largest) * 2 ** (-23 - extraBits)
    let quanta = Math.trunc(sum / quantum)
    for (let t = first; t < end; t++) quanta += Math.trunc((a[t]! * columns[offset + t]!) / quantum)
    sum = truncateToFloat32(quanta * quantum)
  }
  return sum
}

function truncateToFloat32(x: number): number {
  if (x === 0) return 0
  const ulp = powerBelow(x) * 2 ** -23
  return Math.trunc(x / ulp) * ulp
}
