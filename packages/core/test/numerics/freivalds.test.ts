import { describe, expect, it } from 'vitest'
import { identityEpilogue, type NumericEpilogue } from '../../src/numerics/epilogue.ts'
import { freivaldsApplies, freivaldsResidual, freivaldsRow, smallestVisible } from '../../src/numerics/freivalds.ts'
import { profiles } from '../../src/numerics/profile.ts'
import { projectMatrix } from '../../src/numerics/project.ts'
import { checkRow } from '../../src/numerics/row.ts'
import { gaussian } from './families.ts'
import { testRandom } from './random.ts'

const { fround } = Math
const random = testRandom(1)
const [k, n] = [200, 90]
const { a, b, columns } = gaussian.make(random, k, n)
const bias = Float64Array.from({ length: n }, () => fround(3 * random.normal()))
const added = Float64Array.from({ length: n }, () => fround(2 * random.normal()))
const alpha = fround(-0.7)
const x = Float64Array.from({ length: n }, () => 2 * random.uniform() - 1)
const [vector] = projectMatrix(b, [x])
const total = (count: number, term: (i: number) => number) =>
  Array.from({ length: count }, (_, i) => term(i)).reduce((sum, value) => sum + value, 0)
const products = Float64Array.from({ length: n }, (_, j) => total(k, (t) => a[t]! * columns[j * k + t]!))

const epilogues: readonly (readonly [
  name: string,
  epilogue: NumericEpilogue,
  terms: number,
  addend: Float64Array | undefined,
])[] = [
  ['no epilogue', identityEpilogue, k, undefined],
  ['a factor', { ...identityEpilogue, alpha }, k + 1, undefined],
  ['a bias for each column', { ...identityEpilogue, bias }, k + 1, undefined],
  ['one bias and a factor', { ...identityEpilogue, alpha, bias: bias.subarray(0, 1) }, k + 2, undefined],
  ['an addend', identityEpilogue, k + 1, added],
  ['an addend, a bias and a factor', { ...identityEpilogue, alpha, bias }, k + 3, added],
  ['results of bfloat16', { ...identityEpilogue, bias, roundedTo: 'bfloat16' }, k + 1, undefined],
]

describe.each(epilogues)('a vector over a row with %s', (_, epilogue, terms, addend) => {
  const offset = (j: number) => (epilogue.bias === undefined ? 0 : epilogue.bias[epilogue.bias.length === 1 ? 0 : j]!)
  const addendAt = (j: number) => addend?.[j] ?? 0
  const c = products.map((value, j) => epilogue.alpha * value + offset(j) + addendAt(j))
  const opened = { a, b, profile: profiles.float32, epilogue, ...(addend && { addend }) }
  const row = (claimed: Float64Array) => ({ ...opened, c: claimed })

  it('has no residual for the exact row, and x·d for an error d', () => {
    const size = Math.sqrt(total(n, (j) => c[j]! ** 2))
    expect(freivaldsResidual(freivaldsRow(row(c)), vector!).residual).toBeLessThan(1e-13 * size)
    const d = Float64Array.from({ length: n }, random.normal)
    const { residual } = freivaldsResidual(freivaldsRow(row(c.map((value, j) => value + d[j]!))), vector!)
    expect(residual).toBeCloseTo(Math.abs(total(n, (j) => x[j]! * d[j]!)), 10)
  })

  it('has the bound of its formula', () => {
    const { bound, tolerance } = freivaldsResidual(freivaldsRow(row(c)), vector!)
    const energy = total(k, (t) => a[t]! ** 2 * total(n, (j) => columns[j * k + t]! ** 2 / 3))
    const values = total(n, (j) => x[j]! ** 2 * c[j]! ** 2)
    const biases = total(n, (j) => x[j]! ** 2 * (offset(j) ** 2 + addendAt(j) ** 2))
    const scale = 2 * 2 ** -24 * Math.sqrt(terms)
    const expected = scale * Math.sqrt(epilogue.alpha ** 2 * energy + values + biases)
    const rounding = epilogue.roundedTo === undefined ? 0 : 2 * 2 ** -8 * Math.sqrt(values)
    expect(tolerance / expected).toBeCloseTo(1, 10)
    expect(bound / Math.hypot(expected, rounding)).toBeCloseTo(1, 10)
  })

  it('notices one wrong entry that was not recomputed', () => {
    const claimed = c.map((value, j) => (j === 60 ? value * 1.5 : value)).map(fround)
    const request = { entries: Uint32Array.of(3), vectors: [vector!] }
    expect(checkRow(row(claimed), request)).toMatchObject({ outcome: 'reject', entries: n })
  })
})

describe('vectors', () => {
  it('do not apply where an activation or a wrapped sum hides what they need', () => {
    const quantized = { biasBeforeScale: true, zeroPoint: 0 } as const
    expect(freivaldsApplies(profiles.float32, identityEpilogue)).toBe(true)
    expect(freivaldsApplies(profiles.exact, identityEpilogue)).toBe(true)
    expect(freivaldsApplies(profiles.float32, { ...identityEpilogue, activation: { name: 'relu' } })).toBe(false)
    expect(freivaldsApplies(profiles.int32, identityEpilogue)).toBe(false)
    expect(freivaldsApplies(profiles.int8, { ...identityEpilogue, quantized: { ...quantized, output: 'int32' } })).toBe(
      true,
    )
    expect(freivaldsApplies(profiles.int8, { ...identityEpilogue, quantized: { ...quantized, output: 'uint8' } })).toBe(
      false,
    )
  })

  it('miss the smallest error that they are said to see as rarely as stated, where two equal entries are wrong', () => {
    const [bound, draws] = [0.01, 20_000]
    for (const [vectors, power] of [
      [1, 0.9],
      [2, 0.99],
    ] as const) {
      const entry = smallestVisible(bound, vectors, power) / Math.SQRT2
      let missed = 0
      for (let i = 0; i < draws; i++) {
        const seen = Array.from({ length: vectors }, () => 2 * random.uniform() - 1 + (2 * random.uniform() - 1))
        if (seen.every((sum) => Math.abs(sum * entry) <= bound)) missed++
      }
      expect(missed / draws).toBeLessThan(1.3 * (1 - power))
      expect(missed / draws).toBeGreaterThan(0.6 * (1 - power))
    }
  })
})
