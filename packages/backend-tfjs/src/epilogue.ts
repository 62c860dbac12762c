import type { Activation, Epilogue } from '@tensor-assay/core'
import { type TensorKeys, vectorOf } from './handles.ts'
import { dtypeOf, type KernelParams, type TensorInfo, type TensorMemory } from './library.ts'

/**
 * What a fused kernel adds and applies.
 *
 * @param n - Columns of C.
 * @param dtype - Element type of C.
 * @returns Why it cannot be stated, if it cannot.
 */
export function epilogueOf(
  { inputs, attrs = {} }: KernelParams,
  n: number,
  dtype: 'float32' | 'int32',
  memory: TensorMemory,
  keys: TensorKeys,
): Epilogue | string {
  const { bias, preluActivationWeights } = inputs
  const activation = activationOf(attrs, preluActivationWeights, n, memory, keys)
  if (typeof activation === 'string') return activation
  if (!bias) return { alpha: 1, activation }
  if (!isVector(bias, n)) return `a bias of shape [${bias.shape}] that is not the same for every row`
  if (dtypeOf(bias) !== dtype) return `a bias of ${bias.dtype}`
  return { alpha: 1, bias: vectorOf(bias, dtype, memory, keys), activation }
}

/** Whether a tensor holds one value for each column, or one for all, and so is the same for every row. */
function isVector({ shape }: TensorInfo, n: number): boolean {
  const elements = shape.reduce((product, dimension) => product * dimension, 1)
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
