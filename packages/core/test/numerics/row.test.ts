import { describe, expect, test } from 'vitest'
import { identityEpilogue } from '../../src/numerics/epilogue.ts'
import { liftAccidentalGuards } from '../../src/numerics/guard.ts'
import { prepareMatrix } from '../../src/numerics/prepared.ts'
import { profiles } from '../../src/numerics/profile.ts'
import { projectMatrix } from '../../src/numerics/project.ts'
import { checkRow, type OpenedRow, type RowRequest, type RowResult } from '../../src/numerics/row.ts'
import { testRandom } from './random.ts'

const [k, n] = [48, 40]
const { normal, below } = testRandom(11)
const values = (length: number) => Float32Array.from({ length }, () => normal())
const elements = values(k * n)
const b = prepareMatrix({ bytes: new Uint8Array(elements.buffer), dtype: 'float32', k, n, transposed: false })
const a = Float64Array.from(values(k))
const xs = Array.from({ length: 2 }, () =>
  Float64Array.from({ length: n }, () => (2 * below(2 ** 24) + 1 - 2 ** 24) / 2 ** 24),
)
const vectors = projectMatrix(b, xs)

const c = Float64Array.from({ length: n }, (_, j) => {
  let sum = 0
  for (let t = 0; t < k; t++) sum = Math.fround(sum + Math.fround(a[t]! * elements[t * n + j]!))
  return sum
})
const row = (changes: Partial<OpenedRow> = {}): OpenedRow => ({
  a,
  b,
  c,
  profile: profiles.float32,
  epilogue: identityEpilogue,
  ...changes,
})
const changed = (column: number, value: number) => c.map((old, j) => (j === column ? value : old))
const drawn: RowRequest = { entries: Uint32Array.of(0, 1), vectors }

describe('vectors', () => {
  test('vouch for the entries that are not drawn', () => {
    const result = checkRow(row(), drawn)
    expect(result).toMatchObject({ outcome: 'accept', entries: 2, vectors: 2 })
    expect(result.visibleError).toBeLessThan(1e-3)
  })

  test('have the whole row recomputed where they trip', () => {
    const result = checkRow(row({ c: changed(30, c[30]! + 0.01) }), drawn)
    expect(result).toMatchObject({ outcome: 'reject', entries: n, failures: [{ column: 30, reason: 'hard-bound' }] })
  })

  test('trip over what is not a number', () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(checkRow(row({ c: changed(30, value) }), drawn).outcome).toBe('reject')
    }
  })

  test('see an error as small as they say', () => {
    const { visibleError } = checkRow(row(), drawn)
    const norm = Math.sqrt(c.reduce((sum, value) => sum + value * value, 0))
    // In one entry, so that nothing cancels.
    const result = checkRow(row({ c: changed(30, c[30]! + 2 * visibleError! * norm) }), drawn)
    expect(result.outcome).toBe('reject')
  })
})

describe('a row', () => {
  test('of which nothing was looked at says nothing', () => {
    const result = checkRow(row(), { entries: new Uint32Array(0) })
    expect(result).toMatchObject({ outcome: 'guard', guard: 'nothing-checked' })
  })

  test('has all its entries', () => {
    for (const wrong of [c.subarray(1), Float64Array.of(...c, 0)]) {
      expect(() => checkRow(row({ c: wrong }), drawn)).toThrow(RangeError)
    }
    expect(() => checkRow(row({ a: a.subarray(1) }), drawn)).toThrow(RangeError)
  })

  test('whose values cancel says nothing, unless it does so by chance', () => {
    // A and A·B of one magnitude, then A a million times as large with the same A·B: a multiple of what B takes to nothing.
    const column = prepareMatrix({
      bytes: new Uint8Array(Float32Array.of(1, -1, 1).buffer),
      dtype: 'float32',
      k: 3,
      n: 1,
      transposed: false,
    })
    const of = (...left: number[]) =>
      checkRow(row({ a: Float64Array.from(left), b: column, c: Float64Array.of(left[0]! - left[1]! + left[2]!) }))
    const inflated = of(2 ** 20, 2 ** 20, 1)
    expect(inflated).toMatchObject({ outcome: 'guard', guard: 'cancellation' })
    const usual = of(1, 0, 1)
    expect(usual.outcome).toBe('accept')
    const lifted = (results: RowResult[]) =>
      liftAccidentalGuards(results, profiles.float32).map(({ outcome }) => outcome)
    // All alike: nobody says how large the values should be.
    expect(lifted([inflated, inflated, inflated])).toEqual(['guard', 'guard', 'guard'])
    // Beside rows of the usual size, whose values are as large, inflation stays what it is.
    expect(lifted([usual, inflated, usual])).toEqual(['accept', 'guard', 'accept'])
    const small = of(1, 1, 2 ** -20)
    expect(small).toMatchObject({ outcome: 'guard', guard: 'cancellation' })
    expect(lifted([usual, small, usual])).toEqual(['accept', 'accept', 'accept'])
  })

  test('that is guarded for another reason stays so', () => {
    const infinite = checkRow(row({ a: a.map((value, t) => (t === 0 ? Number.POSITIVE_INFINITY : value)) }))
    expect(infinite.outcome).toBe('guard')
    const results = [checkRow(row()), infinite, checkRow(row())]
    expect(liftAccidentalGuards(results, profiles.float32)[1]).toMatchObject({
      outcome: 'guard',
      guard: infinite.guard,
    })
  })
})
