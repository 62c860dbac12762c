import { bytesPerElement, type DType, dtypes } from '@tensor-assay/core'
import { expect, test } from 'vitest'
import { copyRows, elementsOfRows } from '../src/products/matrices.ts'

const matrices = { count: 2, rows: 3, cols: 5, transposed: true } as const

/** Bytes at an offset at which wider elements are not aligned. */
function bytesAt(offset: number, length: number): Uint8Array {
  const bytes = new Uint8Array(new ArrayBuffer(offset + length), offset)
  for (let i = 0; i < length; i++) bytes[i] = i % 251
  return bytes
}

test.each(dtypes.flatMap((dtype) => [0, 1, 4].map((offset) => [dtype, offset] as const)))(
  'rows of transposed matrices of %s are copied element by element, also at offset %i',
  (dtype: DType, offset) => {
    const size = bytesPerElement[dtype]
    const source = bytesAt(offset, 2 * 3 * 5 * size)
    for (const wanted of [undefined, Uint32Array.of(1, 3, 5)]) {
      const total = wanted?.length ?? 6
      const target = new Uint8Array(new ArrayBuffer(offset + total * 5 * size), offset)
      copyRows({ dtype, bytes: () => source }, matrices, wanted, target)
      const elements = [...elementsOfRows(matrices, wanted ?? Uint32Array.of(0, 1, 2, 3, 4, 5))]
      const expected = elements.map((element) => Buffer.from(source.subarray(element * size, (element + 1) * size)))
      expect(Buffer.from(target).equals(Buffer.concat(expected))).toBe(true)
    }
  },
)

test('an element of a transposed matrix lies in the column of its row', () => {
  // The second matrix, [5, 3] in memory: its row 2 is every third element from the last of the first line on.
  expect([...elementsOfRows(matrices, Uint32Array.of(5))]).toEqual([17, 20, 23, 26, 29])
})
