import { prepareMatrix } from '@tensor-assay/core'
import { expect, test } from 'vitest'
import { Projections } from '../src/projections.ts'

const matrix = (fill: number) => {
  const bytes = new Uint8Array(Float32Array.from({ length: 12 }, (_, i) => fill + i).buffer)
  return prepareMatrix({ bytes, dtype: 'float32', k: 3, n: 4, transposed: false })
}
const seed = (value: number) => new Uint8Array(32).fill(value)

test('products that share a seed share their vectors, and no others do', () => {
  const projections = new Projections()
  const [b, other] = [matrix(0), matrix(1)]
  const first = projections.of(seed(1), 'b:0', b, 2)
  expect(projections.of(seed(1), 'b:0', b, 2)).toBe(first)
  const next = projections.of(seed(2), 'b:0', b, 2)
  expect(next[0]!.x).not.toEqual(first[0]!.x)
  expect(projections.of(seed(2), 'other:0', other, 2)[0]!.x).not.toEqual(next[0]!.x)
  expect(projections.of(seed(2), 'b:0', b, 1)).toHaveLength(1)
})

test('what is remembered is what would be computed', () => {
  const [remembering, forgetful] = [new Projections(), new Projections()]
  for (const value of [1, 1, 2, 1]) {
    const b = matrix(value)
    expect(remembering.of(seed(value), 'b:0', b, 2)).toEqual(forgetful.of(seed(value), 'b:0', matrix(value), 2))
  }
  const [vector] = remembering.of(seed(3), 'b:0', matrix(0), 1)
  const { x, Bx } = vector!
  const expected = [0, 1, 2].map((t) => x.reduce((sum, xj, j) => sum + xj * (4 * t + j), 0))
  for (const [t, value] of expected.entries()) expect(Bx[t]).toBeCloseTo(value, 10)
})
