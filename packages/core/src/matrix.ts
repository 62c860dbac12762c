import { bytesPerElement, type DType } from './dtype.ts'

/** A dense row-major matrix of little-endian elements; `bytes.length === rows × cols × bytesPerElement[dtype]`. */
export interface Matrix {
  readonly rows: number
  readonly cols: number
  readonly dtype: DType
  readonly bytes: Uint8Array
}

/** Bytes of one row of `matrix`. */
export function rowBytes(matrix: { readonly cols: number; readonly dtype: DType }): number {
  return matrix.cols * bytesPerElement[matrix.dtype]
}

/** Row `index` of `matrix`, as a view. */
export function row(matrix: Matrix, index: number): Uint8Array {
  const stride = rowBytes(matrix)
  return matrix.bytes.subarray(index * stride, (index + 1) * stride)
}
