import type { PreparedMatrix } from './prepared.ts'

/** A random vector and what the verifier's own B makes of it. */
export interface FreivaldsVector {
  /** Shape [n], uniform on [−1, 1], drawn after the commitment and used for one product. */
  readonly x: Float64Array
  /** B·x, shape [k]. */
  readonly Bx: Float64Array
}

export interface FreivaldsResult {
  /** |z|, z = (ĉ − bias)·x − α·a·(Bx). */
  readonly residual: number
  /** T = 2u·√k·√(α²·Σ_t a_t²·q_t + Σ_j x_j²·ĉ_j²). */
  readonly bound: number
}

/**
 * Freivalds' check of one row. An error d of the row is missed with probability at most √2·T/‖d‖₂ for each vector.
 *
 * @param a - Row of A, shape [k].
 * @param c - The prover's row before any activation, shape [n].
 * @see Freivalds, Probabilistic machines can use less running time, IFIP Congress 1977.
 */
export function freivalds(
  a: Float64Array,
  c: Float64Array,
  matrix: PreparedMatrix,
  { x, Bx }: FreivaldsVector,
  epilogue: { readonly alpha: number; readonly bias?: Float64Array },
  unitRoundoff: number,
): FreivaldsResult {
  const { alpha, bias } = epilogue
  const q = matrix.energy()
  let left = 0
  let right = 0
  let spread = 0
  for (let j = 0; j < c.length; j++) {
    const offset = bias === undefined ? 0 : bias.length === 1 ? bias[0]! : bias[j]!
    const xj = x[j]!
    left += xj * (c[j]! - offset)
    spread += xj * xj * c[j]! * c[j]!
  }
  let input = 0
  for (let t = 0; t < a.length; t++) {
    right += a[t]! * Bx[t]!
    input += a[t]! * a[t]! * q[t]!
  }
  const residual = Math.abs(left - alpha * right)
  const bound = 2 * unitRoundoff * Math.sqrt(a.length + 1) * Math.sqrt(alpha * alpha * input + spread)
  return { residual, bound }
}

/** ‖d‖₂ of the smallest row error that `vectors` vectors see with probability `power`: √2·T/(1 − power)^(1/R). */
export function visibleNorm(bound: number, vectors: number, power: number): number {
  return (Math.SQRT2 * bound) / (1 - power) ** (1 / vectors)
}
