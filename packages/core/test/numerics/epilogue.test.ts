import { describe, expect, it } from 'vitest'
import { activate, activatedTolerance, checkEpilogue, type NumericActivation } from '../../src/numerics/epilogue.ts'
import { testRandom } from './random.ts'

const activations: readonly NumericActivation[] = [
  { name: 'linear' },
  { name: 'relu' },
  { name: 'relu6' },
  { name: 'elu' },
  { name: 'sigmoid' },
  { name: 'tanh' },
  { name: 'hardsigmoid', slope: 0.2, offset: 0.5 },
  { name: 'hardsigmoid', slope: -3, offset: -0.25 },
  { name: 'leakyrelu', slope: 0.2 },
  { name: 'leakyrelu', slope: -0.5 },
  { name: 'leakyrelu', slope: 3 },
  { name: 'prelu', slopes: Float64Array.of(0.25, -2) },
]

const label = (activation: NumericActivation) =>
  activation.name === 'leakyrelu' ? `leakyrelu(${activation.slope})` : activation.name

describe('activate', () => {
  it('is the function of that name', () => {
    const at = (activation: NumericActivation, x: number, column = 0) => activate(activation, column, x)
    expect([-2, -0, 3, 7].map((x) => at({ name: 'linear' }, x))).toEqual([-2, -0, 3, 7])
    expect([-2, 3, 7].map((x) => at({ name: 'relu' }, x))).toEqual([0, 3, 7])
    expect([-2, 3, 7].map((x) => at({ name: 'relu6' }, x))).toEqual([0, 3, 6])
    expect([-1, 2].map((x) => at({ name: 'elu' }, x))).toEqual([Math.expm1(-1), 2])
    expect([0, 1000, -1000].map((x) => at({ name: 'sigmoid' }, x))).toEqual([0.5, 1, 0])
    expect(at({ name: 'sigmoid' }, 1)).toBeCloseTo(0.731058578630005, 15)
    expect([0, 1000, -1000].map((x) => at({ name: 'tanh' }, x))).toEqual([0, 1, -1])
    expect(at({ name: 'tanh' }, 0.5)).toBeCloseTo(0.46211715726001, 14)
    const hard: NumericActivation = { name: 'hardsigmoid', slope: 0.25, offset: 0.5 }
    expect([-2, -1, 0, 1, 2, 9].map((x) => at(hard, x))).toEqual([0, 0.25, 0.5, 0.75, 1, 1])
    expect([-2, 3].map((x) => at({ name: 'leakyrelu', slope: 0.2 }, x))).toEqual([-0.4, 3])
    const prelu: NumericActivation = { name: 'prelu', slopes: Float64Array.of(0.25, -2) }
    expect([at(prelu, -2, 0), at(prelu, -2, 1), at(prelu, 3, 1)]).toEqual([-0.5, 4, 3])
    expect(at({ name: 'prelu', slopes: Float64Array.of(0.25) }, -2, 17)).toBe(-0.5)
  })
})

describe('activatedTolerance', () => {
  for (const activation of activations) {
    it(`covers what ${label(activation)} makes of a pre-activation within tolerance, and no more than its steepest slope`, () => {
      const steepest = Math.max(
        1,
        activation.name === 'prelu' ? 2 : 'slope' in activation ? Math.abs(activation.slope) : 0,
      )
      const { uniform, below } = testRandom(2)
      let uncovered = 0
      let excessive = 0
      for (let i = 0; i < 5000; i++) {
        const x = 8 * (uniform() - 0.5)
        const tolerance = 2 ** -below(30)
        const column = below(2)
        const value = activate(activation, column, x)
        const honest = activate(activation, column, x + tolerance * (2 * uniform() - 1))
        const allowed = activatedTolerance(activation, column, x, tolerance, honest > value)
        if (!(Math.abs(honest - value) <= allowed * (1 + 1e-12))) uncovered++
        if (!(allowed <= steepest * tolerance + 2 ** -19)) excessive++
      }
      expect({ uncovered, excessive }).toEqual({ uncovered: 0, excessive: 0 })
    })
  }

  it('allows nothing where a rectifier is flat', () => {
    expect(activatedTolerance({ name: 'relu' }, 0, -1, 1e-3, true)).toBe(0)
    expect(activatedTolerance({ name: 'relu' }, 0, -1, 1e-3, false)).toBe(0)
    expect(activatedTolerance({ name: 'relu6' }, 0, 7, 1e-3, true)).toBe(0)
    expect(activatedTolerance({ name: 'relu6' }, 0, 7, 1e-3, false)).toBe(0)
  })

  it('allows nothing where a hard sigmoid is 0 or 1, whatever its offset', () => {
    const hard = (offset: number) => ({ name: 'hardsigmoid', slope: 0.2, offset }) as const
    expect(activatedTolerance(hard(0.5), 0, -4, 1e-3, true)).toBe(0)
    expect(activatedTolerance(hard(1e10), 0, 1, 1e-3, false)).toBe(0)
    expect(activatedTolerance(hard(0.5), 0, 1, 0, true)).toBeLessThan(2 ** -22)
  })

  it('allows less where sigmoid is flat than a Lipschitz constant would', () => {
    expect(activatedTolerance({ name: 'sigmoid' }, 0, 10, 1e-2, true)).toBeLessThan(1.1e-6)
    expect(activatedTolerance({ name: 'sigmoid' }, 0, 0, 1e-2, true)).toBeGreaterThan(2.4e-3)
  })

  it('knows that a negative slope turns at 0', () => {
    // |x| around 0: the least value, 0, lies inside the interval.
    const absolute: NumericActivation = { name: 'leakyrelu', slope: -1 }
    expect(activatedTolerance(absolute, 0, 0.5, 1, false)).toBeCloseTo(0.5, 6)
    expect(activatedTolerance(absolute, 0, 0.5, 1, true)).toBeCloseTo(1, 6)
  })
})

describe('checkEpilogue', () => {
  it('takes vectors of n elements or one', () => {
    const activation: NumericActivation = { name: 'linear' }
    checkEpilogue({ alpha: 1, bias: new Float64Array(3), activation }, 3)
    checkEpilogue({ alpha: 1, bias: new Float64Array(1), activation }, 3)
    expect(() => checkEpilogue({ alpha: 1, bias: new Float64Array(2), activation }, 3)).toThrow(
      new RangeError('expected bias of 3 elements, or one for all columns, got 2'),
    )
    const prelu: NumericActivation = { name: 'prelu', slopes: new Float64Array(4) }
    expect(() => checkEpilogue({ alpha: 1, activation: prelu }, 3)).toThrow(RangeError)
  })
})
