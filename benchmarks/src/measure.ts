/** Median and quartiles, in the unit of the sample. */
export interface Spread {
  readonly lower: number
  readonly median: number
  readonly upper: number
}

/** How an arm compares with the baseline, from the pairs of values that the same rounds gave. */
export interface Comparison {
  /** (arm − baseline)/baseline over the rounds, dimensionless. */
  readonly relative: Spread
  /** Interval of the median of these. */
  readonly interval: readonly [number, number]
  /** Probability that such an interval holds the true median: 0.95 or a little more, less with fewer than 6 rounds. */
  readonly confidence: number
  readonly outcome: 'slower' | 'faster' | 'within noise'
}

/** One way of doing the work that is measured. */
export interface Arm<S> {
  readonly name: string
  sample(): Promise<S>
}

export interface RoundOptions {
  readonly rounds: number
  /** Rounds that come first and are thrown away. */
  readonly warmUps?: number
  /** Uniform on [0, 1). */
  readonly random: () => number
  readonly onRound?: (round: number) => void
}

/**
 * Runs every arm once in each round, in an order drawn anew, so that a machine that gets slower or faster meanwhile
 * does the same to all of them.
 *
 * @returns The samples of each arm; equal positions are of the same round.
 */
export async function interleave<S>(
  arms: readonly Arm<S>[],
  { rounds, warmUps = 1, random, onRound }: RoundOptions,
): Promise<Map<string, S[]>> {
  const samples = new Map(arms.map(({ name }) => [name, [] as S[]]))
  if (samples.size < arms.length) throw new RangeError(`two arms have the same name: ${arms.map((a) => a.name)}`)
  for (let round = -warmUps; round < rounds; round++) {
    onRound?.(round)
    for (const arm of shuffled(arms, random)) {
      const sample = await arm.sample()
      if (round >= 0) samples.get(arm.name)!.push(sample)
    }
  }
  return samples
}

/** @throws {RangeError} If there are no values. */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) throw new RangeError('expected at least one value')
  const sorted = values.toSorted((a, b) => a - b)
  return { lower: quantile(sorted, 0.25), median: quantile(sorted, 0.5), upper: quantile(sorted, 0.75) }
}

/**
 * Compares round by round.
 *
 * A difference counts where the interval of its median leaves 0 out and the median is beyond `floor`, which is what the
 * baseline differs from itself.
 *
 * @param floor - Relative difference up to which everything is noise.
 * @throws {RangeError} If the arms do not have the same number of values, and at least two.
 */
export function compare(baseline: readonly number[], arm: readonly number[], floor = 0): Comparison {
  if (arm.length !== baseline.length || arm.length < 2) {
    throw new RangeError(
      `expected as many values as the baseline's ${baseline.length}, and 2 or more, got ${arm.length}`,
    )
  }
  const differences = arm.map((value, i) => (value - baseline[i]!) / baseline[i]!)
  const relative = spread(differences)
  const { interval, confidence } = medianInterval(differences)
  const isNoise = (interval[0] <= 0 && interval[1] >= 0) || Math.abs(relative.median) <= floor
  const outcome = isNoise ? 'within noise' : relative.median > 0 ? 'slower' : 'faster'
  return { relative, interval, confidence, outcome }
}

/**
 * Interval of the median between two order statistics, which assumes nothing about the distribution: of n values, the
 * j-th smallest and the j-th largest enclose the median with probability 1 − 2·P(Bin(n, ½) < j). The largest j that
 * leaves 95% is taken, and the extremes where none does.
 */
export function medianInterval(values: readonly number[]): {
  interval: readonly [number, number]
  confidence: number
} {
  const n = values.length
  const sorted = values.toSorted((a, b) => a - b)
  let term = 2 ** -n
  let below = term
  let j = 1
  for (;;) {
    term *= (n - j + 1) / j
    if (1 - 2 * (below + term) < 0.95) break
    below += term
    j++
  }
  return { interval: [sorted[j - 1]!, sorted[n - j]!], confidence: 1 - 2 * below }
}

/** A stream of uniform numbers on [0, 1) that `seed` determines: mulberry32. */
export function seededRandom(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

function shuffled<T>(items: readonly T[], random: () => number): T[] {
  const out = [...items]
  for (let i = out.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1))
    ;[out[i], out[j]] = [out[j]!, out[i]!]
  }
  return out
}

/** Between order statistics, linearly. */
function quantile(sorted: readonly number[], p: number): number {
  const position = p * (sorted.length - 1)
  const below = Math.floor(position)
  const value = sorted[below]!
  const next = sorted[below + 1] ?? value
  return value + (position - below) * (next - value)
}
