/**
 * ln C(N − K, r) / C(N, r): the logarithm of the probability that `drawn` of `population` things, drawn without
 * replacement, include none of the `bad` ones.
 *
 * The product Π (N − K − i)/(N − i) of min(K, r) factors is summed as logarithms, so that neither a probability near 1
 * nor one near 0 loses digits: the relative error is below 10⁻¹² for any size that a plan can have.
 */
function logMissProbability(population: number, bad: number, drawn: number): number {
  const [fewer, more] = bad < drawn ? [bad, drawn] : [drawn, bad]
  if (fewer === 0) return 0
  if (fewer + more > population) return Number.NEGATIVE_INFINITY
  let sum = 0
  // Beyond this the probability is 0 in float64.
  for (let i = 0; i < fewer && sum > -750; i++) sum += Math.log1p(-more / (population - i))
  return sum
}

/**
 * Probability that at least one of `bad` things is among `drawn` of `population`, drawn without replacement:
 * 1 − C(N − K, r)/C(N, r).
 *
 * @throws {RangeError} If the numbers are not integers >= 0, or `bad` or `drawn` exceeds `population`.
 *
 * @example
 * ```ts
 * drawDetection(4000, 200, 64) // 0.963: 5% of 4000 rows wrong, 64 drawn
 * ```
 */
export function drawDetection(population: number, bad: number, drawn: number): number {
  checkCount('population', population, 2 ** 32)
  checkCount('bad', bad, population)
  checkCount('drawn', drawn, population)
  return 0 - Math.expm1(logMissProbability(population, bad, drawn))
}

export interface SessionSampling {
  /** Operations of the session, N. */
  readonly operations: number
  /** Operations in which the prover cheated, K. */
  readonly cheated: number
  /** Operations audited, q, drawn uniformly without replacement. */
  readonly audited: number
  /** Probability that the audit of a cheated operation notices, p. */
  readonly detection: number
}

/**
 * Probability that a session notices: P = 1 − Σⱼ Hyp(j; N, K, q)·(1 − p)ʲ, where Hyp is the probability that j of the K
 * cheated operations are among the q audited.
 *
 * @throws {RangeError} If a count is not an integer >= 0 or exceeds `operations`, or `detection` is outside [0, 1].
 */
export function sessionDetection({ operations, cheated, audited, detection }: SessionSampling): number {
  checkCount('operations', operations, 2 ** 32)
  checkCount('cheated', cheated, operations)
  checkCount('audited', audited, operations)
  if (!(detection >= 0 && detection <= 1)) throw new RangeError(`detection must be from 0 to 1, got ${detection}`)

  const fewest = Math.max(0, audited + cheated - operations)
  const most = Math.min(cheated, audited)
  const mode = Math.min(most, Math.max(fewest, Math.floor(((audited + 1) * (cheated + 1)) / (operations + 2))))
  /** Hyp(j + 1)/Hyp(j). */
  const ratio = (j: number) => ((cheated - j) * (audited - j)) / ((j + 1) * (operations - cheated - audited + j + 1))
  /** 1 − (1 − p)ʲ */
  const noticed = (j: number) => (j === 0 ? 0 : 0 - Math.expm1(j * Math.log1p(-detection)))

  // Weights relative to the most likely j, which cannot underflow; their sum normalises them.
  const negligible = 2 ** -80
  let total = 1
  let sum = noticed(mode)
  for (let j = mode, weight = 1; j < most && weight > negligible; j++) {
    weight *= ratio(j)
    total += weight
    sum += weight * noticed(j + 1)
  }
  for (let j = mode, weight = 1; j > fewest && weight > negligible; j--) {
    weight /= ratio(j - 1)
    total += weight
    sum += weight * noticed(j - 1)
  }
  return sum / total
}

/**
 * Upper confidence bound on the fraction of bad units after `samples` independent ones were all good: 1 − α^(1/R) for
 * α = 1 − `confidence`. No sample bounds nothing: 1.
 *
 * @throws {RangeError} If `samples` is not an integer >= 0, or `confidence` is not between 0 and 1.
 *
 * @example
 * ```ts
 * cleanUpperBound(64, 0.95) // 0.046
 * ```
 */
export function cleanUpperBound(samples: number, confidence: number): number {
  checkCount('samples', samples, Number.MAX_SAFE_INTEGER)
  if (!(confidence > 0 && confidence < 1)) throw new RangeError(`confidence must be between 0 and 1, got ${confidence}`)
  return samples === 0 ? 1 : 0 - Math.expm1(Math.log1p(-confidence) / samples)
}

function checkCount(name: string, value: number, limit: number): void {
  if (!Number.isInteger(value) || value < 0 || value > limit) {
    throw new RangeError(`${name} must be an integer from 0 to ${limit}, got ${value}`)
  }
}
