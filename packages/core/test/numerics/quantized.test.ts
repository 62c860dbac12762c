import { describe, expect, it } from 'vitest'
import { type EntryCheck, entryResult } from '../../src/numerics/entry.ts'
import type { NumericEpilogue, QuantizedEpilogue } from '../../src/numerics/epilogue.ts'
import { prepareMatrix } from '../../src/numerics/prepared.ts'
import { profiles } from '../../src/numerics/profile.ts'
import { projectMatrix } from '../../src/numerics/project.ts'
import { checkQuantizedEntry } from '../../src/numerics/quantized.ts'
import { checkRow } from '../../src/numerics/row.ts'
import { testRandom } from './random.ts'

const { fround } = Math
const plain: QuantizedEpilogue = { biasBeforeScale: true, output: 'int32', zeroPoint: 0 }

interface Case {
  readonly a: number[]
  readonly b: number[]
  readonly aZero: number
  readonly bZero: number
}

function operands(seed: number, k: number): Case & { sum: number } {
  const { below } = testRandom(seed)
  const a = Array.from({ length: k }, () => below(256))
  const b = Array.from({ length: k }, () => below(256) - 128)
  const [aZero, bZero] = [below(256), below(20) - 10]
  return { a, b, aZero, bZero, sum: a.reduce((sum, value, t) => sum + (value - aZero) * (b[t]! - bZero), 0) }
}

function judge(
  { a, b, aZero, bZero }: Case,
  claimed: number,
  quantized: Partial<QuantizedEpilogue> = {},
  epilogue: Partial<NumericEpilogue> = {},
) {
  const matrix = prepareMatrix({
    bytes: new Uint8Array(Int8Array.from(b).buffer),
    dtype: 'int8',
    k: b.length,
    n: 1,
    transposed: true,
    zeroPoint: Float64Array.of(bZero),
  })
  const check: EntryCheck = {
    a: Float64Array.from(a, (value) => value - aZero),
    b: matrix,
    profile: profiles.int8,
    epilogue: { alpha: 1, activation: { name: 'linear' }, quantized: { ...plain, ...quantized }, ...epilogue },
  }
  const result = entryResult()
  checkQuantizedEntry(check, 0, claimed, result)
  return result
}

describe('checkQuantizedEntry', () => {
  it('accepts the exact int32 sum and nothing beside it', () => {
    for (let seed = 0; seed < 100; seed++) {
      const problem = operands(seed, 64)
      expect(judge(problem, problem.sum).outcome).toBe('accept')
      expect(judge(problem, problem.sum + 1)).toMatchObject({ outcome: 'reject', reason: 'integer' })
      expect(judge(problem, problem.sum + 7, {}, { bias: Float64Array.of(7) }).outcome).toBe('accept')
    }
  })

  it('is covered whole by vectors where the result is an exact sum', () => {
    const { below, uniform } = testRandom(6)
    const [k, n] = [300, 200]
    const a = Float64Array.from({ length: k }, () => below(256) - 100)
    const columns = Int8Array.from({ length: n * k }, () => below(256) - 128)
    const bytes = new Uint8Array(columns.buffer)
    const b = prepareMatrix({ bytes, dtype: 'int8', k, n, transposed: true })
    const c = Float64Array.from({ length: n }, (_, j) =>
      a.reduce((sum, value, t) => sum + value * columns[j * k + t]!, 0),
    )
    const epilogue = { alpha: 1, activation: { name: 'linear' }, quantized: plain } as const
    const row = { a, b, c, profile: profiles.int8, epilogue }
    const xs = [0, 1].map(() => Float64Array.from({ length: n }, () => 2 * uniform() - 1))
    const request = { entries: Uint32Array.of(3), vectors: projectMatrix(b, xs) }
    expect(checkRow(row, request)).toMatchObject({ outcome: 'accept', entries: 1, vectors: 2 })
    const wrong = { ...row, c: c.map((value, j) => (j === 150 ? value + 1 : value)) }
    expect(checkRow(wrong, request)).toMatchObject({
      outcome: 'reject',
      failures: [{ column: 150, reason: 'integer' }],
    })
    const scaled = { ...row, epilogue: { ...epilogue, quantized: { ...plain, output: 'float32' } } } as const
    expect(() => checkRow(scaled, request)).toThrow(RangeError)
  })

  it('takes both zero points into account', () => {
    const problem = operands(5, 64)
    expect(judge({ ...problem, aZero: problem.aZero + 1 }, problem.sum).outcome).toBe('reject')
    expect(judge({ ...problem, bZero: problem.bZero + 1 }, problem.sum).outcome).toBe('reject')
  })

  it('accepts a float32 result that an engine rounded in any order, and no other', () => {
    const scale = fround(0.0123)
    const factor = fround(0.987)
    const options = { output: 'float32', biasBeforeScale: false, scales: Float64Array.of(factor) } as const
    for (let seed = 0; seed < 200; seed++) {
      const problem = operands(seed, 300)
      const bias = fround(seed / 7)
      const epilogue = { alpha: scale, bias: Float64Array.of(bias) }
      const first = fround(fround(fround(problem.sum) * fround(scale * factor)) + bias)
      const second = fround(fround(fround(fround(problem.sum) * scale) * factor) + bias)
      expect(judge(problem, first, options, epilogue).outcome).toBe('accept')
      expect(judge(problem, second, options, epilogue).outcome).toBe('accept')
      expect(judge(problem, first + scale, options, epilogue)).toMatchObject({ outcome: 'reject', reason: 'tolerance' })
      expect(judge(problem, Number.NaN, options, epilogue)).toMatchObject({ outcome: 'reject', reason: 'non-finite' })
    }
  })

  it('accepts an 8-bit result rounded half to even and saturated, and both neighbours only at a tie', () => {
    const problem = { a: [5], b: [1], aZero: 0, bZero: 0 }
    const half = { output: 'uint8', zeroPoint: 10 } as const
    // 5 · 0.5 = 2.5: 2 or 3 by a hair.
    expect([11, 12, 13, 14].map((claimed) => judge(problem, claimed, half, { alpha: 0.5 }).outcome)).toEqual([
      'reject',
      'accept',
      'accept',
      'reject',
    ])
    expect([11, 12].map((claimed) => judge(problem, claimed, half, { alpha: 0.34 }).outcome)).toEqual([
      'reject',
      'accept',
    ])
    expect(judge(problem, 255, half, { alpha: 1e6 }).outcome).toBe('accept')
    expect(judge(problem, 254, half, { alpha: 1e6 }).outcome).toBe('reject')
    expect(judge(problem, 0, half, { alpha: -1e6 }).outcome).toBe('accept')
    expect(judge(problem, 12.5, half, { alpha: 0.5 }).outcome).toBe('reject')
  })

  it('says nothing of sums that leave 32 bits before they are scaled', () => {
    const k = 40_000
    const problem = { a: Array(k).fill(255), b: Array(k).fill(127), aZero: 0, bZero: -128 }
    expect(judge(problem, 1, { output: 'float32' })).toMatchObject({ outcome: 'guard', reason: 'overflow' })
  })
})
