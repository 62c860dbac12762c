import { describe, expect, test } from 'vitest'
import type { MatmulLayout } from '../../src/layout.ts'
import { openedRows } from '../../src/sampling/opened-rows.ts'

const layout: MatmulLayout = { kind: 'matmul', m: 2, k: 3, n: 4, aBatch: [2], bBatch: [2] }
const plan = { rows: Uint32Array.of(1, 3) }

test('a plan opens the rows of A and of C that it names, and of a B that is none of the weights its columns', () => {
  expect(openedRows({ layout, right: 'weight' }, plan)).toEqual({ a: Uint32Array.of(1, 3), c: Uint32Array.of(1, 3) })
  expect(openedRows({ layout, right: 'activation' }, plan).b).toEqual(Uint32Array.of(0, 1, 2, 3, 4, 5, 6, 7))
  const drawn = { ...plan, columns: Uint32Array.of(0, 3) }
  expect(openedRows({ layout, right: 'activation' }, drawn).b).toEqual(Uint32Array.of(0, 3, 4, 7))
})

test('what is added is opened in the rows of C', () => {
  const { c, addend } = openedRows({ layout, right: 'activation', hasAddend: true }, plan)
  expect(addend).toEqual(c)
  expect(openedRows({ layout, right: 'weight', hasAddend: false }, plan)).not.toHaveProperty('addend')
})

describe('no more rows of a tensor than it is told to', () => {
  test('of A and of C', () => {
    expect(openedRows({ layout, right: 'weight' }, plan, 2).a).toHaveLength(2)
    expect(() => openedRows({ layout, right: 'weight' }, plan, 1)).toThrow(RangeError)
  })

  test('of B, before they are counted out', () => {
    expect(openedRows({ layout, right: 'activation' }, plan, 8).b).toHaveLength(8)
    expect(() => openedRows({ layout, right: 'activation' }, plan, 7)).toThrow(RangeError)
    const wide = { ...layout, n: 2 ** 31 }
    const columns = Uint32Array.from({ length: 100 }, (_, i) => i)
    expect(() => openedRows({ layout: wide, right: 'activation' }, { ...plan, columns }, 199)).toThrow(RangeError)
  })
})
