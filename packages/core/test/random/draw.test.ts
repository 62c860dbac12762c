import { hexToBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { drawWithoutReplacement } from '../../src/random/draw.ts'
import { type RandomStream, randomStream } from '../../src/random/stream.ts'
import vectors from '../vectors/random.json' with { type: 'json' }
import { chiSquareDeviation, countBins } from './chi-square.ts'

const seed = hexToBytes(vectors.seed)

/** All sets of three numbers below six. */
const subsets = Array.from({ length: 64 }, (_, bits) => [0, 1, 2, 3, 4, 5].filter((i) => bits & (1 << i)))
  .filter((set) => set.length === 3)
  .map(String)

function deviation(draw: (stream: RandomStream) => Uint32Array): number {
  const stream = randomStream(seed)
  return chiSquareDeviation(countBins(subsets.length, 20_000, () => subsets.indexOf(String(draw(stream)))))
}

describe('drawWithoutReplacement', () => {
  test.each(vectors.draws)('agrees with the frozen vector: $count of $n', ({ count, n, drawn }) => {
    expect([...drawWithoutReplacement(randomStream(seed), count, n)]).toEqual(drawn)
  })

  test('gives different numbers in range, ascending', () => {
    fc.assert(
      fc.property(fc.nat(300), fc.nat(300), fc.uint8Array({ minLength: 32, maxLength: 32 }), (a, b, key) => {
        const [count, n] = [Math.min(a, b), Math.max(a, b)]
        const drawn = [...drawWithoutReplacement(randomStream(key), count, n)]
        expect(drawn).toHaveLength(count)
        for (const [i, index] of drawn.entries()) expect(index > (drawn[i - 1] ?? -1) && index < n).toBe(true)
      }),
      { seed: 7 },
    )
  })

  test('makes every subset equally likely', () => {
    expect(Math.abs(deviation((stream) => drawWithoutReplacement(stream, 3, 6)))).toBeLessThan(4.5)
  })

  test('the test notices Floyd with a bound that is one too small', () => {
    const biased = (stream: RandomStream) =>
      drawWithoutReplacement({ ...stream, below: (n) => stream.below(Math.max(1, n - 1)) }, 3, 6)
    expect(deviation(biased)).toBeGreaterThan(100)
  })

  test('the test notices remainders', () => {
    const biased = (stream: RandomStream) =>
      drawWithoutReplacement({ ...stream, below: (n) => (stream.bytes(1)[0]! & 7) % n }, 3, 6)
    expect(deviation(biased)).toBeGreaterThan(100)
  })

  test('takes time and memory by what is drawn, not by what is drawn from', () => {
    expect(drawWithoutReplacement(randomStream(seed), 3, 2 ** 32)).toHaveLength(3)
  })

  test.each([
    [1, 0],
    [-1, 5],
    [6, 5],
    [1.5, 5],
    [Number.NaN, 5],
    [1, Number.NaN],
    [1, -1],
    [1, 2 ** 32 + 1],
  ])('refuses to draw %d of %d', (count, n) => {
    expect(() => drawWithoutReplacement(randomStream(seed), count, n)).toThrow(RangeError)
  })
})
