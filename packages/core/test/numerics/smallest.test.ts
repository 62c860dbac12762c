import { describe, expect, it } from 'vitest'
import { smallestColumns, union } from '../../src/numerics/smallest.ts'
import { testRandom } from './random.ts'

describe('smallestColumns', () => {
  it('is what sorting by magnitude gives', () => {
    const { normal, below } = testRandom(1)
    for (let i = 0; i < 100; i++) {
      const values = Float64Array.from({ length: 1 + below(60) }, normal)
      const count = below(20)
      const sorted = [...values.keys()].sort((a, b) => Math.abs(values[a]!) - Math.abs(values[b]!))
      const expected = sorted.slice(0, count).sort((a, b) => a - b)
      expect([...smallestColumns(values, undefined, count, true)]).toEqual(expected)
    }
  })

  it('names the columns of the values', () => {
    const columns = Uint32Array.of(3, 50, 70, 90)
    expect([...smallestColumns(Float64Array.of(5, -1, 4, 2), columns, 2, true)]).toEqual([50, 90])
  })

  it('leaves out NaN, and zeros where they say nothing', () => {
    const values = Float64Array.of(Number.NaN, 0, 3, -0, 2)
    expect([...smallestColumns(values, undefined, 4, true)]).toEqual([1, 2, 3, 4])
    expect([...smallestColumns(values, undefined, 4, false)]).toEqual([2, 4])
  })
})

describe('union', () => {
  it('holds each column once, ascending', () => {
    expect([...union(Uint32Array.of(1, 5, 9), Uint32Array.of(0, 5, 10))]).toEqual([0, 1, 5, 9, 10])
  })
})
