import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { drawWithoutReplacement } from '../../src/random/draw.ts'
import { randomStream } from '../../src/random/stream.ts'
import { cleanUpperBound, drawDetection, sessionDetection } from '../../src/sampling/detection.ts'

function choose(n: number, k: number): bigint {
  if (k < 0 || k > n) return 0n
  let result = 1n
  for (let i = 0; i < k; i++) result = (result * BigInt(n - i)) / BigInt(i + 1)
  return result
}

/** a/b to 25 digits, then to float64. */
const ratio = (a: bigint, b: bigint) => Number((a * 10n ** 40n) / b) / 1e40

const relativeError = (actual: number, exact: number) => (actual === exact ? 0 : Math.abs(actual / exact - 1))

const sizes = fc.integer({ min: 1, max: 300 }).chain((n) => fc.tuple(fc.constant(n), fc.nat(n), fc.nat(n)))

describe('drawDetection', () => {
  test('is 1 − C(N − K, r)/C(N, r), to twelve digits', () => {
    fc.assert(
      fc.property(sizes, ([n, bad, drawn]) => {
        const all = choose(n, drawn)
        const exact = ratio(all - choose(n - bad, drawn), all)
        expect(relativeError(drawDetection(n, bad, drawn), exact)).toBeLessThan(1e-12)
      }),
      { seed: 8, numRuns: 300 },
    )
  })

  test('is exact at the ends', () => {
    expect(drawDetection(10, 0, 10)).toBe(0)
    expect(drawDetection(10, 10, 0)).toBe(0)
    expect(drawDetection(0, 0, 0)).toBe(0)
    expect(drawDetection(10, 1, 10)).toBe(1)
    expect(drawDetection(10, 7, 4)).toBe(1)
    expect(drawDetection(10, 10, 1)).toBe(1)
  })

  test('keeps its digits where the probability is tiny or the numbers are large', () => {
    expect(relativeError(drawDetection(2 ** 32, 1, 1), 2 ** -32)).toBeLessThan(1e-15)
    expect(relativeError(drawDetection(10 ** 9, 1, 10 ** 6), 1e-3)).toBeLessThan(1e-12)
    expect(drawDetection(2 ** 32, 2 ** 31, 2 ** 31)).toBe(1)
    expect(drawDetection(2 ** 32, 2 ** 21, 2 ** 21)).toBe(1)
  })

  test.each([
    [10, 11, 1],
    [10, 1, 11],
    [10, -1, 1],
    [10, 0.5, 1],
    [Number.NaN, 1, 1],
    [2 ** 32 + 1, 1, 1],
  ])('refuses %d, %d, %d', (...counts) => {
    expect(() => drawDetection(...(counts as [number, number, number]))).toThrow(RangeError)
  })
})

describe('sessionDetection', () => {
  test('is 1 − Σ Hyp(j; N, K, q)·(1 − p)ʲ', () => {
    fc.assert(
      fc.property(sizes, fc.nat(1000), ([operations, cheated, audited], p) => {
        const scale = 1000n
        let missed = 0n
        let power = scale ** BigInt(operations)
        for (let j = 0; j <= Math.min(cheated, audited); j++) {
          missed += choose(cheated, j) * choose(operations - cheated, audited - j) * power
          power = (power * (scale - BigInt(p))) / scale
        }
        const all = choose(operations, audited) * scale ** BigInt(operations)
        const actual = sessionDetection({ operations, cheated, audited, detection: p / 1000 })
        expect(relativeError(actual, ratio(all - missed, all))).toBeLessThan(1e-11)
      }),
      { seed: 9, numRuns: 200 },
    )
  })

  test('is drawDetection where an audit always notices, and linear in p for one operation', () => {
    fc.assert(
      fc.property(sizes, ([operations, cheated, audited]) => {
        const session = sessionDetection({ operations, cheated, audited, detection: 1 })
        expect(session).toBeCloseTo(drawDetection(operations, cheated, audited), 12)
        expect(sessionDetection({ operations, cheated, audited, detection: 0 })).toBe(0)
      }),
      { seed: 10 },
    )
    expect(sessionDetection({ operations: 1, cheated: 1, audited: 1, detection: 0.25 })).toBeCloseTo(0.25, 15)
  })

  test('agrees with simulated sessions', () => {
    const session = { operations: 40, cheated: 6, audited: 10, detection: 0.3 }
    const stream = randomStream(new Uint8Array(32))
    const runs = 20_000
    let noticed = 0
    for (let i = 0; i < runs; i++) {
      const hits = drawWithoutReplacement(stream, session.audited, session.operations).filter(
        (op) => op < session.cheated,
      )
      if (hits.some(() => (stream.signedUnit() + 1) / 2 < session.detection)) noticed++
    }
    const p = sessionDetection(session)
    expect(Math.abs(noticed - runs * p)).toBeLessThan(4.5 * Math.sqrt(runs * p * (1 - p)))
  })

  test('stands large sessions', () => {
    const p = sessionDetection({ operations: 10 ** 7, cheated: 10 ** 5, audited: 10 ** 5, detection: 1e-6 })
    expect(p).toBeCloseTo(1 - Math.exp(-1e-3), 6)
    expect(sessionDetection({ operations: 2 ** 32, cheated: 2 ** 32, audited: 2 ** 32, detection: 0.5 })).toBe(1)
  })

  test.each([
    { cheated: 11 },
    { audited: 11 },
    { operations: -1 },
    { detection: 1.1 },
    { detection: -0.1 },
    { detection: Number.NaN },
    { cheated: 0.5 },
  ])('refuses %j', (bad) => {
    const session = { operations: 10, cheated: 1, audited: 1, detection: 0.5, ...bad }
    expect(() => sessionDetection(session)).toThrow(new RegExp(`${Object.values(bad)[0]}`))
  })
})

describe('cleanUpperBound', () => {
  test.each([
    [16, 0.95, 0.171],
    [64, 0.95, 0.0457],
    [256, 0.95, 0.0116],
    [1024, 0.95, 0.00292],
    [64, 0.99, 0.0694],
  ])('%d clean units bound the bad fraction at %d by %d', (samples, confidence, bound) => {
    expect(relativeError(cleanUpperBound(samples, confidence), bound)).toBeLessThan(3e-3)
  })

  test('is the fraction at which a clean result has probability α', () => {
    for (const samples of [1, 7, 1000, 10 ** 9]) {
      expect((1 - cleanUpperBound(samples, 0.95)) ** samples).toBeCloseTo(0.05, 6)
    }
  })

  test('bounds nothing without a sample', () => {
    expect(cleanUpperBound(0, 0.95)).toBe(1)
  })

  test.each([
    [-1, 0.95],
    [1.5, 0.95],
    [Number.POSITIVE_INFINITY, 0.95],
    [10, 0],
    [10, 1],
    [10, Number.NaN],
  ])('refuses %d samples at %d', (samples, confidence) => {
    expect(() => cleanUpperBound(samples, confidence)).toThrow(RangeError)
  })
})
