import { describe, expect, it } from 'vitest'
import { absoluteSum, dot, dotOfVectors, innerProduct, weightedSquares } from '../../src/numerics/dot.ts'
import { testRandom } from './random.ts'

describe('sums over products', () => {
  // Small integers are summed exactly in any order.
  const { below } = testRandom(1)
  const small = () => below(21) - 10

  for (const k of [0, 1, 2, 3, 4, 5, 7, 8, 63]) {
    it(`covers each of ${k} terms once`, () => {
      const offset = 3
      const a = Float64Array.from({ length: k }, small)
      const b = Float64Array.from({ length: k }, small)
      const columns = Float32Array.of(50, 50, 50, ...b, 50, 50)
      const products = [...a].map((value, t) => value * b[t]!)
      const total = (values: number[]) => values.reduce((sum, value) => sum + value, 0)

      const sums = { sum: 0, squares: 0 }
      dot(a, columns, offset, sums)
      expect(sums).toEqual({ sum: total(products), squares: total(products.map((p) => p * p)) })
      dotOfVectors(a, b, sums)
      expect(sums).toEqual({ sum: total(products), squares: total(products.map((p) => p * p)) })
      expect(absoluteSum(a, columns, offset)).toBe(total(products.map(Math.abs)))
      expect(innerProduct(a, b)).toBe(total(products))
      expect(weightedSquares(a, b)).toBe(total(products.map((p, t) => p * a[t]!)))
    })
  }
})
