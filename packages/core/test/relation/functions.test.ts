import { describe, expect, test } from 'vitest'
import { binaryNames } from '../../src/relation/derivation.ts'
import {
  binary,
  type Estimate,
  erf,
  largest,
  mean,
  normalize,
  softmax,
  sum,
  unary,
} from '../../src/relation/functions.ts'
import { testRandom } from '../numerics/random.ts'

const { fround } = Math
const estimate = (value = 0, error = 0): Estimate => ({ value, error })

/** Operands that engines have, with errors of their own: `engine` lies within `error` of `value`. */
function operands(seed: number, count: number, scale: number, relativeError: number) {
  const random = testRandom(seed)
  return Array.from({ length: count }, () => {
    const engine = fround(scale * random.normal())
    const value = engine * (1 + relativeError * Math.sin(1e6 * engine))
    return { engine, value, error: Math.abs(engine - value) }
  })
}

const scales = [1e-30, 1e-3, 1, 30, 1e5] as const

describe.each(scales)('values of about %d', (scale) => {
  test.each(binaryNames)('%s of float32 is within its bound, which is not much wider', (name) => {
    const [xs, ys] = [operands(1, 500, scale, 1e-6), operands(2, 500, scale, 1e-6)]
    const inFloat32 = {
      add: (x: number, y: number) => fround(x + y),
      subtract: (x: number, y: number) => fround(x - y),
      multiply: (x: number, y: number) => fround(x * y),
      divide: (x: number, y: number) => fround(x / y),
      maximum: Math.max,
      minimum: Math.min,
    }[name]
    const out = estimate()
    for (const [i, x] of xs.entries()) {
      const y = ys[i]!
      binary(name, x, y, out)
      const distance = Math.abs(inFloat32(x.engine, y.engine) - out.value)
      if (!Number.isFinite(out.error)) continue
      expect(distance).toBeLessThanOrEqual(out.error)
      const sizes =
        name === 'multiply' || name === 'divide' ? Math.abs(out.value) : Math.abs(x.value) + Math.abs(y.value)
      expect(out.error).toBeLessThan(1e-5 * sizes + 1e-37)
    }
  })

  test('functions of float32 are within their bounds', () => {
    const functions = {
      negate: (x: number) => -x,
      abs: Math.abs,
      square: (x: number) => fround(x * x),
      sqrt: (x: number) => fround(Math.sqrt(x)),
      reciprocal: (x: number) => fround(1 / x),
      exp: (x: number) => fround(Math.exp(x)),
      log: (x: number) => fround(Math.log(x)),
      erf: roughErf,
      tanh: (x: number) => fround(Math.tanh(x)),
      sigmoid: (x: number) => fround(1 / fround(1 + fround(Math.exp(-x)))),
    }
    const out = estimate()
    for (const [name, inFloat32] of Object.entries(functions)) {
      for (const x of operands(3, 300, scale, 1e-6)) {
        const isRoot = name === 'sqrt' || name === 'log'
        const sign = isRoot && x.engine < 0 ? -1 : 1
        unary(name as keyof typeof functions, estimate(sign * x.value, x.error), out)
        const result = inFloat32(sign * x.engine)
        if (Number.isFinite(out.error)) expect(Math.abs(result - out.value), name).toBeLessThanOrEqual(out.error)
        else expect(Math.abs(result) > 1e37 || Math.abs(x.engine) < 1e-20, name).toBe(true)
      }
    }
  })
})

test('erf is that of the tables', () => {
  // Abramowitz and Stegun, table 7.1.
  const table = { 0: 0, 0.1: 0.1124629160182849, 0.5: 0.5204998778130465, 1: 0.8427007929497149, 2: 0.9953222650189527 }
  for (const [x, value] of Object.entries(table)) {
    expect(erf(Number(x))).toBeCloseTo(value, 14)
    expect(erf(-Number(x))).toBeCloseTo(-value, 14)
  }
  expect(erf(5.9)).toBe(1)
  expect([erf(7), erf(Number.NEGATIVE_INFINITY), erf(Number.NaN)]).toEqual([1, -1, Number.NaN])
})

