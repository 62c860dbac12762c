import {
  bytesPerElement,
  type CommittedTensor,
  type Control,
  commitTensor,
  type DType,
  leafRowsOf,
  type Matrix,
  sha256,
} from '@tensor-assay/core'
import type { Choices } from './choices.ts'

export const session = new Uint8Array(32).fill(1)
const saltKey = new Uint8Array(32).fill(2)

/** Tensors up to so many bytes are there; larger ones are only declared. */
const maxTensorBytes = 8192
/** The protocol's limit on a dimension. */
const maxDimension = 2 ** 31

export interface Tensor {
  readonly declared: Control<'commit'>['tensors'][number]
  /** Where it is there. */
  readonly matrix?: Matrix
  readonly committed?: CommittedTensor
}

export interface Shape {
  readonly rows: number
  readonly cols: number
  readonly dtype: DType
}

/** A tensor of any content, committed to as an honest prover would. */
export function anyTensor(choices: Choices, tensor: number, shape: Shape): Tensor {
  const rows = shape.rows <= maxDimension ? shape.rows : choices.size()
  const cols = shape.cols <= maxDimension ? shape.cols : choices.size()
  const { dtype } = shape
  const byteLength = rows * cols * bytesPerElement[dtype]
  if (byteLength > maxTensorBytes || rows > maxTensorBytes) {
    return { declared: { tensor, rows, cols, dtype, root: choices.fill(32) } }
  }
  return tensorOf(tensor, { rows, cols, dtype, bytes: content(choices, rows * cols, dtype) })
}

export function tensorOf(tensor: number, matrix: Matrix): Tensor {
  const { rows, cols, dtype } = matrix
  const committed = commitTensor(sha256, { session, tensor, matrix, leafRows: leafRowsOf(matrix), saltKey })
  return { matrix, committed, declared: { tensor, rows, cols, dtype, root: committed.root } }
}

/** Bits of any kind, or numbers of a usual size. */
function content(choices: Choices, elements: number, dtype: DType): Uint8Array {
  if (dtype !== 'float32' || choices.once(4)) return choices.fill(elements * bytesPerElement[dtype])
  const numbers = Float32Array.from(choices.fill(elements), (byte) => (byte - 128) / 16)
  return new Uint8Array(numbers.buffer)
}
