import { type DotSums, dotOfVectors, innerProduct, weightedSquares } from './dot.ts'
import type { EntryCheck } from './entry.ts'
import { type NumericEpilogue, perColumn } from './epilogue.ts'
import type { NumericProfile } from './profile.ts'
import type { FreivaldsVector } from './project.ts'
import { halfFormats } from './rounding.ts'
import { termCount } from './terms.ts'
import { relativeScale } from './tolerance.ts'

/**
 * Whether the check says anything of a product: an activation hides the sums, and so does a rounding to 8 bits; int32 sums
 * wrap.
 */
export function freivaldsApplies(profile: NumericProfile, { activation, quantized }: NumericEpilogue): boolean {
  if (activation.name !== 'linear' || profile.sums === 'integer') return false
  return profile.sums !== 'quantized' || quantized?.output === 'int32'
}

const sums: DotSums = { sum: 0.5, squares: 0.5 }

/** What the vectors that are applied to one row have in common. */
export interface FreivaldsRow {
  /** Row of op(A), shape [k]. */
  readonly a: Float64Array
  /** Claimed row of C, shape [n]. */
  readonly c: Float64Array
  readonly epilogue: NumericEpilogue
  /** Added to the row: shape [n]. */
  readonly addend?: Float64Array
  /** α²·Σ_t a_t²·q_t, the mean of Σ_j x_j²·s₂_j² over x. */
  readonly products: number
  /** T over the root of the sums of squares, but for the rounding of results to 16 bits. */
  readonly factor: number
  /** 2u' of the format to which results are rounded; 0 for float32, whose rounding is one of those of the sum. */
  readonly rounding: number
}

/** @param opened - Whose `b` is held in full, and `c` as well: shape [n]. */
export function freivaldsRow(check: EntryCheck & { c: Float64Array }): FreivaldsRow {
  const { a, b, c, profile, epilogue, addend } = check
  const { alpha, roundedTo } = epilogue
  return {
    a,
    c,
    epilogue,
    ...(addend && { addend }),
    products: alpha * alpha * weightedSquares(a, b.energy),
    factor:
      profile.unitRoundoff > 0
        ? 2 * relativeScale(profile, termCount(check))
        : 2 ** -50 * Math.sqrt(a.length + c.length),
    rounding: roundedTo === undefined ? 0 : 2 * 2 ** -halfFormats[roundedTo].digits,
  }
}

export interface FreivaldsResidual {
  /** |z|, z = Σ_j x_j·(ĉ_j − bias_j − addend_j) − α·a·(Bx). */
  readonly residual: number
  /** T; honest rounding of data without structure mostly stays below. */
  readonly bound: number
  /** T without the rounding of results to 16 bits. */
  readonly tolerance: number
}

/**
 * Freivalds' check of a whole row. With d the row's error, z = x·d. Honest errors are of the size of ν_j each and
 * independent of x, so z is of the size of √(Σ_j x_j²·ν_j²), ν_j² = r²·(s₂_j² + c_j²) with r the {@link relativeScale}. In
 * it, Σ_j x_j²·s₂_j² is replaced by its mean over x, which costs O(k) instead of O(k·n):
 *
 * T² = 4r²·(α²·Σ_t a_t²·q_t + Σ_j x_j²·(ĉ_j² + bias_j² + addend_j²)) + 4u'²·Σ_j x_j²·ĉ_j²,
 *
 * the last term where results are rounded to 16 bits with unit roundoff u', which costs an rms of up to 0.58·u'·|ĉ_j|. T is
 * twice the size of the errors, of which float32 engines show an rms of up to 0.26. Where sums are exact, what is left is the
 * rounding of this very check in float64, and 2r is 2⁻⁵⁰·√(k + n).
 *
 * An error of the row has |z| <= T with probability at most √2·T/‖d‖₂ for each vector, however it is distributed: see
 * {@link smallestVisible}.
 *
 * @see Freivalds, Probabilistic machines can use less running time, IFIP Congress 1977.
 */
export function freivaldsResidual(row: FreivaldsRow, { x, Bx }: FreivaldsVector): FreivaldsResidual {
  const { alpha, bias } = row.epilogue
  dotOfVectors(x, row.c, sums)
  let projected = sums.sum
  const squares = sums.squares
  let addedSquares = 0
  if (bias !== undefined) {
    for (let j = 0; j < x.length; j++) {
      const p = x[j]! * perColumn(bias, j)
      projected -= p
      addedSquares += p * p
    }
  }
  if (row.addend !== undefined) {
    dotOfVectors(x, row.addend, sums)
    projected -= sums.sum
    addedSquares += sums.squares
  }
  const tolerance = row.factor * Math.sqrt(row.products + squares + addedSquares)
  return {
    residual: Math.abs(projected - alpha * innerProduct(row.a, Bx)),
    bound: Math.sqrt(tolerance * tolerance + row.rounding * row.rounding * squares),
    tolerance,
  }
}

/**
 * Smallest ‖d‖₂ of a row error that `vectors` independent vectors all miss with probability at most 1 − `power`:
 * √2·T/(1 − power)^(1/R).
 *
 * The density of x·d for x uniform on [−1, 1]ⁿ is at most √2/(2‖d‖₂), whatever d is, so that |x·d| <= T has probability
 * at most √2·T/‖d‖₂. Two equal entries of d attain it.
 *
 * @param bound - T.
 * @see Ball, Cube slicing in Rⁿ, Proceedings of the American Mathematical Society 97(3), 1986.
 */
export function smallestVisible(bound: number, vectors: number, power = 0.99): number {
  return (Math.SQRT2 * bound) / (1 - power) ** (1 / vectors)
}
