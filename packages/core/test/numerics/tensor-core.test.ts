import { describe, expect, it } from 'vitest'
import { identityEpilogue } from '../../src/numerics/epilogue.ts'
import { truncatedTf32 as cutTf32, nearestTf32 } from '../../src/numerics/operands.ts'
import { profiles } from '../../src/numerics/profile.ts'
import { checkRow } from '../../src/numerics/row.ts'
import { tensorCoreSum, tensorCores } from '../../src/numerics/tensor-core.ts'
import { families, preparedColumns } from './families.ts'
import { withOperands } from './profiles.ts'
import { testRandom } from './random.ts'
import { bfloat16, tf32, truncatedTf32 } from './rounding.ts'
import { a100, h100, tf32Cores, v100 } from './tensor-cores.ts'

const independent = { V100: v100, A100: a100, H100: h100, 'A100, TF32': tf32Cores[0]! } as const

describe.each(Object.entries(independent))('an emulated %s', (name, engine) => {
  const core = tensorCores.find((candidate) => candidate.name === name)!

  it('gives the same bits as one that is written differently', () => {
    const random = testRandom(1)
    for (const family of families) {
      for (const k of [1, 3, 4, 17, 64, 333]) {
        const { a, columns } = withOperands(family.make(random, k, 6), bfloat16)
        for (let j = 0; j < 6; j++) {
          expect(tensorCoreSum(core, a, columns, j * k)).toBe(engine.dot(a, columns, j * k))
        }
      }
    }
  })
})

describe('a tensor core that loses nearly an ulp of the sum with each term', () => {
  it('is honest, though no rounded sum is so far off', () => {
    const k = 400
    const lost = (1 - 2 ** -8) * 2 ** -23
    const columns = Float32Array.from({ length: k }, (_, t) => (t === 0 ? 1 : lost))
    const a = new Float64Array(k).fill(1)
    const c = Float64Array.of(v100.dot(a, columns, 0))
    expect(c[0]).toBe(1)
    const row = { a, b: preparedColumns(columns, k, 1), c, epilogue: identityEpilogue }
    expect(checkRow({ ...row, profile: profiles.bfloat16 })).toMatchObject({ outcome: 'accept', escalations: 1 })
    expect(checkRow({ ...row, profile: profiles.float32 }).outcome).toBe('reject')
  })
})

describe('TF32 operands', () => {
  it('are rounded to nearest, ties away from zero, or cut', () => {
    const { normal } = testRandom(2)
    for (let i = 0; i < 2000; i++) {
      const value = Math.fround(normal())
      expect(nearestTf32(value)).toBe(tf32(value))
      expect(cutTf32(value)).toBe(truncatedTf32(value))
    }
    expect(nearestTf32(1 + 2 ** -11)).toBe(1 + 2 ** -10)
    expect(nearestTf32(-1 - 2 ** -11)).toBe(-1 - 2 ** -10)
    expect(cutTf32(-1.9999)).toBe(-2 + 2 ** -10)
  })
})
