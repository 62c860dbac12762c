/** Largest finite float32. */
export const maxFloat32 = (2 - 2 ** -23) * 2 ** 127
/** Smallest normal float32, 2⁻¹²⁶: engines may flush anything smaller to zero. */
export const minNormalFloat32 = 2 ** -126

/**
 * Accepted multiple of ν. The largest honest ratio in 2.5·10⁹ draws was 2.83; a larger one is escalated, not rejected.
 */
export const acceptedRatio = 4

/**
 * Scale of the rounding error of a sum in floating point: ν = u·√K·√(s₂² + c²), in the units of C.
 *
 * Sequential summation is wrong by about u·(Σ_t S_t²)^½ over the partial sums S_t. Terms of random sign give
 * ΣS_t² ≈ K·s₂²/2, terms of one sign K·c²/3; ν covers both with a honest rms of at most 0.26·ν, K = 1 (one rounding,
 * at most u·|c| = 0.71·ν) included.
 *
 * @param unitRoundoff - u of the accumulation.
 * @param terms - K, the number of terms and further roundings.
 * @param squares - s₂² = Σp_t².
 * @param sum - c = Σp_t.
 */
export function errorScale(unitRoundoff: number, terms: number, squares: number, sum: number): number {
  return unitRoundoff * Math.sqrt(terms * (squares + sum * sum))
}

/**
 * Bound that no order of summation breaks, with or without FMA: γ_K·s₁ + u·|c|, γ_K = Ku/(1 − Ku). Without underflow.
 *
 * @param absolute - s₁ = Σ|p_t|.
 * @see Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1.
 */
export function hardBound(unitRoundoff: number, terms: number, absolute: number, sum: number): number {
  return gamma(unitRoundoff, terms) * absolute + unitRoundoff * Math.abs(sum)
}

/** γ_K = Ku/(1 − Ku), the largest relative growth of an error in K roundings. */
export function gamma(unitRoundoff: number, terms: number): number {
  const x = terms * unitRoundoff
  return x < 1 ? x / (1 - x) : Number.POSITIVE_INFINITY
}
