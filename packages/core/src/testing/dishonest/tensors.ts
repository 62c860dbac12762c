import { type Matrix, row } from '../../matrix.ts'
import type { TensorHandle } from '../../product.ts'
import { now } from './evaluate.ts'

/** Everything that a handle gives, as float32 values. */
export function valuesOf(handle: TensorHandle): Float32Array {
  const { bytes } = now(handle.read(undefined, (length) => new Uint8Array(length)))
  return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
}

/** A handle of made-up float32 values, shape [rows, cols]. */
export function handleOf(rows: number, cols: number, values: Float32Array, key: object = {}): TensorHandle {
  const whole: Matrix = { rows, cols, dtype: 'float32', bytes: bytesOf(values) }
  return {
    key,
    rows,
    cols,
    dtype: 'float32',
    read(wanted, allocate) {
      const indices = wanted ?? Uint32Array.from({ length: rows }, (_, i) => i)
      const matrix: Matrix = {
        rows: indices.length,
        cols,
        dtype: 'float32',
        bytes: allocate(4 * indices.length * cols),
      }
      for (const [i, r] of indices.entries()) row(matrix, i).set(row(whole, r))
      return matrix
    },
  }
}

export function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
