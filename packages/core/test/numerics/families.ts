import * as data from '../../src/numerics/calibration/families.ts'
import { type PreparedMatrix, prepareMatrix } from '../../src/numerics/prepared.ts'
import type { TestRandom } from './random.ts'

/** A row of A, shape [k], and B as its columns, shape [n, k]. Every value is a float32. */
export interface RowProblem {
  readonly k: number
  readonly n: number
  readonly a: Float64Array
  readonly columns: Float32Array
  readonly b: PreparedMatrix
}

export interface Family extends Omit<data.DataFamily, 'make'> {
  make(random: TestRandom, k: number, n: number): RowProblem
}

export function preparedColumns(columns: Float32Array, k: number, n: number): PreparedMatrix {
  const bytes = new Uint8Array(columns.buffer, columns.byteOffset, columns.byteLength)
  return prepareMatrix({ bytes, dtype: 'float32', k, n, transposed: true })
}

/** A family of products of one row. */
function oneRow(family: data.DataFamily): Family {
  return {
    ...family,
    make(random, k, n) {
      const { a, columns } = family.make(random, 1, k, n)
      return { k, n, a: Float64Array.from(a), columns, b: preparedColumns(columns, k, n) }
    },
  }
}

export const gaussian = oneRow(data.gaussian)
export const postRelu = oneRow(data.postRelu)
export const heavyTailed = oneRow(data.heavyTailed)
export const allPositive = oneRow(data.allPositive)
export const stagnating = oneRow(data.stagnating)
export const families: readonly Family[] = data.dataFamilies.map(oneRow)
