/**
 * Largest rms of |e|/ν over `entries` entries that an honest engine shows with probability 1 − `falsePositive`, on data
 * without structure: a tail bound for sums of sub-gamma variables,
 * honestRms²·(1 + 1.8·√(2x/N) + 2.34·x/N), x = ln(1/falsePositive).
 *
 * 1.8 is the standard deviation of (e/ν)² relative to its mean (√2 for normal errors; sums of products have heavier
 * tails), 2.34 its tail (2 for normal errors).
 *
 * @param honestRms - What it is in the limit of many entries.
 * @see Laurent and Massart, Adaptive estimation of a quadratic functional, Annals of Statistics 28(5), 2000, lemma 1.
 * @see Boucheron, Lugosi and Massart, Concentration Inequalities, 2013, section 2.4.
 */
export function honestRmsBound(honestRms: number, entries: number, falsePositive = 1e-9): number {
  const x = -Math.log(falsePositive) / entries
  return honestRms * Math.sqrt(1 + 1.8 * Math.sqrt(2 * x) + 2.34 * x)
}

/**
 * Largest number of events that independent trials show with probability 1 − `falsePositive`, where `expected` is the sum
 * of their probabilities: E + √(2·E·x) + x/3, x = ln(1/falsePositive), from Bernstein's inequality.
 *
 * @see Boucheron, Lugosi and Massart, Concentration Inequalities, 2013, section 2.8.
 */
export function honestCountBound(expected: number, falsePositive = 1e-9): number {
  const x = -Math.log(falsePositive)
  return expected + Math.sqrt(2 * expected * x) + x / 3
}
