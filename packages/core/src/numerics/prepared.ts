import { bytesPerElement, type DType } from '../dtype.ts'
import { decodeElements, type Elements } from './decode.ts'

/** op(B), shape [k, n], laid out so that a column is contiguous. */
export interface PreparedMatrix {
  readonly k: number
  readonly n: number
  /** Numbers of the columns that are held, ascending; all n of them when absent. */
  readonly known?: Uint32Array
  /** Row p is column p of op(B), or column `known[p]`: shape [n, k] or [known.length, k]. */
  readonly columns: Elements
  /** q_t = ⅓ Σ_j b_tj² over the columns held, shape [k]: E(Σ_j x_j b_tj)² for x uniform on [−1, 1]. Computed once. */
  readonly energy: Float64Array
}

export interface MatrixInput {
  /** `k × n` little-endian elements. They may be viewed instead of copied, so they must not change afterwards. */
  readonly bytes: Uint8Array
  readonly dtype: DType
  readonly k: number
  readonly n: number
  /** Whether `bytes` holds [n, k] instead of [k, n]. */
  readonly transposed: boolean
  /** Subtracted from the elements of quantised columns: shape [n], or [1] for all of them. */
  readonly zeroPoint?: Float64Array
}

/**
 * Prepares a whole matrix for {@link checkRow}: about a pass over its memory, once per weight.
 *
 * @throws {RangeError} If `bytes` does not hold `k × n` elements, or `zeroPoint` neither n nor one.
 */
export function prepareMatrix({ bytes, dtype, k, n, transposed, zeroPoint }: MatrixInput): PreparedMatrix {
  checkBytes(bytes, dtype, k, n)
  const elements = decodeElements(bytes, dtype)
  const columns = transposed ? elements : transpose(elements, k, n)
  return prepared({ k, n, columns: zeroPoint === undefined ? columns : less(columns, zeroPoint, k, n) })
}

function less(columns: Elements, zeroPoint: Float64Array, k: number, n: number): Elements {
  if (zeroPoint.length !== n && zeroPoint.length !== 1) {
    throw new RangeError(`expected zero points of ${n} columns, or one for all of them, got ${zeroPoint.length}`)
  }
  return columns.map((value, i) => value - zeroPoint[zeroPoint.length === 1 ? 0 : Math.floor(i / k)]!)
}

export interface ColumnsInput {
  /** `known.length × k` little-endian elements, column after column. */
  readonly bytes: Uint8Array
  readonly dtype: DType
  readonly k: number
  readonly n: number
  /** Numbers of the columns in `bytes`, ascending, without repetition. */
  readonly known: Uint32Array
}

/**
 * Prepares the columns that were opened of a matrix that the verifier does not hold.
 *
 * @throws {RangeError} If `bytes` does not hold `known.length × k` elements, or `known` is not ascending below `n`.
 */
export function prepareColumns({ bytes, dtype, k, n, known }: ColumnsInput): PreparedMatrix {
  checkBytes(bytes, dtype, k, known.length)
  checkColumns(known, n)
  return prepared({ k, n, known, columns: decodeElements(bytes, dtype) })
}

/** Where column `column` starts in `matrix.columns`; −1 if it is not held. */
export function columnOffset(matrix: PreparedMatrix, column: number): number {
  const place = matrix.known === undefined ? column : position(matrix.known, column)
  return place < 0 ? -1 : place * matrix.k
}

/** Index of `value` in an ascending list; −1 if it is not there. */
export function position(ascending: Uint32Array, value: number): number {
  let low = 0
  let high = ascending.length - 1
  while (low <= high) {
    const middle = (low + high) >>> 1
    const candidate = ascending[middle]!
    if (candidate === value) return middle
    if (candidate < value) low = middle + 1
    else high = middle - 1
  }
  return -1
}

/** @throws {RangeError} If `columns` is not ascending, or reaches `n`. */
export function checkColumns(columns: Uint32Array, n: number): void {
  for (let i = 0; i < columns.length; i++) {
    const column = columns[i]!
    if (column >= n || (i > 0 && column <= columns[i - 1]!)) {
      throw new RangeError(`expected ascending column numbers below ${n}, got ${column} at position ${i}`)
    }
  }
}

function prepared(matrix: Omit<PreparedMatrix, 'energy'>): PreparedMatrix {
  let energy: Float64Array | undefined
  return {
    ...matrix,
    get energy() {
      energy ??= columnEnergy(matrix)
      return energy
    },
  }
}

function columnEnergy({ k, columns }: Omit<PreparedMatrix, 'energy'>): Float64Array {
  const out = new Float64Array(k)
  for (let offset = 0; offset < columns.length; offset += k) {
    for (let t = 0; t < k; t++) {
      const b = columns[offset + t]!
      out[t]! += b * b
    }
  }
  for (let t = 0; t < k; t++) out[t]! /= 3
  return out
}

/** Side of the square that is transposed at a time: its cache lines, read and written, fit a first-level cache. */
const tile = 32

function transpose<T extends Elements>(source: T, rows: number, cols: number): T {
  const target = (
    source instanceof Float32Array ? new Float32Array(source.length) : new Float64Array(source.length)
  ) as T
  for (let r0 = 0; r0 < rows; r0 += tile) {
    const r1 = Math.min(r0 + tile, rows)
    for (let c0 = 0; c0 < cols; c0 += tile) {
      const c1 = Math.min(c0 + tile, cols)
      for (let c = c0; c < c1; c++) {
        for (let r = r0; r < r1; r++) target[c * rows + r] = source[r * cols + c]!
      }
    }
  }
  return target
}

function checkBytes(bytes: Uint8Array, dtype: DType, k: number, columns: number): void {
  const expected = k * columns * bytesPerElement[dtype]
  if (bytes.length !== expected) {
    throw new RangeError(`${columns} columns of ${k} ${dtype} elements have ${expected} bytes, got ${bytes.length}`)
  }
}
