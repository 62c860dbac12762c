import { describe, expect, it } from 'vitest'
import { bytesPerElement, type DType, dtypes, toFloat64 } from '../../src/dtype.ts'
import { decodeElements } from '../../src/numerics/decode.ts'
import { columnOffset, prepareColumns, prepareMatrix } from '../../src/numerics/prepared.ts'

/** Elements whose bytes exercise signs and exponents. */
function elements(dtype: DType, k: number, n: number): Uint8Array {
  const size = bytesPerElement[dtype]
  const bytes = new Uint8Array(k * n * size)
  for (let i = 0; i < bytes.length; i++) bytes[i] = (i * 37 + 11) & 0xff
  // Neither infinities nor NaN, which compare with nothing, nor int64 that float64 does not hold.
  if (dtype.includes('float')) for (let i = size - 1; i < bytes.length; i += size) bytes[i]! &= 0xbb
  if (dtype === 'int64') for (let i = 6; i < bytes.length; i += 8) bytes.fill(0, i, i + 2)
  return bytes
}

describe('prepareMatrix', () => {
  const k = 7
  const n = 5
  for (const dtype of dtypes) {
    it(`holds every ${dtype} exactly, column by column, from either layout`, () => {
      const bytes = elements(dtype, k, n)
      const expected = toFloat64(bytes, dtype)
      const byRows = prepareMatrix({ bytes, dtype, k, n, transposed: false })
      const byColumns = prepareMatrix({ bytes, dtype, k: n, n: k, transposed: true })
      for (let t = 0; t < k; t++) {
        for (let j = 0; j < n; j++) {
          expect(byRows.columns[j * k + t]).toBe(expected[t * n + j])
          expect(byColumns.columns[t * n + j]).toBe(expected[t * n + j])
        }
      }
    })

    it(`reads ${dtype} at any alignment`, () => {
      const aligned = elements(dtype, k, n)
      const shifted = new Uint8Array(aligned.length + 1).subarray(1)
      shifted.set(aligned)
      const input = { dtype, k, n, transposed: true }
      expect(prepareMatrix({ ...input, bytes: shifted }).columns).toEqual(
        prepareMatrix({ ...input, bytes: aligned }).columns,
      )
    })
  }

  it('transposes shapes that are no multiple of its tile', () => {
    const [rows, cols] = [67, 41]
    const values = Float32Array.from({ length: rows * cols }, (_, i) => i)
    const bytes = new Uint8Array(values.buffer)
    const { columns } = prepareMatrix({ bytes, dtype: 'float32', k: rows, n: cols, transposed: false })
    for (let t = 0; t < rows; t++) for (let j = 0; j < cols; j++) expect(columns[j * rows + t]).toBe(t * cols + j)
  })

  it('has the energy ⅓ Σ_j b_tj²', () => {
    const values = Float32Array.from([1, 2, 3, 4, 5, 6])
    const input = { bytes: new Uint8Array(values.buffer), dtype: 'float32', k: 2, n: 3 } as const
    expect([...prepareMatrix({ ...input, transposed: false }).energy]).toEqual([14 / 3, 77 / 3])
    expect([...prepareMatrix({ ...input, transposed: true }).energy]).toEqual([35 / 3, 56 / 3])
  })

  it('refuses bytes that are not k × n elements', () => {
    const bytes = new Uint8Array(23)
    const input = { bytes, dtype: 'float32', k: 2, n: 3, transposed: false } as const
    expect(() => prepareMatrix(input)).toThrow(new RangeError('3 columns of 2 float32 elements have 24 bytes, got 23'))
  })
})

describe('prepareColumns', () => {
  const values = Float32Array.from([1, 2, 3, 4, 5, 6])
  const bytes = new Uint8Array(values.buffer)
  const input = { bytes, dtype: 'float32', k: 2, n: 9 } as const

  it('finds the columns that are held, and no others', () => {
    const matrix = prepareColumns({ ...input, known: Uint32Array.of(0, 4, 8) })
    expect(Array.from({ length: 9 }, (_, j) => columnOffset(matrix, j))).toEqual([0, -1, -1, -1, 2, -1, -1, -1, 4])
    expect([...matrix.energy]).toEqual([35 / 3, 56 / 3])
  })

  it('refuses columns that are out of order, repeated or out of range', () => {
    for (const known of [
      [4, 0, 8],
      [0, 4, 4],
      [0, 4, 9],
    ]) {
      expect(() => prepareColumns({ ...input, known: Uint32Array.from(known) })).toThrow(RangeError)
    }
  })
})

it('elements at any place of a Buffer are those that lie there', () => {
  const all = Buffer.from(Float32Array.of(1, 2, 3, 4).buffer)
  const shifted = Buffer.concat([Buffer.of(0), all]).subarray(1)
  for (const offset of [0, 4, 8]) {
    expect([...decodeElements(shifted.subarray(offset), 'float32')]).toEqual([1, 2, 3, 4].slice(offset / 4))
  }
})
