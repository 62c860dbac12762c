import { describe, expect, it } from 'vitest'
import { honestCountBound, honestRmsBound } from '../../src/numerics/aggregate.ts'
import { identityEpilogue } from '../../src/numerics/epilogue.ts'
import { type NumericProfile, profiles } from '../../src/numerics/profile.ts'
import { checkRow, type OpenedRow } from '../../src/numerics/row.ts'
import { judgeTogether } from '../../src/numerics/together.ts'
import { relativeScale } from '../../src/numerics/tolerance.ts'
import { allPositive, gaussian } from './families.ts'
import { withOperands } from './profiles.ts'
import { testRandom } from './random.ts'
import { float16 } from './rounding.ts'
import { v100 } from './tensor-cores.ts'

const results = (rows: readonly OpenedRow[]) => rows.map((opened) => ({ opened, ...checkRow(opened) }))

describe('errors that are each within their bound', () => {
  const random = testRandom(1)
  const [k, n] = [512, 64]
  const { b, columns } = gaussian.make(random, k, n)

  /** Rows whose errors are `multiple` of ν, of random sign. */
  function noisyRows(multiple: number, profile: NumericProfile = profiles.float32): OpenedRow[] {
    return Array.from({ length: 4 }, () => {
      const { a } = gaussian.make(random, k, 1)
      const c = Float64Array.from({ length: n }, (_, j) => {
        let [sum, squares] = [0, 0]
        for (let t = 0; t < k; t++) {
          const p = a[t]! * columns[j * k + t]!
          sum += p
          squares += p * p
        }
        const nu = relativeScale(profile, k) * Math.sqrt(squares + sum * sum)
        return sum + (random.uniform() < 0.5 ? -1 : 1) * multiple * nu
      })
      return { a, b, c, profile, epilogue: identityEpilogue }
    })
  }

  it.each([
    ['float32', 0.3],
    ['tf32', 1],
    ['bfloat16', 0.5],
  ] as const)('are wrong together where their rms is beyond what rounding shows: %s', (name, multiple) => {
    const honest = results(noisyRows(multiple, profiles[name]))
    const wrong = results(noisyRows(3.5, profiles[name]))
    for (const { outcome, escalations } of [...honest, ...wrong]) {
      expect({ outcome, escalations }).toEqual({ outcome: 'accept', escalations: 0 })
    }
    expect(judgeTogether(honest)).toBeUndefined()
    const found = judgeTogether(wrong)
    expect(found?.failure.reason).toBe('aggregate')
    expect(found?.failure.column).toBe(wrong[found!.row]!.largestAt)
  })

  it('are not judged where a row is guarded, or values are exact', () => {
    const wrong = results(noisyRows(3.5))
    expect(judgeTogether(wrong.map((row) => ({ ...row, guardedEntries: 1 })))).toBeUndefined()
    const exact = wrong.map((row) => ({ ...row, opened: { ...row.opened, profile: profiles.exact } }))
    expect(judgeTogether(exact)).toBeUndefined()
    expect(judgeTogether([])).toBeUndefined()
  })
})

describe('mismatches that an emulated engine explains', () => {
  it('are none of a cheat: sums of one sign in a tensor core', () => {
    const random = testRandom(2)
    const [k, n] = [4096, 60]
    const { b, columns } = withOperands(allPositive.make(random, k, n), float16)
    const rows = Array.from({ length: 12 }, (): OpenedRow => {
      const { a } = withOperands(allPositive.make(random, k, 1), float16)
      const c = Float64Array.from({ length: n }, (_, j) => float16(v100.dot(a, columns, j * k)))
      return { a, b, c, profile: profiles.float16, epilogue: { ...identityEpilogue, roundedTo: 'float16' } }
    })
    const judged = results(rows)
    const sum = (value: (row: (typeof judged)[0]) => number) => judged.reduce((total, row) => total + value(row), 0)
    expect(sum((row) => row.mismatches)).toBeGreaterThan(honestCountBound(sum((row) => row.expectedMismatches)))
    expect(judgeTogether(judged)).toBeUndefined()
  })
})

describe('the bounds of what chance shows', () => {
  it('are about those that simulation gave, and those of the formulas', () => {
    for (const [entries, rms] of [
      [32, 0.555],
      [160, 0.386],
      [512, 0.329],
      [2048, 0.294],
    ] as const) {
      expect(honestRmsBound(0.26, entries)).toBeCloseTo(rms, 2)
    }
    const x = Math.log(1e9)
    expect(honestCountBound(0)).toBeCloseTo(x / 3, 10)
    expect(honestCountBound(50)).toBeCloseTo(50 + Math.sqrt(100 * x) + x / 3, 10)
  })
})
