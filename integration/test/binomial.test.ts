import { expect, test } from 'vitest'
import { binomialInterval } from '../support/binomial.ts'

/** P(X >= from) for X binomial, summed from exact integers. */
function upperTail(from: number, trials: number, p: number): number {
  let sum = 0
  let coefficient = 1
  for (let i = 0; i <= trials; i++) {
    if (i >= from) sum += coefficient * p ** i * (1 - p) ** (trials - i)
    coefficient = (coefficient * (trials - i)) / (i + 1)
  }
  return sum
}

test.each([
  [1, 10],
  [7, 10],
  [25, 40],
])('%i of %i: each end is where the other tail has half of alpha', (successes, trials) => {
  const { low, high } = binomialInterval(successes, trials, 0.01)
  expect(upperTail(successes, trials, low)).toBeCloseTo(0.005, 9)
  expect(1 - upperTail(successes + 1, trials, high)).toBeCloseTo(0.005, 9)
})

test('nothing and everything', () => {
  const high = 1 - 0.005 ** (1 / 20)
  expect(binomialInterval(0, 20, 0.01)).toEqual({ low: 0, high: expect.closeTo(high, 9) })
  expect(binomialInterval(20, 20, 0.01)).toEqual({ low: expect.closeTo(1 - high, 9), high: 1 })
})

test('many trials', () => {
  const { low, high } = binomialInterval(2000, 10_000, 1e-6)
  // 4.9 standard deviations of √(0.2·0.8/10 000).
  expect(low).toBeCloseTo(0.2 - 4.9 * 0.004, 3)
  expect(high).toBeCloseTo(0.2 + 4.9 * 0.004, 3)
})

test('what is no proportion is refused', () => {
  expect(() => binomialInterval(3, 2, 0.01)).toThrow(
    new RangeError('expected integers 0 <= successes <= trials, got 3 of 2'),
  )
  expect(() => binomialInterval(1, 2, 1)).toThrow(RangeError)
})
