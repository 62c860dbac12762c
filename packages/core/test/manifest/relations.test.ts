import { expect, test } from 'vitest'
import { commonRelation, withFreeBatches } from '../../src/manifest/relations.ts'
import type { Relation } from '../../src/relation/relation.ts'

const tensor = (...shape: number[]) => ({ op: 'tensor', operation: 0, tensor: 'c', shape }) as const
const laid = (...layout: (number | null)[]) => ({ op: 'tensor', operation: 0, tensor: 'c', layout }) as const
const slice = (end: number | null) => ({ op: 'slice', x: 0, axis: 0, start: 1, end }) as const

test.each<[string, Relation, Relation, Relation | undefined]>([
  ['a size that differs is free', [tensor(5, 4)], [tensor(7, 4)], [{ ...tensor(), shape: [null, 4] }]],
  ['two sizes that differ are too many', [tensor(5, 5)], [tensor(7, 7)], undefined],
  [
    'what reaches the end does so at every size',
    [tensor(5, 4), slice(null)],
    [tensor(7, 4), slice(null)],
    [{ ...tensor(), shape: [null, 4] }, slice(null)],
  ],
  // Rows of a table, as many as the input is long: the end of the table is not meant.
  ['ends that differ are not the end', [tensor(9, 4), slice(5)], [tensor(9, 4), slice(7)], undefined],
  [
    'an end that was reached once is not reached always',
    [tensor(9, 4), slice(5)],
    [tensor(9, 4), slice(null)],
    undefined,
  ],
  ['sizes of a layout that differ are free', [laid(2, 5, 5)], [laid(2, 7, 7)], [laid(2, null, null)]],
  ['layouts with other batches', [laid(2, 5, 5)], [laid(10, 5)], undefined],
  ['numbers that differ', [{ op: 'number', value: 1 }], [{ op: 'number', value: 2 }], undefined],
  ['steps that differ in number', [tensor(9, 4), slice(5)], [tensor(9, 4)], undefined],
])('%s', (_, a, b, common) => {
  expect(commonRelation(a, b)).toEqual(common)
  expect(commonRelation(b, a)).toEqual(common)
})

test('batches are free where all else is the same in all runs, and only there', () => {
  const free = (...layout: (number | null)[]) => withFreeBatches([laid(...layout), slice(null)])
  expect(free(8, 12, 5, 5)).toEqual([laid(null, 12, 5, 5), slice(null)])
  expect(free(null, 12, 5, 5)).toEqual([laid(null, 12, 5, 5), slice(null)])
  // Twice the batches of half the rows would be as many elements.
  expect(free(8, 12, null, null)).toEqual([laid(8, 12, null, null), slice(null)])
})
