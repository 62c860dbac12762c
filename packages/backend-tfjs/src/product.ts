import type { Activation, Epilogue, OpaqueOperation, Product } from '@tensor-assay/core'
import { handleOf, rightOperandOf, type TensorKeys, vectorOf } from './handles.ts'
import { dtypeOf, type KernelParams, type TensorInfo, type TensorMemory } from './library.ts'

/** States a `BatchMatMul` or `_FusedMatMul` call, or says why it cannot be stated. */
export function productOf(
  kernelName: string,
  { inputs, attrs = {} }: KernelParams,
  result: TensorInfo,
  memory: TensorMemory,
  keys: TensorKeys,
  isCandidate: (b: TensorInfo) => boolean,
): Product | OpaqueOperation {
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

  const activation = activationOf(attrs, inputs.preluActivationWeights, n, memory, keys)
  if (typeof activation === 'string') return opaque(activation)
  const { bias } = inputs
  if (bias && !isVector(bias, n)) return opaque(`a bias of shape [${bias.shape}] that is not the same for every row`)
  const biasDtype = bias && dtypeOf(bias)
  if (bias && biasDtype !== dtype) return opaque(`a bias of ${bias.dtype}`)
  const epilogue: Epilogue = {
    alpha: 1,
    ...(bias ? { bias: vectorOf(bias, dtype, memory, keys) } : {}),
    activation,
  }
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

/** Whether a tensor holds one value for each column, or one for all, and so is the same for every row. */
function isVector({ shape }: TensorInfo, n: number): boolean {
  const elements = size(shape)
  return elements === 1 || (elements === n && shape.at(-1) === n)
}

function activationOf(
  attrs: Readonly<Record<string, unknown>>,
  slopes: TensorInfo | undefined,
  n: number,
  memory: TensorMemory,
  keys: TensorKeys,
): Activation | string {
  const name = (attrs.activation ?? 'linear') as string
  switch (name) {
    case 'linear':
    case 'relu':
    case 'relu6':
    case 'elu':
    case 'sigmoid':
      return { name }
    case 'leakyrelu':
      return { name, slope: Number(attrs.leakyreluAlpha) }
    case 'prelu':
      if (!slopes || !isVector(slopes, n) || slopes.dtype !== 'float32')
        return 'slopes that are not the same for every row'
      return { name, slopes: vectorOf(slopes, 'float32', memory, keys) }
    default:
      return `activation ${String(name)}`
  }
}
