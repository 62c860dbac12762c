import { geometryOf, type OpaqueOperation, type Product, type RowLookup, toFloat64 } from '@tensor-assay/core'
import * as tf from '@tensorflow/tfjs-core'
import { tfjs } from '../src/index.ts'

export const allocate = (bytes: number) => new Uint8Array(bytes)

export interface Seen {
  readonly product: Product
  readonly a: Float64Array
  readonly b: Float64Array
  readonly c: Float64Array
  readonly bias: Float64Array | undefined
}

/** Everything that `run` shows to an observer, read at once as a prover would. */
export function observe<T>(run: () => T): { result: T; seen: Seen[]; opaque: OpaqueOperation[] } {
  const seen: Seen[] = []
  const opaque: OpaqueOperation[] = []
  const values = (handle: Product['a']) => {
    const matrix = handle.read(undefined, allocate)
    if (matrix instanceof Promise) throw new Error('cpu and wasm read at once')
    return toFloat64(matrix.bytes, matrix.dtype)
  }
  const interception = tfjs(tf).intercept({
    product(product) {
      const stored = product.epilogue.bias?.stored()
      if (stored instanceof Promise) throw new Error('cpu and wasm read at once')
      const bias = stored && toFloat64(stored.bytes.slice(), stored.dtype)
      seen.push({ product, a: values(product.a), b: values(product.b), c: values(product.c), bias })
    },
    opaque: (operation) => opaque.push(operation),
  })
  try {
    return { result: run(), seen, opaque }
  } finally {
    interception.restore()
  }
}

/** Largest difference between C and A·B + bias as the handles give them, for linear products and rectified ones. */
export function residual({ product: { layout, epilogue }, a, b, c, bias }: Seen): number {
  const geometry = geometryOf(layout)
  const { k, n, rows } = geometry
  const rowsOf = (values: Float64Array, cols: number): RowLookup => {
    return (row) => values.subarray(row * cols, (row + 1) * cols)
  }
  let largest = 0
  for (let r = 0; r < rows; r++) {
    const left = geometry.readA(r, rowsOf(a, geometry.a.cols))
    const claimed = geometry.readC(r, rowsOf(c, geometry.c.cols))
    const matrix = geometry.matrixOf(r)
    for (let j = 0; j < n; j++) {
      let sum = bias === undefined ? 0 : bias[bias.length === 1 ? 0 : j]!
      for (let t = 0; t < k; t++) sum += left[t]! * b[(matrix * n + j) * k + t]!
      if (epilogue.activation.name === 'relu') sum = Math.max(sum, 0)
      largest = Math.max(largest, Math.abs(sum - claimed[j]!))
    }
  }
  return largest
}
