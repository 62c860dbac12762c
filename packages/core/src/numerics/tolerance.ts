import type { NumericProfile } from './profile.ts'

/** Largest finite float32. */
export const maxFloat32 = (2 - 2 ** -23) * 2 ** 127
/** Smallest normal float32, 2⁻¹²⁶: engines may flush anything smaller to zero. */
export const minNormalFloat32 = 2 ** -126

/**
 * ν/√(s₂² + c²), dimensionless: the scale of an engine's error relative to its sums, √(τ² + u²·(K + (3K/64)²)).
 *
 * - u·√K: rounding of the sums. Sequential summation is wrong by about u·(Σ_t S_t²)^½ over the partial sums S_t. Terms of
 *   random sign give ΣS_t² ≈ K·s₂²/2, terms of one sign K·c²/3; the scale covers both with an honest rms of at most 0.26,
 *   K = 1 (one rounding, at most u·|c| = 0.71·ν) included.
 * - 3uK/64, where tensor cores may be at work: these align the products of a block to the largest of them and the sum so
 *   far, cut off what lies below, and truncate the sum of the block to float32. A cut is biased towards zero by up to an
 *   ulp, 2u of the sum, each time, so that it grows as K and not as √K. An accepted ratio of 4 makes it 3u·K/16, three
 *   times the largest bias of one truncation for each 16 terms of one sign. Cores that cut more often exceed it where sums
 *   have one sign, and are told from cheats by emulating them.
 * - τ = 1.25·δ where operands are rounded to δ = 2⁻¹¹ first. To nearest, δ counts 0.42·2⁻¹¹ in the rms for each operand,
 *   0.6·2⁻¹¹·s₂ together; truncation is biased by 0.72·2⁻¹¹, 1.44·2⁻¹¹·|c| together. Four times the scale is 5·2⁻¹¹.
 *
 * @param terms - K, the number of terms and further roundings.
 * @see Higham and Mary, A new approach to probabilistic rounding error analysis, SIAM J. Sci. Comput. 41(5), 2019: √K.
 * @see Fasi, Higham, Mikaitis and Pranesh, Numerical behavior of NVIDIA tensor cores, PeerJ Computer Science 7:e330, 2021.
 * @see Blanchard, Higham, Lopez, Mary and Pranesh, Mixed precision block fused multiply-add, SIAM J. Sci. Comput. 42(3),
 *   2020.
 */
export function relativeScale({ unitRoundoff, truncates, operandRoundoff }: NumericProfile, terms: number): number {
  const blocks = truncates ? (3 * terms) / 64 : 0
  return Math.sqrt((1.25 * operandRoundoff) ** 2 + unitRoundoff ** 2 * (terms + blocks * blocks))
}

/**
 * Scale of the error of one sum, in the units of C: ν = {@link relativeScale}·√(s₂² + c²).
 *
 * @param squares - s₂² = Σp_t².
 * @param sum - c = Σp_t.
 */
export function errorScale(profile: NumericProfile, terms: number, squares: number, sum: number): number {
  return relativeScale(profile, terms) * Math.sqrt(squares + sum * sum)
}

/**
 * Bound that no order of summation breaks, with or without FMA: γ_K·s₁ + u·|c|, γ_K = Ku/(1 − Ku). Without underflow.
 *
 * A block of b products in a tensor core, all of them and the sum so far cut to the ulp of the largest and the result to
 * float32, loses up to (b + 2) ulp of 2u: at most 3u for each of its terms where b >= 4, so that K counts three times.
 * Operands that were cut to 10 bits of fraction change a product by up to 2·2δ + (2δ)² of it, δ = 2⁻¹¹.
 *
 * @param absolute - s₁ = Σ|p_t|.
 * @see Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., section 3.1.
 */
export function hardBound(profile: NumericProfile, terms: number, absolute: number, sum: number): number {
  const { unitRoundoff: u, truncates, operandRoundoff } = profile
  const cut = 2 * operandRoundoff
  const growth = gamma(u, truncates ? 3 * terms : terms)
  return (growth * (1 + cut) ** 2 + cut * (2 + cut)) * absolute + u * Math.abs(sum)
}

/** γ_K = Ku/(1 − Ku), the largest relative growth of an error in K roundings. */
export function gamma(unitRoundoff: number, terms: number): number {
  const x = terms * unitRoundoff
  return x < 1 ? x / (1 - x) : Number.POSITIVE_INFINITY
}
