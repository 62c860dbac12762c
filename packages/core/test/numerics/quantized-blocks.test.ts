import { describe, expect, it } from 'vitest'
import { identityEpilogue } from '../../src/numerics/epilogue.ts'
import { profiles } from '../../src/numerics/profile.ts'
import { quantizeRow, settleDoubt } from '../../src/numerics/quantized-blocks.ts'
import { checkRow } from '../../src/numerics/row.ts'
import { gaussian } from './families.ts'
import { testRandom } from './random.ts'

const { fround } = Math

describe('quantizeRow', () => {
  it('rounds each block to multiples of a 127th of its largest value', () => {
    const { a, doubt } = quantizeRow(Float64Array.of(127, 3.4, -3.6, 0, 1.2, 254, 5.6), 4)
    expect([...a]).toEqual([127, 3, -4, 0, 2, 254, 6])
    expect(doubt.terms).toHaveLength(0)
  })

  it('leaves a block of zeros alone', () => {
    expect([...quantizeRow(Float64Array.of(0, -0, 0, 127), 2).a]).toEqual([0, 0, 0, 127])
  })

  it('names the terms near a tie, and what the other choice adds', () => {
    const near = fround(2.5 * (1 + 2 ** -23))
    const { a, doubt } = quantizeRow(Float64Array.of(127, 2.5, 3.5, near, 2.51), 5)
    expect([...a]).toEqual([127, 2, 4, 3, 3])
    expect([...doubt.terms]).toEqual([1, 2, 3])
    expect([...doubt.steps]).toEqual([1, -1, -1])
  })

  it('doubts hardly any term of random data', () => {
    const { normal } = testRandom(1)
    const row = Float64Array.from({ length: 200_000 }, () => fround(normal()))
    expect(quantizeRow(row, 32).doubt.terms.length).toBeLessThan(20)
  })
})

describe('a row that was rounded to 8 bits', () => {
  const random = testRandom(2)
  const { b, columns, k, n } = gaussian.make(random, 256, 100)
  const row = Float64Array.from({ length: k }, () => fround(random.normal()))
  const largest = row.subarray(0, 32).reduce((most, x) => Math.max(most, Math.abs(x)), 0)
  // Three ties, give or take an ulp.
  for (const [t, quotient] of [
    [7, 20.5],
    [8, -3.5],
    [20, 100.5],
  ] as const) {
    row[t] = fround((largest / 127) * quotient)
  }
  const quantized = quantizeRow(row, 32)
  const { a, doubt } = quantized
  const multiply = (left: Float64Array) =>
    Float64Array.from({ length: n }, (_, j) => {
      let sum = 0
      for (let t = 0; t < k; t++) sum = fround(sum + left[t]! * columns[j * k + t]!)
      return sum
    })
  const check = (left: Float64Array, c: Float64Array) =>
    checkRow({ a: left, b, c, profile: profiles.float32, epilogue: identityEpilogue }).outcome

  it('is accepted whichever way its ties went', () => {
    expect([...doubt.terms]).toEqual([7, 8, 20])
    for (let choices = 0; choices < 8; choices++) {
      const engine = a.slice()
      for (const [i, t] of doubt.terms.entries()) if (choices & (1 << i)) engine[t]! += doubt.steps[i]!
      const c = multiply(engine)
      const settled = settleDoubt(quantized, b, c)
      expect(settled).toEqual(engine)
      expect(check(settled, c)).toBe('accept')
      expect(check(a, c)).toBe(choices === 0 ? 'accept' : 'reject')
    }
  })

  it('is rejected where the row was not rounded, or to fewer bits, or a term in no doubt went the other way', () => {
    const wrong = [
      row,
      a.map((value) => Math.round(value * 4) / 4),
      a.map((value, t) => (t === 5 ? value + largest / 127 : value)),
    ]
    for (const left of wrong) {
      const c = multiply(left)
      expect(check(settleDoubt(quantized, b, c), c)).toBe('reject')
    }
  })
})
