import { describe, expect, test } from 'vitest'
import { planRelations } from '../../src/relation/plan.ts'
import type { Relation } from '../../src/relation/relation.ts'
import { productOf } from './records.ts'

const seed = new Uint8Array(32).fill(1)
const rowsUpTo = (count: number) => Uint32Array.from({ length: count }, (_, i) => i)
const tensor: Relation[number] = { op: 'tensor', operation: 0, tensor: 'c' }
const exp: Relation = [tensor, { op: 'exp', x: 0 }]
const turned: Relation = [tensor, { op: 'transpose', x: 0, permutation: [1, 0] }]

/** A product whose A, [m, k], follows from the C of another one, [rows, cols]. */
function plan(relation: Relation, [m, k]: [number, number], [rows, cols]: [number, number], options = {}) {
  const record = productOf({ sequence: 1, m, k, n: 3, a: 10, c: 11 })
  const source = (place: number) =>
    place === 0 ? productOf({ sequence: 0, m: rows, k: 2, n: cols, a: 1, c: 7 }) : undefined
  const opened = { a: rowsUpTo(m), c: rowsUpTo(m) }
  return planRelations({ record, relations: { a: relation }, source, opened, seed, ...options })
}

describe('which elements are compared', () => {
  test('those of at most 4 of the opened rows, drawn by the seed', () => {
    const { elements, needed } = plan(exp, [40, 5], [40, 5])
    const places = elements.get('a')!
    const drawn = [...new Set(places.map((place) => Math.floor(place / 5)))]
    expect(drawn).toHaveLength(4)
    expect(places).toHaveLength(20)
    expect(needed).toMatchObject([{ tensor: 7, place: 0, name: 'c' }])
    expect([...needed[0]!.rows]).toEqual(drawn.toSorted((a, b) => a - b))
    expect(plan(exp, [40, 5], [40, 5])).toEqual({ elements, passedOver: [], needed })
    expect(plan(exp, [40, 5], [40, 5], { seed: new Uint8Array(32) }).elements).not.toEqual(elements)
  })

  test('only rows that are opened anyway', () => {
    const opened = { a: Uint32Array.of(3, 17), c: Uint32Array.of(3, 17) }
    const { elements, needed } = plan(exp, [40, 5], [40, 5], { opened })
    expect(new Set(elements.get('a')!.map((place) => Math.floor(place / 5)))).toEqual(new Set([3, 17]))
    expect([...needed[0]!.rows]).toEqual([3, 17])
  })

  test('few of a row that follows from many rows of others', () => {
    const perRow = (elements: readonly number[], cols: number) =>
      [0, 1, 2].map((row) => elements.filter((place) => Math.floor(place / cols) === row).length)
    const many = plan(turned, [3, 9], [9, 3])
    expect(perRow(many.elements.get('a')!, 9)).toEqual([4, 4, 4])
    expect(many.needed[0]!.rows.length).toBeLessThanOrEqual(9)
    expect(perRow(plan(turned, [3, 8], [8, 3]).elements.get('a')!, 8)).toEqual([8, 8, 8])
  })

  test('128 of a row that is longer', () => {
    const { elements } = plan(exp, [2, 5000], [2, 5000])
    expect(elements.get('a')).toHaveLength(256)
    expect(new Set(elements.get('a'))).toHaveLength(256)
  })

  test('rows are needed of tensors only that one of them comes from', () => {
    const joined: Relation = [tensor, { ...tensor, operation: 1 }, { op: 'concat', of: [0, 1], axis: 0 }]
    const record = productOf({ sequence: 2, m: 9, k: 5, n: 3, a: 10, c: 11 })
    const sources = [
      productOf({ sequence: 0, m: 1, k: 2, n: 5, a: 1, c: 7 }),
      productOf({ sequence: 1, m: 8, k: 2, n: 5, a: 2, c: 8 }),
    ]
    const opened = { a: Uint32Array.of(4), c: Uint32Array.of(4) }
    const { needed } = planRelations({ record, relations: { a: joined }, source: (i) => sources[i], opened, seed })
    expect(needed.map(({ tensor, rows }) => [tensor, ...rows])).toEqual([[8, 3]])
  })
})

