/** Largest rms of |e|/ν over many entries that an honest engine showed: sequential float32 sums of one sign. */
export const honestRmsRatio = 0.26

/**
 * Largest rms of |e|/ν over `entries` entries that an honest engine shows with probability 1 − `falsePositive`, on data
 * without structure: a tail bound for sums of sub-gamma variables,
 * 0.26²·(1 + 1.8·√(2x/N) + 2.34·x/N), x = ln(1/falsePositive).
 *
 * 1.8 is the standard deviation of (e/ν)² relative to its mean (√2 for normal errors; sums of products have heavier
 * tails), 2.34 its tail (2 for normal errors).
 *
 * @see Laurent and Massart, Adaptive estimation of a quadratic functional, Annals of Statistics 28(5), 2000, lemma 1.
 * @see Boucheron, Lugosi and Massart, Concentration Inequalities, 2013, section 2.4.
 */
export function honestRmsBound(entries: number, falsePositive = 1e-9): number {
  const x = -Math.log(falsePositive) / entries
  return honestRmsRatio * Math.sqrt(1 + 1.8 * Math.sqrt(2 * x) + 2.34 * x)
}
