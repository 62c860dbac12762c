/** An interval of probabilities. */
export interface Interval {
  readonly low: number
  readonly high: number
}

/**
 * Exact (Clopper–Pearson) confidence interval for the probability of an event that was seen `successes` times in `trials`
 * independent trials: it misses the true probability with probability at most `alpha`, whatever that is. Holds for
 * trials of different probability, too, as an interval for their mean (Hoeffding 1956: the equal case spreads most).
 *
 * @throws {RangeError} If the counts are not integers with 0 <= successes <= trials, or alpha is not between 0 and 1.
 */
export function binomialInterval(successes: number, trials: number, alpha: number): Interval {
  if (!Number.isInteger(trials) || !Number.isInteger(successes) || successes < 0 || successes > trials) {
    throw new RangeError(`expected integers 0 <= successes <= trials, got ${successes} of ${trials}`)
  }
  if (!(alpha > 0 && alpha < 1)) throw new RangeError(`alpha must be between 0 and 1, got ${alpha}`)
  const logPmf = binomialLogPmf(trials)
  const tail = (from: number, to: number, p: number) => {
    let sum = 0
    for (let i = from; i <= to; i++) sum += Math.exp(logPmf(i, p))
    return sum
  }
  const low = successes === 0 ? 0 : bisect((p) => tail(successes, trials, p) < alpha / 2)
  const high = successes === trials ? 1 : bisect((p) => tail(0, successes, p) >= alpha / 2)
  return { low, high }
}

/** ln P(X = i) for X binomial of `trials` and p. */
function binomialLogPmf(trials: number): (i: number, p: number) => number {
  const logFactorials = new Float64Array(trials + 1)
  for (let i = 1; i <= trials; i++) logFactorials[i] = logFactorials[i - 1]! + Math.log(i)
  return (i, p) =>
    logFactorials[trials]! -
    logFactorials[i]! -
    logFactorials[trials - i]! +
    (i === 0 ? 0 : i * Math.log(p)) +
    (i === trials ? 0 : (trials - i) * Math.log1p(-p))
}

/** Largest p for which `holds`, which is true below and false above. */
function bisect(holds: (p: number) => boolean): number {
  let [low, high] = [0, 1]
  for (let i = 0; i < 50; i++) {
    const middle = (low + high) / 2
    if (holds(middle)) low = middle
    else high = middle
  }
  return (low + high) / 2
}
