import { describe, expect, it } from 'vitest'
import { identityEpilogue, type NumericEpilogue } from '../../src/numerics/epilogue.ts'
import { profiles } from '../../src/numerics/profile.ts'
import { checkRow } from '../../src/numerics/row.ts'
import { engines } from './engines.ts'
import { families, gaussian, stagnating } from './families.ts'
import { testRandom } from './random.ts'

/** Rows of each size and family, for each engine; 10⁶ entries in all. */
const sizes = [
  { k: 1, n: 32, rows: 60 },
  { k: 2, n: 32, rows: 60 },
  { k: 3, n: 32, rows: 60 },
  { k: 5, n: 32, rows: 60 },
  { k: 16, n: 32, rows: 60 },
  { k: 64, n: 32, rows: 30 },
  { k: 250, n: 32, rows: 12 },
  { k: 1024, n: 24, rows: 6 },
  { k: 4096, n: 16, rows: 2 },
  { k: 16384, n: 8, rows: 1 },
]

describe('honest float32 engines', () => {
  let entries = 0

  for (const [index, family] of families.entries()) {
    it(`are never rejected on ${family.name} data`, () => {
      const random = testRandom(100 + index)
      const rejected: string[] = []
      const guarded: string[] = []
      let largest = 0
      for (const { k, n, rows } of sizes) {
        for (let row = 0; row < rows; row++) {
          const problem = family.make(random, k, n)
          const { a, b, columns } = problem
          for (const engine of engines) {
            const c = Float64Array.from({ length: n }, (_, j) => engine.dot(a, columns, j * k))
            const result = checkRow({ a, b, c, profile: profiles.float32, epilogue: identityEpilogue })
            entries += result.entries
            largest = Math.max(largest, result.largestRatio)
            if (result.outcome === 'reject')
              rejected.push(`${engine.name}, k = ${k}: ${JSON.stringify(result.failures[0])}`)
            if (result.outcome === 'guard') guarded.push(`${engine.name}, k = ${k}: ${result.guard}`)
          }
        }
      }
      expect(rejected).toEqual([])
      if (!family.cancels) expect(guarded).toEqual([])
      if (!family.structured) expect(largest).toBeLessThan(4)
    })
  }

  it('were tried on a million entries', () => {
    expect(entries).toBeGreaterThan(1e6)
  })

  it('show ratios far above 4 on structured data, which escalation explains', () => {
    const { a, b, columns, n, k } = stagnating.make(testRandom(1), 16384, 8)
    const c = Float64Array.from({ length: n }, (_, j) => engines[0]!.dot(a, columns, j * k))
    const result = checkRow({ a, b, c, profile: profiles.float32, epilogue: identityEpilogue })
    expect(result).toMatchObject({ outcome: 'accept', escalations: 8 })
    expect(result.largestRatio).toBeGreaterThan(30)
  })
})

describe('honest epilogues', () => {
  const { fround } = Math
  const { normal } = testRandom(7)
  const n = 24
  const bias = Float64Array.from({ length: n }, () => fround(normal()))
  const slopes = Float64Array.from({ length: n }, () => fround(0.3 * normal()))
  const slope = fround(0.2)
  const exp = (x: number) => fround(Math.exp(x))

  /** An engine's own float32 evaluation of activation(sum), step by step. */
  const epilogues: readonly (NumericEpilogue & { readonly evaluate: (sum: number, j: number) => number })[] = [
    { alpha: 1, bias, activation: { name: 'linear' }, evaluate: (x) => x },
    { alpha: fround(0.3), activation: { name: 'linear' }, evaluate: (x) => x },
    { alpha: fround(-3.7), bias: bias.subarray(0, 1), activation: { name: 'linear' }, evaluate: (x) => x },
    { alpha: 1, bias, activation: { name: 'relu' }, evaluate: (x) => Math.max(0, x) },
    { alpha: 1, activation: { name: 'relu6' }, evaluate: (x) => Math.min(6, Math.max(0, x)) },
    { alpha: 1, bias, activation: { name: 'elu' }, evaluate: (x) => (x < 0 ? fround(exp(x) - 1) : x) },
    { alpha: 1, bias, activation: { name: 'sigmoid' }, evaluate: (x) => fround(1 / fround(1 + exp(-x))) },
    { alpha: 1, bias, activation: { name: 'leakyrelu', slope: 0.2 }, evaluate: (x) => (x < 0 ? fround(slope * x) : x) },
    { alpha: 1, bias, activation: { name: 'prelu', slopes }, evaluate: (x, j) => (x < 0 ? fround(slopes[j]! * x) : x) },
  ]

  for (const { evaluate, ...epilogue } of epilogues) {
    const name = `${epilogue.activation.name}, alpha ${epilogue.alpha}${epilogue.bias ? ' with bias' : ''}`
    it(`are accepted: ${name}`, () => {
      const random = testRandom(11)
      const rejected: unknown[] = []
      for (const k of [1, 3, 17, 100, 1000]) {
        for (let row = 0; row < 12; row++) {
          const problem = gaussian.make(random, k, n)
          const a = problem.a.map((value) => fround(value / Math.sqrt(k)))
          for (const engine of engines) {
            const c = Float64Array.from({ length: n }, (_, j) => {
              const scaled = fround(epilogue.alpha * engine.dot(a, problem.columns, j * k))
              const offset = epilogue.bias === undefined ? 0 : epilogue.bias[epilogue.bias.length === 1 ? 0 : j]!
              return evaluate(fround(scaled + offset), j)
            })
            const result = checkRow({ a, b: problem.b, c, profile: profiles.float32, epilogue })
            if (result.outcome !== 'accept' || result.escalations > 0) rejected.push({ k, engine: engine.name, result })
          }
        }
      }
      expect(rejected).toEqual([])
    })
  }
})
