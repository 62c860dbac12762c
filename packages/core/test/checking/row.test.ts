import { describe, expect, test } from 'vitest'
import { prepareMatrix, projectMatrix } from '../../src/checking/prepared.ts'
import { checkRow, type RowResult } from '../../src/checking/row.ts'
import { profiles } from '../../src/numerics/profile.ts'
import { randomStream } from '../../src/random/stream.ts'

const { fround } = Math
const linear = { alpha: 1, activation: { name: 'linear' } } as const
const stream = randomStream(new Uint8Array(32).fill(5))

type Values = (i: number) => number
const families: Record<string, Values> = {
  gaussian: () => stream.signedUnit() + stream.signedUnit() + stream.signedUnit(),
  'after a relu': () => Math.max(0, stream.signedUnit()),
  'heavy tails': () => stream.signedUnit() / Math.abs(stream.signedUnit()) ** 1.5,
  positive: () => 1 + stream.signedUnit() / 2,
  constant: () => 0.1,
}

const bfloat16 = (value: number) => {
  const bits = new Uint32Array(Float32Array.of(value).buffer)
  bits[0] = ((bits[0]! + 0x7fff + ((bits[0]! >> 16) & 1)) >>> 16) << 16
  return new Float32Array(bits.buffer)[0]!
}

function operands(k: number, n: number, family: Values) {
  const a = Float64Array.from({ length: k }, (_, i) => fround(family(i)))
  const b = Float32Array.from({ length: k * n }, (_, i) => fround(family(i)))
  const matrix = prepareMatrix({ bytes: new Uint8Array(b.buffer), dtype: 'float32', k, n, transposed: true })
  return { a, b, matrix }
}

/** A row of C as an engine that adds one term after the other in float32. */
function engine(a: Float64Array, b: Float32Array, n: number): Float64Array {
  const k = a.length
  return Float64Array.from({ length: n }, (_, j) => {
    let sum = 0
    for (let t = 0; t < k; t++) sum = fround(sum + fround(a[t]! * b[j * k + t]!))
    return sum
  })
}

function check({ a, matrix }: ReturnType<typeof operands>, c: Float64Array, exactEntries: number): RowResult {
  const x = new Float64Array(matrix.n)
  const xs = [x, x.slice()]
  for (const vector of xs) stream.fillSignedUnit(vector)
  const projections = projectMatrix(matrix, xs)
  const vectors = xs.map((vector, i) => ({ x: vector, Bx: projections[i]! }))
  const entries = Uint32Array.from({ length: Math.min(exactEntries, matrix.n) }, (_, j) => j)
  return checkRow({ a, c, matrix, epilogue: linear, profile: profiles.float32 }, { entries, vectors }, 0.99)
}

describe.each(Object.entries(families))('%s', (_, family) => {
  test.each([1, 2, 3, 17, 256, 4099])('honest rows of k = %i are never rejected', (k) => {
    for (let round = 0; round < 12; round++) {
      const operand = operands(k, 24, family)
      expect(check(operand, engine(operand.a, operand.b, 24), 24).outcome).not.toBe('reject')
    }
  })
})

const operand = operands(4096, 96, families.gaussian!)
const honest = engine(operand.a, operand.b, 96)

describe('dishonest rows are rejected', () => {
  test('one wrong entry that is not among those recomputed', () => {
    const c = honest.slice()
    c[90]! += 0.05
    expect(check(operand, c, 8).outcome).toBe('reject')
  })

  test('weights rounded to bfloat16', () => {
    expect(check(operand, engine(operand.a, operand.b.map(bfloat16), 96), 64).outcome).toBe('reject')
  })

  test('relative noise of 1e-3', () => {
    expect(
      check(
        operand,
        honest.map((value) => value * (1 + 1e-3 * stream.signedUnit())),
        64,
      ).outcome,
    ).toBe('reject')
  })

  test('1% of the terms dropped', () => {
    const a = operand.a.map((value, t) => (t % 100 === 0 ? 0 : value))
    expect(check(operand, engine(a, operand.b, 96), 64).outcome).toBe('reject')
  })

  test.each([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY])('%d', (value) => {
    const c = honest.slice()
    c[0] = value
    expect(check(operand, c, 8).outcome).toBe('reject')
  })
})

test('a row of A that is not finite says nothing', () => {
  const a = operand.a.slice()
  a[7] = Number.NaN
  expect(check({ ...operand, a }, honest, 64).outcome).toBe('guard')
})

test('a tolerance inflated through the null space of B is never accepted', () => {
  const k = 512
  const n = 32
  const { a, b } = operands(k, n, families.gaussian!)
  // The second half of A meets B with the opposite sign of the first, so anything added to both cancels.
  for (let j = 0; j < n; j++) for (let t = 0; t < k / 2; t++) b[j * k + k / 2 + t] = -b[j * k + t]!
  const matrix = prepareMatrix({ bytes: new Uint8Array(b.buffer), dtype: 'float32', k, n, transposed: true })
  for (const size of [1e3, 1e4, 1e5, 1e6]) {
    const inflated = a.map((value) => fround(value + size))
    const lie = engine(inflated, b, n).map((value) => value + 0.3)
    expect(check({ a: inflated, b, matrix }, lie, n).outcome, `${size}`).not.toBe('accept')
  }
})
