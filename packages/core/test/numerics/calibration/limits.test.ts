import { describe, expect, it } from 'vitest'
import { limitsOf } from '../../../src/numerics/calibration/limits.ts'
import { profiles } from '../../../src/numerics/profile.ts'

const measured = (max: number, rms: number, emulated: number, k = 512, structured = false) => ({
  data: 'data',
  structured,
  k,
  entries: 1000,
  rms,
  p999: max,
  max,
  emulated,
})
const builtIn = { acceptedRatio: 4, acceptedEmulatedRatio: 8, honestRms: 0.26 }

describe('limitsOf', () => {
  it('takes the largest of what was measured, with its margins', () => {
    const limits = limitsOf(profiles.float32, [measured(0.9, 0.05, 1.5), measured(0.6, 0.1, 1.2)], true)
    expect(limits.acceptedRatio).toBeCloseTo(1.8, 10)
    expect(limits.acceptedEmulatedRatio).toBeCloseTo(3, 10)
    expect(limits.honestRms).toBeCloseTo(0.15, 10)
  })

  it('never exceeds the profile, whatever was measured', () => {
    expect(limitsOf(profiles.float32, [measured(3.9, 0.9, 7.5)], true)).toEqual(builtIn)
  })

  it('does not go below what was not measured', () => {
    const limits = limitsOf(profiles.float32, [measured(0, 0, 0)], true)
    expect(limits).toEqual({ acceptedRatio: 1, acceptedEmulatedRatio: 2, honestRms: 0.26 })
  })

  it('takes the ratios of plain data, the multiples of all, and the rms of long sums', () => {
    const rows = [measured(0.8, 0.06, 1), measured(30, 9, 3, 512, true), measured(0.7, 0.2, 1, 1)]
    const limits = limitsOf(profiles.float32, rows, true)
    expect(limits.acceptedRatio).toBeCloseTo(1.6, 10)
    expect(limits.acceptedEmulatedRatio).toBeCloseTo(6, 10)
    expect(limits.honestRms).toBeCloseTo(0.09, 10)
  })

  it('leaves a profile alone where results have 16 bits', () => {
    expect(limitsOf(profiles.float32, [measured(0.1, 0.01, 0.1)], false)).toEqual(builtIn)
  })
})
