import { describe, expect, it } from 'vitest'
import { identityEpilogue } from '../../src/numerics/epilogue.ts'
import { projectMatrix } from '../../src/numerics/project.ts'
import { checkRow, type OpenedRow, type RowResult } from '../../src/numerics/row.ts'
import { judgeTogether } from '../../src/numerics/together.ts'
import type { Engine } from './engines.ts'
import { allPositive, type Family, families, gaussian, postRelu, preparedColumns, type RowProblem } from './families.ts'
import { type ProfileCase, profileCases, withOperands } from './profiles.ts'
import { type TestRandom, testRandom } from './random.ts'
import { bfloat16, float8, int8PerColumn, quantizedColumn } from './rounding.ts'

/** A row as `engine` computes it from `a` and `columns`, which may not be those of the problem. */
function openedRow(
  { profile, roundedTo, output }: ProfileCase,
  { b, k, n }: RowProblem,
  a: Float64Array,
  columns: Float32Array,
  engine: Engine,
): OpenedRow {
  const c = Float64Array.from({ length: n }, (_, j) => output(Math.fround(engine.dot(a, columns, j * k))))
  const epilogue = { ...identityEpilogue, ...(roundedTo === undefined ? {} : { roundedTo }) }
  return { a, b, c, profile, epilogue }
}

const sizes = [
  { k: 1, n: 24, rows: 4 },
  { k: 3, n: 24, rows: 4 },
  { k: 16, n: 24, rows: 4 },
  { k: 70, n: 24, rows: 4 },
  { k: 500, n: 16, rows: 1 },
  { k: 4096, n: 4, rows: 1 },
]

describe.each(profileCases.map((profileCase) => [profileCase.name, profileCase] as const))('%s', (_, profileCase) => {
  const { operand, engines } = profileCase

  it.each(families.map((family) => [family.name, family] as const))(
    'never rejects an honest engine on %s data',
    (name, family) => {
      const random = testRandom(41)
      const rejected: string[] = []
      const guarded: string[] = []
      for (const { k, n, rows } of sizes) {
        const problems = Array.from({ length: rows }, () => withOperands(family.make(random, k, n), operand))
        for (const engine of engines) {
          const results = problems.map((problem) => {
            const opened = openedRow(profileCase, problem, problem.a, problem.columns, engine)
            return { opened, ...checkRow(opened) }
          })
          for (const { failures, guard } of results) {
            if (failures.length > 0) rejected.push(`${engine.name}, k = ${k}: ${JSON.stringify(failures[0])}`)
            if (guard !== undefined) guarded.push(`${engine.name}, k = ${k}: ${guard}`)
          }
          if (judgeTogether(results) !== undefined) rejected.push(`${engine.name}, k = ${k}, together`)
        }
      }
      expect(rejected).toEqual([])
      // Sums over a period of few terms are small beside their terms by accident, and TF32 has the largest tolerance.
      if (!family.cancels && !(name === 'periodic' && profileCase.name === 'tf32')) expect(guarded).toEqual([])
    },
  )
})

describe('a tolerance that A inflates while A·B stays as it is', () => {
  it.each(profileCases.map((profileCase) => [profileCase.name, profileCase] as const))(
    'hides no error of a twentieth: %s',
    (_, profileCase) => {
      const random = testRandom(43)
      const [k, n] = [128, 64]
      for (let M = 1; M <= 1e6; M *= 10) {
        const { columns, a } = withOperands(gaussian.make(random, k, n), profileCase.operand)
        // What the last term adds, the term before takes.
        for (let j = 0; j < n; j++) columns[j * k + k - 1] = columns[j * k + k - 2]!
        const inflated = a.slice()
        inflated[k - 2] = profileCase.operand(Math.min(M, 60000))
        inflated[k - 1] = -inflated[k - 2]!
        const problem = { k, n, a: inflated, columns, b: preparedColumns(columns, k, n) }
        const honest = openedRow(profileCase, problem, inflated, columns, profileCase.engines[0]!)
        const scale = Math.sqrt(honest.c.reduce((sum, value) => sum + value * value, 0) / n)
        const c = honest.c.map((value) => profileCase.output(value + (random.uniform() < 0.5 ? -1 : 1) * 0.05 * scale))
        expect(checkRow(honest).outcome).not.toBe('reject')
        expect(checkRow({ ...honest, c }).outcome).not.toBe('accept')
        if (M === 1e6 && profileCase.name !== 'exact') expect(checkRow(honest).guard).toBe('cancellation')
      }
    },
  )
})

