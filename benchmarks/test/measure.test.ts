import { describe, expect, test } from 'vitest'
import { compare, interleave, medianInterval, seededRandom, spread } from '../src/measure.ts'

const tenths = (n: number) => Array.from({ length: n }, (_, i) => (i + 1) / 10)

describe('spread', () => {
  test('is the median and the quartiles, between values where it has to be', () => {
    expect(spread([5, 1, 3, 2, 4])).toEqual({ lower: 2, median: 3, upper: 4 })
    expect(spread([10, 20])).toEqual({ lower: 12.5, median: 15, upper: 17.5 })
    expect(spread([7])).toEqual({ lower: 7, median: 7, upper: 7 })
  })

  test('orders by value, not by text', () => {
    expect(spread([100, 9, 10]).median).toBe(10)
  })

  test('refuses an empty sample', () => {
    expect(() => spread([])).toThrow(RangeError)
  })
})

describe('medianInterval', () => {
  // P(Bin(n, ½) < j) from tables of the sign test.
  test.each([
    [6, 1, 0.96875],
    [8, 1, 0.9921875],
    [9, 2, 0.9609375],
    [12, 3, 0.96142578125],
    [20, 6, 0.9586105346679688],
  ])('of %i values is from the %i-th smallest to the %2$i-th largest', (n, j, confidence) => {
    const result = medianInterval(tenths(n).reverse())
    expect(result.interval).toEqual([j / 10, (n - j + 1) / 10])
    expect(result.confidence).toBeCloseTo(confidence, 12)
  })

  test('of fewer than 6 values is their range and admits that it says less', () => {
    expect(medianInterval([3, 1, 2])).toEqual({ interval: [1, 3], confidence: 0.75 })
  })

  test('covers the true median as often as it says', () => {
    const random = seededRandom(1)
    const trials = 4000
    let covered = 0
    for (let i = 0; i < trials; i++) {
      // Skewed, as timings are; the median of an exponential distribution is ln 2.
      const { interval } = medianInterval(Array.from({ length: 12 }, () => -Math.log(1 - random())))
      if (interval[0] <= Math.LN2 && Math.LN2 <= interval[1]) covered++
    }
    // 0.9614 ± 4 standard errors.
    expect(Math.abs(covered / trials - 0.96143)).toBeLessThan(0.0122)
  })
})

describe('compare', () => {
  const baseline = [100, 102, 98, 101, 99, 100, 103, 97]

  test('sees a slowdown that is smaller than what the machine drifts', () => {
    const drifting = [100, 120, 140, 160, 180, 200, 220, 240]
    const { relative, outcome } = compare(
      drifting,
      drifting.map((value) => value * 1.05),
    )
    expect(relative.median).toBeCloseTo(0.05, 10)
    expect(outcome).toBe('slower')
  })

  test('calls a speed-up one', () => {
    expect(
      compare(
        baseline,
        baseline.map((value) => value * 0.9),
      ).outcome,
    ).toBe('faster')
  })

  test('says when a difference is within noise', () => {
    const other = baseline.map((value, i) => value * (i % 2 === 0 ? 1.03 : 0.98))
    expect(compare(baseline, other).outcome).toBe('within noise')
  })

  test('credits nothing below the floor', () => {
    const slower = baseline.map((value) => value * 1.01)
    expect(compare(baseline, slower, 0.005).outcome).toBe('slower')
    expect(compare(baseline, slower, 0.02).outcome).toBe('within noise')
  })

  test('refuses samples that are no pairs', () => {
    expect(() => compare(baseline, baseline.slice(1))).toThrow(/8.*got 7/)
    expect(() => compare([1], [1])).toThrow(RangeError)
  })
})

describe('interleave', () => {
  async function orders(rounds: number, warmUps: number): Promise<{ order: string[]; samples: Map<string, number[]> }> {
    const order: string[] = []
    const arms = ['a', 'b', 'c'].map((name) => ({
      name,
      async sample() {
        order.push(name)
        return order.length
      },
    }))
    return { order, samples: await interleave(arms, { rounds, warmUps, random: seededRandom(3) }) }
  }

  test('runs every arm once in each round, and not always in the same order', async () => {
    const { order } = await orders(20, 0)
    const rounds = Array.from({ length: 20 }, (_, i) => order.slice(3 * i, 3 * i + 3))
    for (const round of rounds) expect(round.toSorted()).toEqual(['a', 'b', 'c'])
    expect(new Set(rounds.map((round) => round.join(''))).size).toBe(6)
  })

  test('keeps the samples of a round at the same place, and drops those of warm-ups', async () => {
    const { samples } = await orders(4, 2)
    for (const values of samples.values()) {
      expect(values.map((value) => Math.ceil(value / 3))).toEqual([3, 4, 5, 6])
    }
  })

  test('refuses two arms of one name', async () => {
    const arm = { name: 'same', sample: async () => 0 }
    await expect(interleave([arm, arm], { rounds: 1, random: seededRandom(1) })).rejects.toThrow(/same name/)
  })
})

test('seededRandom repeats itself for the same seed only, and stays on [0, 1)', () => {
  const draw = (seed: number) => Array.from({ length: 1000 }, seededRandom(seed))
  expect(draw(5)).toEqual(draw(5))
  expect(draw(5)).not.toEqual(draw(6))
  expect(draw(5).every((value) => value >= 0 && value < 1)).toBe(true)
  expect(draw(5).reduce((sum, value) => sum + value) / 1000).toBeCloseTo(0.5, 1)
})
