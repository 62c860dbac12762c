import { describe, expect, it } from 'vitest'
import { type EntryCheck, entryResult } from '../../src/numerics/entry.ts'
import { identityEpilogue, type NumericEpilogue } from '../../src/numerics/epilogue.ts'
import { checkIntegerEntry } from '../../src/numerics/integer.ts'
import { prepareMatrix } from '../../src/numerics/prepared.ts'
import { profiles } from '../../src/numerics/profile.ts'
import { testRandom } from './random.ts'

function judge(a: number[], b: number[], claimed: number, epilogue: Partial<NumericEpilogue> = {}) {
  const bytes = new Uint8Array(Int32Array.from(b).buffer)
  const check: EntryCheck = {
    a: Float64Array.from(a),
    b: prepareMatrix({ bytes, dtype: 'int32', k: b.length, n: 1, transposed: true }),
    profile: profiles.int32,
    epilogue: { ...identityEpilogue, ...epilogue },
  }
  const result = entryResult()
  checkIntegerEntry(check, 0, claimed, result)
  return result
}

describe('checkIntegerEntry', () => {
  it('accepts the exact sum and nothing beside it', () => {
    const { below } = testRandom(1)
    for (let i = 0; i < 200; i++) {
      const a = Array.from({ length: 40 }, () => below(2 ** 11) - 2 ** 10)
      const b = Array.from({ length: 40 }, () => below(2 ** 11) - 2 ** 10)
      const exact = Number(a.reduce((sum, value, t) => sum + BigInt(value) * BigInt(b[t]!), 0n))
      expect(judge(a, b, exact).outcome).toBe('accept')
      expect(judge(a, b, exact + 1)).toMatchObject({ outcome: 'reject', reason: 'integer', bound: 0 })
      expect(judge(a, b, exact - 1).outcome).toBe('reject')
    }
  })

  it('wraps modulo 2³²', () => {
    const { below } = testRandom(2)
    const a = Array.from({ length: 30 }, () => below(2 ** 20))
    const b = Array.from({ length: 30 }, () => below(2 ** 20))
    const exact = a.reduce((sum, value, t) => sum + BigInt(value) * BigInt(b[t]!), 0n)
    expect(exact).toBeGreaterThan(2n ** 32n)
    const wrapped = a.reduce((sum, value, t) => (sum + Math.imul(value, b[t]!)) | 0, 0)
    expect(judge(a, b, wrapped).outcome).toBe('accept')
    expect(judge(a, b, Number(exact)).outcome).toBe('reject')
  })

  it('adds the bias before it wraps and rectifies', () => {
    const relu = { activation: { name: 'relu' } } as const
    expect(judge([3], [-4], 0, relu).outcome).toBe('accept')
    expect(judge([3], [-4], -12, relu).outcome).toBe('reject')
    expect(judge([3], [4], 17, { bias: Float64Array.of(5) }).outcome).toBe('accept')
    expect(judge([2 ** 30], [1], -(2 ** 31), { bias: Float64Array.of(2 ** 30) }).outcome).toBe('accept')
    expect(judge([3], [4], 6, { activation: { name: 'relu6' } }).outcome).toBe('accept')
  })

  it('rejects NaN and infinities', () => {
    for (const claimed of [Number.NaN, Number.POSITIVE_INFINITY])
      expect(judge([1], [1], claimed).outcome).toBe('reject')
  })

  it('says nothing of sums that float64 does not hold', () => {
    const big = 2 ** 25
    const a = new Array<number>(9).fill(big)
    expect(judge(a, a, 0)).toMatchObject({ outcome: 'guard', reason: 'overflow' })
    expect(judge(a.slice(0, 7), a.slice(0, 7), 0).outcome).toBe('accept')
  })

  it('says nothing of epilogues that leave the integers', () => {
    expect(judge([1], [1], 1, { alpha: 0.5 })).toMatchObject({ outcome: 'guard', reason: 'activation-unsupported' })
    expect(judge([1], [1], 1, { activation: { name: 'sigmoid' } })).toMatchObject({ outcome: 'guard' })
  })
})
