import { describe, expect, it } from 'vitest'
import { identityEpilogue } from '../../src/numerics/epilogue.ts'
import { profiles } from '../../src/numerics/profile.ts'
import { checkRow } from '../../src/numerics/row.ts'
import { engines } from './engines.ts'
import { allPositive, type Family, gaussian, heavyTailed, postRelu } from './families.ts'
import { type TestRandom, testRandom } from './random.ts'
import { bfloat16, int8PerColumn, tf32 } from './rounding.ts'

/** What a dishonest prover multiplies instead; its float32 arithmetic is that of an honest engine. */
interface Twin {
  readonly name: string
  operands(a: Float64Array, column: Float32Array, random: TestRandom): [a: Float64Array, column: Float32Array]
}

const weightsInBfloat16: Twin = { name: 'bfloat16 weights', operands: (a, b) => [a, b.map(bfloat16)] }
const tf32Arithmetic: Twin = { name: 'TF32 arithmetic', operands: (a, b) => [a.map(tf32), b.map(tf32)] }
const weightsInInt8: Twin = { name: 'int8 weights', operands: (a, b) => [a, int8PerColumn(b)] }
const noise: Twin = {
  name: 'relative noise of 10⁻³',
  operands: (a, b, { normal }) => [a, b.map((value) => value * (1 + 1e-3 * normal()))],
}
const oneTermDropped: Twin = {
  name: 'one of the terms dropped',
  operands: (a, b, { below }) => {
    const dropped = below(b.length)
    return [a, b.map((value, t) => (t === dropped ? 0 : value))]
  },
}

/** Fraction of entries rejected, each judged alone. */
function rejectionRate(family: Family, twin: Twin, k: number, entries: number, seed: number): number {
  const random = testRandom(seed)
  const n = 8
  let rejected = 0
  let total = 0
  while (total < entries) {
    const { a, b, columns } = family.make(random, k, n)
    for (let j = 0; j < n; j++) {
      const [wrongA, wrongColumn] = twin.operands(a, columns.subarray(j * k, (j + 1) * k), random)
      const c = Float64Array.of(engines[total % engines.length]!.dot(wrongA, wrongColumn, 0))
      const opened = { a, b, c, columns: Uint32Array.of(j), profile: profiles.float32, epilogue: identityEpilogue }
      const { outcome } = checkRow(opened)
      if (outcome === 'reject') rejected++
      total++
    }
  }
  return rejected / total
}

describe('dishonest arithmetic is rejected in a single entry', () => {
  const cases: readonly (readonly [Twin, k: number, atLeast: number])[] = [
    [weightsInBfloat16, 256, 0.985],
    [weightsInBfloat16, 4096, 0.97],
    [tf32Arithmetic, 256, 0.96],
    [tf32Arithmetic, 4096, 0.9],
    [weightsInInt8, 256, 0.99],
    [weightsInInt8, 4096, 0.98],
    [noise, 256, 0.97],
    [noise, 4096, 0.93],
    [oneTermDropped, 256, 0.95],
    [oneTermDropped, 4096, 0.9],
  ]
  for (const family of [gaussian, postRelu, heavyTailed]) {
    for (const [twin, k, atLeast] of cases) {
      // Of the other families, many terms are 0 or so small that dropping them changes nothing.
      if (family !== gaussian && (twin === oneTermDropped || k > 1000)) continue
      it(`${twin.name}, ${family.name}, k = ${k}: ${atLeast}`, () => {
        expect(rejectionRate(family, twin, k, k > 1000 ? 240 : 1200, 21)).toBeGreaterThan(atLeast)
      })
    }
  }

  it('less often where sums have one sign, because honest sequential arithmetic loses as much', () => {
    expect(rejectionRate(allPositive, weightsInBfloat16, 256, 800, 22)).toBeGreaterThan(0.95)
    const atLength4096 = rejectionRate(allPositive, weightsInBfloat16, 4096, 240, 23)
    expect(atLength4096).toBeGreaterThan(0.5)
    expect(atLength4096).toBeLessThan(0.8)
  })
})
