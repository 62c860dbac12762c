import type { OpaqueOperation, Product } from '@tensor-assay/core'
import { epilogueOf } from './epilogue.ts'
import { handleOf, rightOperandOf, type TensorKeys } from './handles.ts'
import { dtypeOf, type KernelParams, type TensorInfo, type TensorMemory } from './library.ts'

/** States a `BatchMatMul` or `_FusedMatMul` call, or says why it cannot be stated. */
export function productOf(
  kernelName: string,
  params: KernelParams,
  result: TensorInfo,
  memory: TensorMemory,
  keys: TensorKeys,
  isCandidate: (b: TensorInfo) => boolean,
): Product | OpaqueOperation {
  const { inputs, attrs = {} } = params
  const { a, b } = inputs as { a: TensorInfo; b: TensorInfo }
  const opaque = (reason: string): OpaqueOperation => ({ operation: kernelName, reason })
  const dtype = dtypeOf(result)
  if (dtype === undefined || a.dtype !== dtype || b.dtype !== dtype) {
    return opaque(
      `operands of ${a.dtype} and ${b.dtype}, result of ${result.dtype}: only float32 and int32 can be stated`,
    )
  }
  const transposeA = attrs.transposeA === true
  const transposeB = attrs.transposeB === true
  const [m, k] = lastTwo(a, transposeA)
  const n = lastTwo(b, transposeB)[1]
  const aBatch = a.shape.slice(0, -2)
  const bBatch = b.shape.slice(0, -2)

  const epilogue = epilogueOf(params, n, dtype, memory, keys)
  if (typeof epilogue === 'string') return opaque(epilogue)
  return {
    operation: kernelName,
    layout: { kind: 'matmul', m, k, n, aBatch, bBatch },
    a: handleOf({ tensor: a, dtype, matrices: size(aBatch), rows: m, cols: k, transposed: transposeA }, memory, keys),
    b: rightOperandOf(
      { tensor: b, dtype, matrices: size(bBatch), rows: n, cols: k, transposed: transposeB },
      isCandidate(b) ? 'candidate' : 'activation',
      memory,
      keys,
    ),
    c: handleOf(
      { tensor: result, dtype, matrices: size(result.shape.slice(0, -2)), rows: m, cols: n, transposed: false },
      memory,
      keys,
    ),
    epilogue,
    profile: dtype,
  }
}

function lastTwo({ shape }: TensorInfo, transposed: boolean): [number, number] {
  const [rows, cols] = shape.slice(-2) as [number, number]
  return transposed ? [cols, rows] : [rows, cols]
}

function size(shape: readonly number[]): number {
  return shape.reduce((product, dimension) => product * dimension, 1)
}