describe('what does not fit is refused', () => {
  test.each([
    ['another size', () => plan(exp, [40, 5], [41, 5]), /gives a tensor of shape \[41,5\], not of 40×5/],
    [
      'a layout of other batches',
      () =>
        plan(
          [
            { ...tensor, layout: [2, null, 5] },
            { op: 'exp', x: 0 },
          ],
          [40, 5],
          [40, 5],
        ),
      /a tensor of shape \[2,\?,5\], and a layout of shape \[40,5\] was declared/,
    ],
    [
      'a layout of another size',
      () =>
        plan(
          [
            { ...tensor, layout: [41, 5] },
            { op: 'exp', x: 0 },
          ],
          [40, 5],
          [40, 5],
        ),
      /a tensor of shape \[41,5\]/,
    ],
    [
      'an operation that is not there',
      () => plan([{ ...tensor, operation: 3 }], [4, 5], [4, 5]),
      /operation 3 of the manifest is not there/,
    ],
    [
      'a tensor that the operation does not have',
      () => plan([{ ...tensor, tensor: 'addend' }], [4, 5], [4, 5]),
      /has no addend/,
    ],
  ])('%s', (_, planned, problem) => expect(planned).toThrow(problem))
})

describe('what would be too much work is passed over', () => {
  test('in whatever way the steps multiply it', () => {
    const doubled: Relation = [{ op: 'weight', digest: '0'.repeat(64), shape: [5, 5] }]
    while (doubled.length < 300) {
      const x = doubled.length - 1
      // Each time the tensor is read in three places.
      doubled.push(
        { op: 'transpose', x, permutation: [1, 0] },
        { op: 'slice', x, axis: 0, start: 1, end: null },
        { op: 'slice', x, axis: 0, start: 0, end: 1 },
        { op: 'concat', of: [x + 2, x + 3], axis: 0 },
        { op: 'add', x: x + 1, y: x + 4 },
        { op: 'add', x: x + 5, y: x },
      )
    }
    const { elements, passedOver, needed } = plan(doubled, [5, 5], [1, 1])
    expect({ elements: elements.get('a'), passedOver, needed }).toEqual({ elements: [], passedOver: ['a'], needed: [] })
  })

  test('whatever sizes are declared', () => {
    const sum: Relation = [
      tensor,
      { op: 'multiply', x: 0, y: 0 },
      { ...tensor, tensor: 'a', shape: [1, null] },
      { op: 'add', x: 1, y: 2 },
      { op: 'sum', x: 3, axes: [1], keepDims: true },
    ]
    const record = productOf({ sequence: 1, m: 1, k: 1, n: 3, a: 10, c: 11 })
    const opened = { a: rowsUpTo(1), c: rowsUpTo(1) }
    const asked = (width: number) => {
      const wide = productOf({ sequence: 0, m: 1, k: width, n: width, a: 1, c: 7 })
      return planRelations({ record, relations: { a: sum }, source: () => wide, opened, seed }).passedOver
    }
    expect([asked(2 ** 10), asked(2 ** 21), asked(2 ** 40)]).toEqual([[], ['a'], ['a']])
  })

  const large = 2 ** 20
  const weight: Relation[number] = { op: 'weight', digest: 'ab'.repeat(32), shape: [large, large] }
  const scalar: Relation = [
    { op: 'max', x: 0, axes: [0, 1], keepDims: true },
    { op: 'reshape', x: 1, shape: [1, 1] },
  ]
  test.each<readonly [string, Relation]>([
    [
      'sums over sums',
      [weight, { op: 'sum', x: 0, axes: [1], keepDims: true }, { op: 'sum', x: 1, axes: [0], keepDims: true }],
    ],
    [
      'long lines, one on the other',
      [
        { ...weight, shape: [1, large] },
        ...Array.from({ length: 100 }, (_, i) => ({ op: 'softmax' as const, x: i, axis: 1 })),
        ...at(scalar, 101),
      ],
    ],
  ])('whatever is stated of public tensors: %s', (_, relation) => {
    expect(plan(relation, [1, 1], [1, 1]).passedOver).toEqual(['a'])
  })

  test('no chain of steps is too deep, and its last step counts', () => {
    const chain: Relation = [tensor, ...Array.from({ length: 1022 }, (_, i) => ({ op: 'negate' as const, x: i }))]
    expect(plan([...chain, { op: 'exp', x: 1022 }], [4, 5], [4, 5]).needed).toHaveLength(1)
    expect(() => plan([...chain, { op: 'sum', x: 1022, axes: [1], keepDims: true }], [4, 5], [4, 5])).toThrow(/\[4,1\]/)
  })
})

/** Steps, where those before them end at `offset`. */
function at(steps: Relation, offset: number): Relation {
  return steps.map((step, i) => ({ ...step, x: offset - 1 + i }) as Relation[number])
}