/** What a dishonest prover multiplies instead of a column of B. */
interface Twin {
  readonly name: string
  column(column: Float32Array, random: TestRandom): Float32Array
}

const int8: Twin = { name: 'int8 weights', column: int8PerColumn }
const int4: Twin = { name: 'int4 weights', column: (column) => quantizedColumn(column, 7) }
const bfloat: Twin = { name: 'bfloat16 weights', column: (column) => column.map(bfloat16) }
const float8Weights: Twin = {
  name: 'float8 weights',
  column(column) {
    const scale = 448 / column.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
    return column.map((value) => float8(value * scale) / scale)
  },
}
const droppedTerms: Twin = {
  name: '1% of the terms dropped',
  column: (column, { uniform }) => column.map((value) => (uniform() < 0.01 ? 0 : value)),
}
const noise: Twin = {
  name: 'weights with noise of 10⁻³',
  column: (column, { normal }) => column.map((value) => value * (1 + 1e-3 * normal())),
}

/**
 * Products of 5 rows of which at least one row, or all together, are rejected; checked as the default policy does it:
 * 64 entries, as many of the smallest, and two vectors.
 */
function caught(profileCase: ProfileCase, family: Family, twin: Twin, k: number, products: number): number {
  const random = testRandom(42)
  const n = 160
  let count = 0
  for (let i = 0; i < products; i++) {
    const problem = withOperands(family.make(random, k, n), profileCase.operand)
    const wrong = new Float32Array(n * k)
    for (let j = 0; j < n; j++) wrong.set(twin.column(problem.columns.subarray(j * k, (j + 1) * k), random), j * k)
    const xs = [0, 1].map(() => Float64Array.from({ length: n }, () => 2 * random.uniform() - 1))
    const vectors = projectMatrix(problem.b, xs)
    const results: (RowResult & { opened: OpenedRow })[] = []
    for (let row = 0; row < 5; row++) {
      const { a } = withOperands(family.make(random, k, 1), profileCase.operand)
      const engine = profileCase.engines[row % profileCase.engines.length]!
      const opened = openedRow(profileCase, problem, a, wrong, engine)
      const entries = Uint32Array.from(new Set(Array.from({ length: 64 }, () => random.below(n)))).sort()
      results.push({ opened, ...checkRow(opened, { entries, smallest: 64, vectors }) })
    }
    if (results.some(({ outcome }) => outcome === 'reject') || judgeTogether(results) !== undefined) count++
  }
  return count
}

describe('dishonest weights are caught in every product of 5 rows', () => {
  for (const profileCase of profileCases) {
    const coarse = ['tf32', 'bfloat16', 'bfloat16 out'].includes(profileCase.name)
    for (const family of [gaussian, postRelu]) {
      for (const twin of [int8, int4, float8Weights, droppedTerms, noise, bfloat]) {
        // A bfloat16 product has such weights anyway.
        if (twin === bfloat && coarse && profileCase.name !== 'tf32') continue
        it(`${profileCase.name}, ${family.name}: ${twin.name}`, () => {
          expect(caught(profileCase, family, twin, 300, 4)).toBe(4)
        })
      }
    }
  }

  it('but not where sums of one sign lose as much in an honest tensor core', () => {
    const tf32 = profileCases.find(({ name }) => name === 'tf32')!
    expect(caught(tf32, allPositive, int8, 300, 2)).toBe(0)
  })
})
