import { describe, expect, it } from 'vitest'
import { identityEpilogue } from '../../src/numerics/epilogue.ts'
import { profiles } from '../../src/numerics/profile.ts'
import { projectMatrix } from '../../src/numerics/project.ts'
import { checkRow, type OpenedRow } from '../../src/numerics/row.ts'
import { judgeTogether } from '../../src/numerics/together.ts'
import { gaussian, preparedColumns, type RowProblem } from './families.ts'
import { withOperands } from './profiles.ts'
import { testRandom } from './random.ts'
import { bfloat16, float16 } from './rounding.ts'

const epilogue = { ...identityEpilogue, roundedTo: 'bfloat16' } as const

function exactRow({ a, columns, k, n }: RowProblem): Float64Array {
  return Float64Array.from({ length: n }, (_, j) => a.reduce((sum, value, t) => sum + value * columns[j * k + t]!, 0))
}

function opened(problem: RowProblem, values: Float64Array): OpenedRow {
  return { a: problem.a, b: problem.b, c: values.map(bfloat16), profile: profiles.bfloat16, epilogue }
}

describe('results of 16 bits', () => {
  const problem = withOperands(gaussian.make(testRandom(1), 256, 400), bfloat16)
  const values = exactRow(problem)
  const scale = Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)

  it('are expected to be rounded correctly', () => {
    expect(checkRow(opened(problem, values))).toMatchObject({ outcome: 'accept', mismatches: 0, largestRatio: 0 })
  })

  it('show in their smallest entries what rounding hides in the others', () => {
    // An eighth of the spacing of typical values, and many times that of the smallest.
    const shifted = values.map((value) => value + scale * 2 ** -11)
    const wrong = opened(problem, shifted)
    const entries = Uint32Array.from(values.keys()).filter((j) => bfloat16(values[j]!) === bfloat16(shifted[j]!))
    expect(entries.length).toBeGreaterThan(200)
    expect(checkRow(wrong, { entries })).toMatchObject({ outcome: 'accept' })
    const { outcome, failures } = checkRow(wrong, { entries, smallest: 5 })
    expect(outcome).toBe('reject')
    expect(failures.every(({ claimed }) => Math.abs(claimed) < scale / 10)).toBe(true)
    // One in 20 at most, so that a short row is not recomputed in full.
    expect(checkRow(opened(problem, values), { entries: Uint32Array.of(7), smallest: 64 }).entries).toBeLessThan(22)
  })

  it('are judged by how many are not rounded correctly, where no error is large', () => {
    const long = withOperands(gaussian.make(testRandom(2), 2048, 200), bfloat16)
    const sums = exactRow(long)
    const size = Math.sqrt(sums.reduce((total, value) => total + value * value, 0) / 200)
    const { uniform } = testRandom(3)
    // Errors just below the tolerance 4ν, of which rounding leaves little to see.
    const nu = 2 ** -24 * Math.sqrt(2048 + 96 ** 2) * size
    const rows = [0.3, 3.9].map((multiple) =>
      Array.from({ length: 25 }, () => {
        const row = opened(
          long,
          sums.map((value) => value + (uniform() < 0.5 ? -1 : 1) * multiple * nu),
        )
        return { opened: row, ...checkRow(row) }
      }),
    )
    const [honest, wrong] = rows as [(typeof rows)[0], (typeof rows)[0]]
    for (const { outcome } of [...honest, ...wrong]) expect(outcome).toBe('accept')
    expect(judgeTogether(honest)).toBeUndefined()
    expect(judgeTogether(wrong)?.failure.reason).toBe('aggregate')
    // It is their number that tells: the rms of what rounding leaves is within its bound.
    expect(judgeTogether(wrong.map((row) => ({ ...row, mismatches: 0 })))).toBeUndefined()
  })

  it('have the rounding in the bound of a vector, and nothing else', () => {
    const { uniform } = testRandom(3)
    const xs = [0, 1].map(() => Float64Array.from({ length: 400 }, () => 2 * uniform() - 1))
    const vectors = projectMatrix(problem.b, xs)
    const request = { entries: Uint32Array.of(0), vectors }
    expect(checkRow(opened(problem, values), request)).toMatchObject({ outcome: 'accept', entries: 1 })
    const wrong = values.slice()
    wrong[333]! += scale / 2
    expect(checkRow(opened(problem, wrong), request)).toMatchObject({ outcome: 'reject', entries: 400 })
    // The same row, claimed to be float32.
    const { roundedTo: _, ...plain } = epilogue
    expect(checkRow({ ...opened(problem, values), epilogue: plain }, request).outcome).toBe('reject')
  })

  it('do not fail for the next lower number where the sum is near a tie', () => {
    const columns = Float32Array.of(1, 2 ** -8)
    const tie = { a: Float64Array.of(1, 1), b: preparedColumns(columns, 2, 1), profile: profiles.bfloat16, epilogue }
    for (const claimed of [1, 1 + 2 ** -7]) {
      expect(checkRow({ ...tie, c: Float64Array.of(claimed) }).outcome).toBe('accept')
    }
    for (const claimed of [1 - 2 ** -8, 1 + 2 ** -6]) {
      expect(checkRow({ ...tie, c: Float64Array.of(claimed) }).outcome).toBe('reject')
    }
  })

  it('are guarded where float16 overflows', () => {
    const columns = Float32Array.of(60000, 5600)
    const profile = profiles.float16
    const row = { a: Float64Array.of(1, 1), b: preparedColumns(columns.map(float16), 2, 1), profile }
    const half = { ...identityEpilogue, roundedTo: 'float16' } as const
    for (const c of [Number.POSITIVE_INFINITY, 65504]) {
      expect(checkRow({ ...row, epilogue: half, c: Float64Array.of(c) })).toMatchObject({
        outcome: 'guard',
        guard: 'overflow',
      })
    }
    // A sum whose tolerance reaches what overflows.
    const cancelling = preparedColumns(Float32Array.of(60000, -60000, 1), 3, 1)
    const near = { ...row, a: Float64Array.of(60000, 60000, 64992), b: cancelling, epilogue: half }
    expect(checkRow({ ...near, c: Float64Array.of(Number.POSITIVE_INFINITY) }).outcome).toBe('guard')
    // As float32 it is a number like others.
    expect(checkRow({ ...row, epilogue: identityEpilogue, c: Float64Array.of(65600) }).outcome).toBe('accept')
    const infinite = { ...row, epilogue: identityEpilogue, c: Float64Array.of(Number.POSITIVE_INFINITY) }
    expect(checkRow(infinite).outcome).toBe('reject')
  })
})
