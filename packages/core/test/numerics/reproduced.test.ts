import { describe, expect, it } from 'vitest'
import { type EntryCheck, entryResult } from '../../src/numerics/entry.ts'
import { identityEpilogue, type NumericEpilogue } from '../../src/numerics/epilogue.ts'
import { profiles } from '../../src/numerics/profile.ts'
import { projectMatrix } from '../../src/numerics/project.ts'
import { checkReproducedEntry, reproducedSum } from '../../src/numerics/reproduced.ts'
import { checkRow } from '../../src/numerics/row.ts'
import { engines } from './engines.ts'
import { gaussian, preparedColumns, type RowProblem } from './families.ts'
import { testRandom } from './random.ts'

const { fround } = Math

function judge({ a, b }: Pick<RowProblem, 'a' | 'b'>, claimed: number, epilogue: Partial<NumericEpilogue> = {}) {
  const check: EntryCheck = { a, b, profile: profiles.exact, epilogue: { ...identityEpilogue, ...epilogue } }
  const result = entryResult()
  checkReproducedEntry(check, 0, claimed, result)
  return result
}

/** The next float32. */
function nextUp(x: number): number {
  const floats = Float32Array.of(x)
  const bits = new Int32Array(floats.buffer)
  bits[0]! += x > 0 ? 1 : -1
  return floats[0]!
}

describe('a reproduced entry', () => {
  const problem = gaussian.make(testRandom(1), 500, 1)
  const honest = reproducedSum(problem.a, problem.columns, 0)

  it('is one float32 and no other', () => {
    expect(judge(problem, honest)).toMatchObject({ outcome: 'accept', bound: 0, recomputed: honest })
    expect(judge(problem, nextUp(honest))).toMatchObject({ outcome: 'reject', reason: 'reproduction' })
    for (const claimed of [Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(judge(problem, claimed)).toMatchObject({ outcome: 'reject', reason: 'non-finite' })
    }
  })

  it('tells orders of summation apart', () => {
    const { normal } = testRandom(2)
    let same = 0
    for (let i = 0; i < 100; i++) {
      const a = Float64Array.from({ length: 500 }, () => fround(normal()))
      if (engines[0]!.dot(a, problem.columns, 0) === reproducedSum(a, problem.columns, 0)) same++
    }
    expect(same).toBeLessThan(30)
  })

  it('adds the bias to the rounded sum and rectifies', () => {
    const bias = fround(0.3)
    const x = fround(honest + bias)
    const [low, high] = [Math.min(x, 0), Math.max(x, 0)]
    expect(judge(problem, x, { bias: Float64Array.of(bias) }).outcome).toBe('accept')
    expect(judge(problem, high, { bias: Float64Array.of(bias), activation: { name: 'relu' } }).outcome).toBe('accept')
    expect(judge(problem, low, { bias: Float64Array.of(bias), activation: { name: 'relu' } }).outcome).toBe('reject')
    expect(judge(problem, nextUp(x), { bias: Float64Array.of(bias) }).outcome).toBe('reject')
  })

  it('has the tolerance of float32 where an activation rounds on its own', () => {
    const value = 1 / (1 + Math.exp(-honest))
    const sigmoid = { activation: { name: 'sigmoid' } } as const
    expect(judge(problem, fround(value), sigmoid).outcome).toBe('accept')
    expect(judge(problem, fround(value) + 1e-4, sigmoid).outcome).toBe('reject')
  })

  it('says nothing where the sum overflows', () => {
    const columns = Float32Array.of(3e38, 3e38)
    const big = { a: Float64Array.of(1, 1), b: preparedColumns(columns, 2, 1) }
    expect(judge(big, Number.POSITIVE_INFINITY)).toMatchObject({ outcome: 'guard', reason: 'overflow' })
  })
})

describe('a reproduced row', () => {
  it('leaves no room to an inflated A', () => {
    const random = testRandom(3)
    const [k, n] = [64, 80]
    // The last two rows of B are the same, so that what one term adds the other takes.
    const columns = gaussian.make(random, k, n).columns
    for (let j = 0; j < n; j++) columns[j * k + k - 1] = columns[j * k + k - 2]!
    const b = preparedColumns(columns, k, n)
    const a = Float64Array.from({ length: k }, () => fround(random.normal()))
    a[k - 2] = 1e6
    a[k - 1] = -1e6
    const c = Float64Array.from({ length: n }, (_, j) => reproducedSum(a, columns, j * k))
    const row = { a, b, c, profile: profiles.exact, epilogue: identityEpilogue }
    const wrong = { ...row, c: c.map((value, j) => (j === 5 ? value + 0.1 : value)) }
    expect(checkRow(row).outcome).toBe('accept')
    expect(checkRow(wrong).outcome).toBe('reject')
    // The vectors have the tolerance of float32, so that a row of which they must speak is guarded.
    const xs = [Float64Array.from({ length: n }, () => 2 * random.uniform() - 1)]
    const request = { entries: Uint32Array.of(40), vectors: projectMatrix(b, xs) }
    expect(checkRow(wrong, request)).toMatchObject({ outcome: 'guard', guard: 'cancellation' })
  })
})
