import { type Matrix, row } from '../../matrix.ts'
import type { Allocate, RightOperand, StoredTensor, TensorHandle, VectorOperand } from '../../product.ts'
import type { ReferenceTensor, TensorHistory } from './tensor.ts'

/** Matrices of [rows, cols] one after the other, or of [cols, rows] that are read as their transposes. */
interface Reading {
  readonly matrices: number
  readonly rows: number
  readonly cols: number
  readonly transposed: boolean
}

/** Makes handles, and the keys by which tensors are recognised: one for each way of reading the same elements. */
export class ReferenceHandles {
  private readonly keys = new WeakMap<object, Map<string, object>>()
  private readonly history: TensorHistory

  constructor(history: TensorHistory) {
    this.history = history
  }

  rows(tensor: ReferenceTensor, reading: Reading): TensorHandle {
    const { matrices, rows, cols, transposed } = reading
    return {
      key: this.key(tensor, `${matrices * rows}x${cols}${transposed ? `/${rows}` : ''}`),
      rows: matrices * rows,
      cols,
      dtype: 'float32',
      read: (wanted, allocate) => readRows(tensor.data, reading, wanted, allocate),
    }
  }

  /** B, of which `reading` gives the rows of op(B)ᵀ as they lie in memory or, `transposed`, across it. */
  right(tensor: ReferenceTensor, reading: Reading): RightOperand {
    return {
      ...this.rows(tensor, reading),
      transposed: !reading.transposed,
      role: this.history.wasComputed(tensor) ? 'activation' : 'candidate',
      stored: () => this.stored(tensor),
    }
  }

  vector(tensor: ReferenceTensor): VectorOperand {
    return { length: tensor.data.length, dtype: 'float32', stored: () => this.stored(tensor) }
  }

  private stored(tensor: ReferenceTensor): StoredTensor {
    const bytes = bytesOf(tensor.data)
    return { key: this.key(tensor, 'stored'), dtype: 'float32', byteLength: bytes.length, bytes }
  }

  private key(tensor: ReferenceTensor, reading: string): object {
    const identity = this.history.identity(tensor)
    let readings = this.keys.get(identity)
    if (readings === undefined) {
      readings = new Map()
      this.keys.set(identity, readings)
    }
    let key = readings.get(reading)
    if (key === undefined) {
      key = {}
      readings.set(reading, key)
    }
    return key
  }
}

function readRows(
  data: Float32Array,
  { matrices, rows, cols, transposed }: Reading,
  wanted: Uint32Array | undefined,
  allocate: Allocate,
): Matrix {
  const indices = wanted ?? Uint32Array.from({ length: matrices * rows }, (_, i) => i)
  const matrix: Matrix = { rows: indices.length, cols, dtype: 'float32', bytes: allocate(indices.length * cols * 4) }
  for (const [i, r] of indices.entries()) {
    const start = Math.floor(r / rows) * rows * cols
    const within = r % rows
    const values = transposed
      ? Float32Array.from({ length: cols }, (_, t) => data[start + t * rows + within]!)
      : data.subarray(start + within * cols, start + (within + 1) * cols)
    row(matrix, i).set(bytesOf(values))
  }
  return matrix
}

function bytesOf({ buffer, byteOffset, byteLength }: Float32Array): Uint8Array {
  return new Uint8Array(buffer, byteOffset, byteLength)
}
