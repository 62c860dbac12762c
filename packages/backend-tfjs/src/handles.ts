import type {
  Allocate,
  DType,
  Matrix,
  RightOperand,
  StoredTensor,
  TensorHandle,
  VectorOperand,
} from '@tensor-assay/core'
import type { TensorInfo, TensorMemory } from './library.ts'

const elementBytes = 4

/** The objects by which tensors are recognised: one for each way of reading a tensor's data as rows. */
export class TensorKeys {
  private readonly keys = new WeakMap<object, Map<string, object>>()

  of(dataId: object, reading: string): object {
    let readings = this.keys.get(dataId)
    if (readings === undefined) {
      readings = new Map()
      this.keys.set(dataId, readings)
    }
    let key = readings.get(reading)
    if (key === undefined) {
      key = {}
      readings.set(reading, key)
    }
    return key
  }
}

/** Matrices of [rows, cols] one after the other, or of [cols, rows] that are read as their transposes. */
export interface Stack {
  readonly tensor: TensorInfo
  readonly dtype: DType
  readonly matrices: number
  readonly rows: number
  readonly cols: number
  readonly transposed: boolean
}

export function handleOf(stack: Stack, memory: TensorMemory, keys: TensorKeys): TensorHandle {
  const { tensor, dtype, matrices, rows, cols, transposed } = stack
  return {
    key: keys.of(tensor.dataId, `${matrices * rows}x${cols}${transposed ? `/${rows}` : ''}`),
    rows: matrices * rows,
    cols,
    dtype,
    read: (wanted, allocate) => readRows(stack, memory.view(tensor), wanted, allocate),
  }
}

/** B: its rows are its columns. */
export function rightOperandOf(
  stack: Omit<Stack, 'transposed'> & { readonly transposed: boolean },
  role: RightOperand['role'],
  memory: TensorMemory,
  keys: TensorKeys,
): RightOperand {
  const { tensor } = stack
  return {
    // Held as [n, k], the columns of op(B) lie in memory as rows.
    ...handleOf({ ...stack, transposed: !stack.transposed }, memory, keys),
    transposed: stack.transposed,
    role,
    stored: () => storedOf(stack.dtype, tensor, memory, keys),
  }
}

export function vectorOf(tensor: TensorInfo, dtype: DType, memory: TensorMemory, keys: TensorKeys): VectorOperand {
  const length = tensor.shape.reduce((product, size) => product * size, 1)
  return { length, dtype, stored: () => storedOf(dtype, tensor, memory, keys) }
}

function storedOf(dtype: DType, tensor: TensorInfo, memory: TensorMemory, keys: TensorKeys): StoredTensor {
  const bytes = memory.view(tensor)
  return { key: keys.of(tensor.dataId, 'stored'), dtype, byteLength: bytes.length, bytes }
}

function readRows(stack: Stack, source: Uint8Array, wanted: Uint32Array | undefined, allocate: Allocate): Matrix {
  const { dtype, matrices, rows, cols, transposed } = stack
  const count = wanted?.length ?? matrices * rows
  const stride = cols * elementBytes
  const bytes = allocate(count * stride)
  if (!transposed) {
    // A tensor of no elements may have memory all the same.
    if (wanted === undefined) bytes.set(source.subarray(0, bytes.length))
    else for (const [i, r] of wanted.entries()) bytes.set(source.subarray(r * stride, (r + 1) * stride), i * stride)
    return { rows: count, cols, dtype, bytes }
  }
  const from = new Uint32Array(source.buffer, source.byteOffset, source.byteLength / elementBytes)
  const to = new Uint32Array(bytes.buffer, bytes.byteOffset, count * cols)
  for (let i = 0; i < count; i++) {
    const r = wanted?.[i] ?? i
    const base = Math.floor(r / rows) * rows * cols + (r % rows)
    for (let t = 0; t < cols; t++) to[i * cols + t] = from[base + t * rows]!
  }
  return { rows: count, cols, dtype, bytes }
}