describe.each([3, 64, 1000])('%d elements together', (n) => {
  test.each([0, 50, 1000])('in float32, in any order, around %d', (offset) => {
    const xs = operands(n + offset, n, 3, 1e-7).map((x) => ({ ...x, engine: fround(x.engine + offset) }))
    const values = Float64Array.from(xs, ({ engine }) => engine)
    const errors = new Float64Array(n)
    const out = estimate()
    const orders = [xs, [...xs].reverse(), [...xs].sort((a, b) => a.engine - b.engine)]
    for (const order of orders) {
      const total = order.reduce((partial, { engine }) => fround(partial + engine), 0)
      sum(values, errors, out)
      expect(Math.abs(total - out.value)).toBeLessThanOrEqual(out.error)
      mean(values, errors, out)
      expect(Math.abs(fround(total / n) - out.value)).toBeLessThanOrEqual(out.error)
      expect(out.error).toBeLessThan(1e-4 * (offset + 3))
    }
    largest(values, errors, out)
    expect(out).toEqual({ value: Math.max(...values), error: 0 })
  })

  test.each([0.1, 3, 40])('softmax of scores of about %d', (scale) => {
    const scores = operands(n, n, scale, 0).map(({ engine }) => engine)
    const values = Float64Array.from(scores)
    const errors = new Float64Array(n)
    softmax(values, errors)
    const top = Math.max(...scores)
    const terms = scores.map((score) => fround(Math.exp(fround(score - top))))
    const total = terms.reduce((partial, term) => fround(partial + term), 0)
    for (const [i, term] of terms.entries()) {
      const claimed = fround(term / total)
      expect(Math.abs(claimed - values[i]!)).toBeLessThanOrEqual(errors[i]!)
      expect(errors[i]!).toBeLessThan(1e-3 * values[i]! + 1e-30)
    }
  })

  test.each([
    [1, 0],
    [1, 100],
    [1e-3, 0],
  ])('normalisation of values of about %d around %d, in one pass and in two', (scale, offset) => {
    const xs = operands(n, n, scale, 0).map(({ engine }) => fround(engine + offset))
    const epsilon = 1e-5
    const values = Float64Array.from(xs)
    const errors = new Float64Array(n)
    normalize(values, errors, epsilon, true)
    const middle = fround(xs.reduce((a, b) => fround(a + b), 0) / n)
    const squares = fround(xs.reduce((a, b) => fround(a + fround(b * b)), 0) / n)
    const deviations = fround(xs.reduce((a, b) => fround(a + fround(fround(b - middle) ** 2)), 0) / n)
    for (const variance of [Math.max(0, fround(squares - fround(middle * middle))), deviations]) {
      const deviation = fround(Math.sqrt(fround(variance + epsilon)))
      for (const [i, x] of xs.entries()) {
        const claimed = fround(fround(x - middle) / deviation)
        expect(Math.abs(claimed - values[i]!)).toBeLessThanOrEqual(errors[i]!)
      }
    }
    if (offset === 0 && scale === 1) expect(Math.max(...errors)).toBeLessThan(1e-3)
  })
})

test('the root mean square alone is not centred', () => {
  const values = Float64Array.of(3, 4, 0, 0)
  normalize(values, new Float64Array(4), 0, false)
  expect(Array.from(values)).toEqual([1.2, 1.6, 0, 0])
})

describe('masks', () => {
  test.each([Number.NEGATIVE_INFINITY, -3.4028234663852886e38])(
    '%d leaves the scores that are not masked exact',
    (mask) => {
      const masked = estimate()
      binary('add', estimate(2.5), estimate(mask), masked)
      const values = Float64Array.of(1, masked.value, 0.5)
      const errors = Float64Array.of(0, masked.error, 0)
      softmax(values, errors)
      expect(values[1]).toBe(0)
      expect(values[0]).toBeCloseTo(1 / (1 + Math.exp(-0.5)), 12)
      for (const error of errors) expect(error).toBeLessThan(1e-5)
    },
  )
})

test('nothing is known of what overflows float32, or of what is divided by nothing', () => {
  const out = estimate()
  binary('multiply', estimate(1e30), estimate(1e30), out)
  expect(out.error).toBe(Number.POSITIVE_INFINITY)
  binary('divide', estimate(1), estimate(1e-8, 1e-7), out)
  expect(out.error).toBe(Number.POSITIVE_INFINITY)
  unary('exp', estimate(100), out)
  expect(out.error).toBe(Number.POSITIVE_INFINITY)
  unary('log', estimate(1e-9, 1e-8), out)
  expect(out.error).toBe(Number.POSITIVE_INFINITY)
})

/** As TensorFlow.js computes it: Abramowitz and Stegun, 7.1.26, in float32. */
function roughErf(x: number): number {
  const t = fround(1 / fround(1 + fround(0.3275911 * Math.abs(x))))
  const series = [1.061405429, -1.453152027, 1.421413741, -0.284496736, 0.254829592].reduce(
    (partial, factor) => fround(fround(partial * t) + fround(factor)),
    0,
  )
  return fround(Math.sign(x) * fround(1 - fround(fround(series * t) * fround(Math.exp(fround(-x * x))))))
}
