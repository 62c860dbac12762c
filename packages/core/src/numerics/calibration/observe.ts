import type { Backend } from '../../backend.ts'
import { type DType, toFloat64 } from '../../dtype.ts'
import { geometryOf } from '../../layout.ts'
import { type Matrix, row } from '../../matrix.ts'
import type { Epilogue, Product, StoredTensor, TensorHandle } from '../../product.ts'
import type { NumericEpilogue } from '../epilogue.ts'
import { encodeMatrix } from './encode.ts'

/** A product that ran: A as rows, B as its columns, shape [n, k], and C as rows. */
export interface ObservedProduct {
  readonly a: Matrix
  readonly columns: Matrix
  readonly c: Matrix
  /** What was done to A·B to give C; nothing when absent. */
  readonly epilogue?: NumericEpilogue
}

/** How much of a product is copied: so many of its rows and columns at most, evenly spread. */
export interface ObserveOptions {
  readonly rows?: number
  readonly columns?: number
}

/**
 * The products that a backend sees while `run` runs, one for each matrix of B: convolutions as products of patches and
 * filters, batches one by one. Left out are those of integers, those to which a tensor is added, those whose A is rounded first, and
 * those with an activation that rounds or scales that differ by column.
 *
 * @param options - 64 rows and 64 columns of each product unless given.
 * @throws Whatever `run` throws, and what the backend says of reading a tensor.
 */
export async function observeProducts(
  backend: Backend,
  run: () => unknown,
  { rows = 64, columns = 64 }: ObserveOptions = {},
): Promise<ObservedProduct[]> {
  const products: Promise<ObservedProduct[]>[] = []
  const interception = backend.intercept({
    product(product) {
      if (isFloating(product)) products.push(copied(product, rows, columns))
    },
    opaque: () => {},
  })
  try {
    await run()
  } finally {
    interception.restore()
    // A rejection while `run` throws is not a second error.
    await Promise.allSettled(products)
  }
  return (await Promise.all(products)).flat()
}

const floating: readonly DType[] = ['float32', 'float16', 'bfloat16']

/** Activations that round nothing. */
const rectifiers = ['linear', 'relu', 'relu6', 'clip'] as const

function isFloating({ a, b, c, addend, roundedBlocks, epilogue: { scales, activation } }: Product): boolean {
  if (addend !== undefined || roundedBlocks !== undefined) return false
  const isExact = rectifiers.some((name) => name === activation.name)
  return isExact && scales === undefined && [a, b, c].every(({ dtype }) => floating.includes(dtype))
}

/** Reads what must be read during the call at once, and waits for the rest. */
async function copied({ layout, a, b, c, epilogue }: Product, maxRows: number, maxColumns: number) {
  const { rows: count, k, n, ...geometry } = geometryOf(layout)
  const rows = spread(count, maxRows)
  const columns = spread(n, maxColumns)
  const matrices = ascending(rows.map((r) => geometry.matrixOf(r)))
  const [readA, readB, readC, bias] = await Promise.all([
    rowsOf(a, ascending(rows.flatMap((r) => geometry.aRows(r)))),
    rowsOf(b, ascending(matrices.flatMap((matrix) => columns.map((column) => matrix * n + column)))),
    rowsOf(c, ascending(rows.flatMap((r) => geometry.cRows(r)))),
    epilogue.bias && numbersOf(epilogue.bias.stored(), epilogue.beta),
  ])
  return matrices.map((matrix): ObservedProduct => {
    const own = rows.filter((r) => geometry.matrixOf(r) === matrix)
    const left = own.map((r) => geometry.readA(r, readA))
    const right = columns.map((column) => readB(matrix * n + column))
    const result = own.map((r) => geometry.readC(r, readC)).map((whole) => columns.map((column) => whole[column]!))
    return {
      a: matrixOf(left, k, a.dtype),
      columns: matrixOf(right, k, b.dtype),
      c: matrixOf(result, columns.length, c.dtype),
      epilogue: numericEpilogue(epilogue, bias && partOf(bias, matrix, n, geometry.matrices), columns),
    }
  })
}

/** At most `most` of the numbers below `count`, evenly spread. */
function spread(count: number, most: number): number[] {
  const length = Math.min(count, most)
  return Array.from({ length }, (_, i) => Math.floor((i * count) / length))
}

function ascending(numbers: readonly number[]): number[] {
  return [...new Set(numbers)].sort((a, b) => a - b)
}

/** The rows of a tensor with these numbers, ascending. */
async function rowsOf(handle: TensorHandle, numbers: readonly number[]): Promise<(number: number) => Float64Array> {
  const matrix = await handle.read(Uint32Array.from(numbers), (bytes) => new Uint8Array(bytes))
  const held = new Map(numbers.map((number, i) => [number, toFloat64(row(matrix, i), matrix.dtype)]))
  return (number) => held.get(number)!
}

async function numbersOf(stored: StoredTensor | Promise<StoredTensor>, factor = 1): Promise<Float64Array> {
  // Not awaited first where it is there: the view is valid during the call only.
  const { bytes, dtype } = stored instanceof Promise ? await stored : stored
  return toFloat64(bytes, dtype).map((value) => factor * value)
}

/** The part of a vector that belongs to one matrix: all of it, where it does not tell them apart. */
function partOf(vector: Float64Array, matrix: number, n: number, matrices: number): Float64Array {
  return vector.length === n * matrices ? vector.subarray(matrix * n, (matrix + 1) * n) : vector
}

function numericEpilogue(
  { alpha, activation }: Epilogue,
  bias: Float64Array | undefined,
  columns: readonly number[],
): NumericEpilogue {
  if (activation.name === 'prelu') throw new TypeError('a product with slopes is not observed')
  if (bias === undefined) return { alpha, activation }
  return { alpha, activation, bias: bias.length === 1 ? bias : Float64Array.from(columns, (column) => bias[column]!) }
}

function matrixOf(rows: readonly ArrayLike<number>[], cols: number, dtype: DType): Matrix {
  const values = new Float32Array(rows.length * cols)
  for (const [i, own] of rows.entries()) values.set(own, i * cols)
  return encodeMatrix(values, rows.length, cols, dtype)
}
