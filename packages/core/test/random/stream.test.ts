import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes } from '../../src/commitment/fields.ts'
import { randomStream } from '../../src/random/stream.ts'
import vectors from '../vectors/random.json' with { type: 'json' }
import { chiSquareDeviation, countBins } from './chi-square.ts'

const seed = hexToBytes(vectors.seed)

describe('randomStream', () => {
  test('is the keystream of RFC 8439, appendix A.1, test vectors 1 and 2', () => {
    expect(bytesToHex(randomStream(new Uint8Array(32)).bytes(128))).toBe(
      '76b8e0ada0f13d90405d6ae55386bd28bdd219b8a08ded1aa836efcc8b770dc7' +
        'da41597c5157488d7724e03fb8d84a376a43b8f41518a11cc387b669b2ee6586' +
        '9f07e7be5551387a98ba977c732d080dcb0f29a048e3656912c6533e32ee7aed' +
        '29b721769ce64e43d57133b074d839d531ed1f28510afb45ace10a1f4b794d6f',
    )
  })

  test('agrees with the frozen vectors', () => {
    const take = <T>(count: number, draw: () => T) => Array.from({ length: count }, draw)
    const stream = () => randomStream(seed)
    expect(bytesToHex(stream().bytes(400))).toBe(vectors.bytes)
    const [a, b] = [stream(), stream()]
    expect(take(8, () => a.uint32())).toEqual(vectors.uint32)
    expect(take(8, () => b.signedUnit())).toEqual(vectors.signedUnit)
    for (const { n, values } of vectors.below) {
      const c = stream()
      expect(take(values.length, () => c.below(n))).toEqual(values)
    }
  })

  test('agrees with the frozen vector of mixed calls', () => {
    const stream = randomStream(seed)
    const { first, uint32, below10, next, below, units } = vectors.mixed
    expect(bytesToHex(stream.bytes(3))).toBe(first)
    expect(stream.uint32()).toBe(uint32)
    expect(stream.below(10)).toBe(below10)
    expect(bytesToHex(stream.bytes(250))).toBe(next)
    expect([2 ** 32, 2 ** 31 + 1, 3, 1, 4000, 256].map((n) => stream.below(n))).toEqual(below)
    expect(units.map(() => stream.signedUnit())).toEqual(units)
  })

  test('does not depend on how the bytes are asked for', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(700), { maxLength: 12 }), (lengths) => {
        const stream = randomStream(seed)
        const total = lengths.reduce((sum, length) => sum + length, 0)
        const pieces = lengths.map((length) => stream.bytes(length))
        expect(concatBytes(pieces)).toEqual(randomStream(seed).bytes(total))
      }),
      { seed: 6 },
    )
  })

  test('does not alias the seed or what it returned', () => {
    const own = seed.slice()
    const stream = randomStream(own)
    own.fill(0)
    const first = stream.bytes(10)
    const copy = first.slice()
    stream.bytes(1000)
    expect(first).toEqual(copy)
    expect(bytesToHex(first)).toBe(vectors.bytes.slice(0, 20))
  })

  test('refuses seeds of another length, impossible lengths and ranges', () => {
    for (const length of [0, 16, 31, 33]) expect(() => randomStream(new Uint8Array(length))).toThrow(`got ${length}`)
    const stream = randomStream(seed)
    for (const length of [-1, 0.5, Number.NaN]) expect(() => stream.bytes(length)).toThrow(RangeError)
    for (const n of [0, -1, 1.5, 2 ** 32 + 1, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(() => stream.below(n)).toThrow(new RangeError(`expected an integer from 1 to 2^32, got ${n}`))
    }
  })
})

describe('below', () => {
  const samples = 60_000

  test.each([2, 3, 7, 64, 200, 1000])('is uniform below %d', (n) => {
    const stream = randomStream(seed)
    expect(Math.abs(chiSquareDeviation(countBins(n, samples, () => stream.below(n))))).toBeLessThan(4.5)
  })

  // Here the remainder of a uint32 would be below 2³⁰ half of the time, not a third.
  const large = 3 * 2 ** 30

  test('is uniform below 3·2³⁰', () => {
    const stream = randomStream(seed)
    const counts = countBins(3, samples, () => Math.floor(stream.below(large) / 2 ** 30))
    expect(Math.abs(chiSquareDeviation(counts))).toBeLessThan(4.5)
  })

  test('the test notices remainders', () => {
    const stream = randomStream(seed)
    const ofWords = countBins(3, samples, () => Math.floor((stream.uint32() % large) / 2 ** 30))
    expect(chiSquareDeviation(ofWords)).toBeGreaterThan(100)
    const ofBytes = countBins(200, samples, () => stream.bytes(1)[0]! % 200)
    expect(chiSquareDeviation(ofBytes)).toBeGreaterThan(100)
  })
})

describe('signedUnit', () => {
  const stream = randomStream(seed)
  const values = Array.from({ length: 50_000 }, () => stream.signedUnit())

  test('gives odd multiples of 2⁻²⁴ inside (−1, 1), exact in float32', () => {
    for (const x of values) {
      if (Math.abs(x) >= 1 || Math.fround(x) !== x || Math.abs((x * 2 ** 24) % 2) !== 1) throw new Error(`got ${x}`)
    }
  })

  test('is uniform, with mean 0 and variance 1/3', () => {
    let i = 0
    const counts = countBins(64, values.length, () => Math.floor((values[i++]! + 1) * 32))
    expect(Math.abs(chiSquareDeviation(counts))).toBeLessThan(4.5)
    const mean = values.reduce((sum, x) => sum + x, 0) / values.length
    const variance = values.reduce((sum, x) => sum + x * x, 0) / values.length
    expect(Math.abs(mean)).toBeLessThan(4.5 * Math.sqrt(1 / 3 / values.length))
    expect(Math.abs(variance - 1 / 3)).toBeLessThan(4.5 * Math.sqrt(4 / 45 / values.length))
  })

  test('fills arrays with the same numbers', () => {
    const target = new Float64Array(1000)
    randomStream(seed).fillSignedUnit(target)
    expect([...target]).toEqual(values.slice(0, 1000))
  })
})
