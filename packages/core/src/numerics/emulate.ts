import type { Elements } from './decode.ts'

const { fround } = Math

/**
 * Errors of float32 sums over the terms first, first + step, … of Σ a_t·b_t, shape [k], on top of `start`: the largest
 * that any prefix has. The errors of different stretches of a sum may cancel at its end by luck, on constant operands for
 * example, and not in an engine that cuts the sum elsewhere.
 */
function largestPrefixError(
  a: Float64Array,
  columns: Elements,
  offset: number,
  start: number,
  first: number,
  step: number,
): number {
  let sum = start
  let exact = start
  let largest = 0
  for (let t = first; t >= 0 && t < a.length; t += step) {
    const product = a[t]! * columns[offset + t]!
    sum = fround(sum + fround(product))
    exact += product
    const error = Math.abs(sum - exact)
    if (error > largest) largest = error
  }
  return largest
}

/** Partial sums of the terms with equal t modulo `count`, as in the lanes of vector registers: their errors, added up. */
function lanesError(a: Float64Array, columns: Elements, offset: number, count: number): number {
  let sum = 0
  for (let lane = 0; lane < count; lane++) sum += largestPrefixError(a, columns, offset, 0, lane, count)
  return sum
}

/** Error of a sum of partial sums of `size` terms each, as in cache blocking. */
function blocksError(a: Float64Array, columns: Elements, offset: number, start: number, size: number): number {
  let total = start
  let exact = start
  for (let first = 0; first < a.length; first += size) {
    const end = Math.min(first + size, a.length)
    let sum = 0
    for (let t = first; t < end; t++) {
      const product = a[t]! * columns[offset + t]!
      sum = fround(sum + fround(product))
      exact += product
    }
    total = fround(total + sum)
  }
  return Math.abs(total - exact)
}

/**
 * Largest error of Σ a_t·b_t over the ways in which engines add in float32: one term after the other, from either end; in
 * 4 lanes (registers of 128 bits) and in 16 (one of 512 bits, or several); in blocks of 48 (tfjs). An engine with FMA
 * skips the rounding of the products, which only makes it more accurate.
 *
 * @param start - What the sums begin with: 0, or the bias.
 */
export function largestEmulatedError(a: Float64Array, columns: Elements, offset: number, start: number): number {
  return Math.max(
    largestPrefixError(a, columns, offset, start, 0, 1),
    largestPrefixError(a, columns, offset, start, a.length - 1, -1),
    lanesError(a, columns, offset, 4),
    lanesError(a, columns, offset, 16),
    blocksError(a, columns, offset, start, 48),
  )
}
