import type { Elements } from './decode.ts'

/** What one pass over the products p_t = a_t·b_t leaves; reused from entry to entry. */
export interface DotSums {
  /** Σp_t */
  sum: number
  /** s₂² = Σp_t² */
  squares: number
}

/**
 * Sums over the products of `a`, shape [k], and the k elements of `columns` at `offset`, in float64. Products of two
 * float32 are exact, and what the sums lose, 2⁻⁵³ a term, is 2⁻²⁹ of what float32 loses.
 */
export function dot(a: Float64Array, columns: Elements, offset: number, out: DotSums): void {
  const k = a.length
  // Four independent chains of additions: one would wait for its own result at every term.
  let sum0 = 0
  let sum1 = 0
  let sum2 = 0
  let sum3 = 0
  let squares0 = 0
  let squares1 = 0
  let squares2 = 0
  let squares3 = 0
  const unrolled = k - (k % 4)
  let t = 0
  for (; t < unrolled; t += 4) {
    const p0 = a[t]! * columns[offset + t]!
    const p1 = a[t + 1]! * columns[offset + t + 1]!
    const p2 = a[t + 2]! * columns[offset + t + 2]!
    const p3 = a[t + 3]! * columns[offset + t + 3]!
    sum0 += p0
    sum1 += p1
    sum2 += p2
    sum3 += p3
    squares0 += p0 * p0
    squares1 += p1 * p1
    squares2 += p2 * p2
    squares3 += p3 * p3
  }
  for (; t < k; t++) {
    const p = a[t]! * columns[offset + t]!
    sum0 += p
    squares0 += p * p
  }
  out.sum = sum0 + sum1 + (sum2 + sum3)
  out.squares = squares0 + squares1 + (squares2 + squares3)
}

/**
 * {@link dot} of two vectors of float64. A function of its own, because one that meets both kinds of columns is compiled
 * for neither.
 */
export function dotOfVectors(a: Float64Array, b: Float64Array, out: DotSums): void {
  let sum0 = 0
  let sum1 = 0
  let squares0 = 0
  let squares1 = 0
  const unrolled = a.length - (a.length % 2)
  let t = 0
  for (; t < unrolled; t += 2) {
    const p0 = a[t]! * b[t]!
    const p1 = a[t + 1]! * b[t + 1]!
    sum0 += p0
    sum1 += p1
    squares0 += p0 * p0
    squares1 += p1 * p1
  }
  for (; t < a.length; t++) {
    const p = a[t]! * b[t]!
    sum0 += p
    squares0 += p * p
  }
  out.sum = sum0 + sum1
  out.squares = squares0 + squares1
}

/** s₁ = Σ|a_t·b_t| over the k elements of `columns` at `offset`, in float64. */
export function absoluteSum(a: Float64Array, columns: Elements, offset: number): number {
  let sum = 0
  for (let t = 0; t < a.length; t++) sum += Math.abs(a[t]! * columns[offset + t]!)
  return sum
}

/** Σ_t a_t·b_t, in float64. */
export function innerProduct(a: Float64Array, b: Float64Array): number {
  let sum0 = 0
  let sum1 = 0
  let sum2 = 0
  let sum3 = 0
  const unrolled = a.length - (a.length % 4)
  let t = 0
  for (; t < unrolled; t += 4) {
    sum0 += a[t]! * b[t]!
    sum1 += a[t + 1]! * b[t + 1]!
    sum2 += a[t + 2]! * b[t + 2]!
    sum3 += a[t + 3]! * b[t + 3]!
  }
  for (; t < a.length; t++) sum0 += a[t]! * b[t]!
  return sum0 + sum1 + (sum2 + sum3)
}

/** Σ_t a_t²·q_t, in float64. */
export function weightedSquares(a: Float64Array, q: Float64Array): number {
  let sum0 = 0
  let sum1 = 0
  let sum2 = 0
  let sum3 = 0
  const unrolled = a.length - (a.length % 4)
  let t = 0
  for (; t < unrolled; t += 4) {
    sum0 += a[t]! * a[t]! * q[t]!
    sum1 += a[t + 1]! * a[t + 1]! * q[t + 1]!
    sum2 += a[t + 2]! * a[t + 2]! * q[t + 2]!
    sum3 += a[t + 3]! * a[t + 3]! * q[t + 3]!
  }
  for (; t < a.length; t++) sum0 += a[t]! * a[t]! * q[t]!
  return sum0 + sum1 + (sum2 + sum3)
}
