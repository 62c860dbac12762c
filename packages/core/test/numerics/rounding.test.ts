import { describe, expect, it } from 'vitest'
import { beyondRounding, halfFormats, powerBelow, spacing } from '../../src/numerics/rounding.ts'
import { testRandom } from './random.ts'
import { bfloat16, float16 } from './rounding.ts'

const rounded = { float16, bfloat16 } as const

describe('powerBelow', () => {
  it('is the power of two at or below a number', () => {
    const cases = [
      [1, 1],
      [-1.5, 1],
      [2 - 2 ** -52, 1],
      [2, 2],
      [-(2 ** -126), 2 ** -126],
      [65519, 32768],
    ] as const
    for (const [x, power] of cases) expect(powerBelow(x)).toBe(power)
  })
})

describe.each(['float16', 'bfloat16'] as const)('%s', (format) => {
  const round = rounded[format]
  const { digits, minNormal, overflow } = halfFormats[format]

  it('has neighbours at the distance of its digits', () => {
    expect(spacing(format, 1)).toBe(2 ** (1 - digits))
    expect(spacing(format, -1.99)).toBe(2 ** (1 - digits))
    expect(spacing(format, 2)).toBe(2 ** (2 - digits))
    expect(spacing(format, 0)).toBe(minNormal * 2 ** (1 - digits))
  })

  it('takes the correctly rounded value for what it is, and says how far others are off', () => {
    const { normal, uniform } = testRandom(1)
    for (let i = 0; i < 20_000; i++) {
      const value = normal() * 2 ** Math.round(12 * uniform() - (i % 4 === 0 ? 14 : 2))
      const claimed = round(Math.fround(value))
      const step = spacing(format, claimed)
      // Rounded twice, a value within half an ulp of float32 of a tie may go the other way.
      expect(beyondRounding(format, claimed, value)).toBeLessThanOrEqual(Math.abs(value) * 2 ** -24)
      const shifted = claimed + Math.sign(claimed || 1) * 3 * step
      expect(Math.abs(beyondRounding(format, shifted, value) - (Math.abs(shifted - value) - step / 2))).toBeLessThan(
        step * 0.51,
      )
    }
  })

  it('counts half the spacing below a power of two, and either side of a tie as correct', () => {
    const step = spacing(format, 1)
    expect(beyondRounding(format, 1, 1 + step / 2)).toBe(0)
    expect(beyondRounding(format, 1 + step, 1 + step / 2)).toBe(0)
    expect(beyondRounding(format, 1, 1 + step)).toBe(step / 2)
    expect(beyondRounding(format, 1, 1 - step / 4)).toBe(0)
    expect(beyondRounding(format, 1, 1 - step / 2)).toBe(step / 4)
    expect(beyondRounding(format, -1, -1 + step / 2)).toBe(step / 4)
    expect(beyondRounding(format, 1, -1)).toBe(2 - step / 4)
  })

  it('rounds to 0 what is below half of the least subnormal number', () => {
    const least = minNormal * 2 ** (1 - digits)
    expect(beyondRounding(format, 0, least / 2)).toBe(0)
    expect(beyondRounding(format, -0, -least / 2)).toBe(0)
    expect(beyondRounding(format, 0, least)).toBe(least / 2)
  })

  it('overflows where rounding leaves the finite numbers', () => {
    const largest = overflow - spacing(format, overflow / 1.5) / 2
    expect(round(Math.fround(largest))).toBe(largest)
    expect(Number.isFinite(round(overflow * (1 - 2 ** -20)))).toBe(true)
    expect(round(overflow)).toBe(Number.POSITIVE_INFINITY)
  })
})
