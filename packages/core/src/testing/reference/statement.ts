import type { Activation, Epilogue, Product } from '../../product.ts'
import type { ReferenceActivation } from './activation.ts'
import { type Conv2dOptions, conv2dSizes } from './conv2d.ts'
import type { ReferenceHandles } from './handles.ts'
import { type MatMulOptions, matMulSizes } from './mat-mul.ts'
import { count, type ReferenceTensor } from './tensor.ts'

/** States a `matMul` that gave `c`. */
export function matMulProduct(
  handles: ReferenceHandles,
  [a, b, options]: readonly [ReferenceTensor, ReferenceTensor, MatMulOptions],
  c: ReferenceTensor,
): Product {
  const { transposeA = false, transposeB = false, alpha = 1, bias, addend, beta = 1, activation } = options
  const { m, k, n, aBatch, bBatch } = matMulSizes(a, b, options)
  const likeC = { matrices: count(c.shape.slice(0, -2)), rows: m, cols: n, transposed: false }
  return {
    operation: 'matMul',
    layout: { kind: 'matmul', m, k, n, aBatch, bBatch },
    a: handles.rows(a, { matrices: count(aBatch), rows: m, cols: k, transposed: transposeA }),
    b: handles.right(b, { matrices: count(bBatch), rows: n, cols: k, transposed: !transposeB }),
    c: handles.rows(c, likeC),
    ...(addend && { addend: handles.rows(addend, likeC) }),
    epilogue: {
      ...epilogueOf(handles, Math.fround(alpha), bias, activation),
      ...((bias ?? addend) !== undefined && beta !== 1 && { beta: Math.fround(beta) }),
    },
    profile: 'float32',
  }
}

/** States a `conv2d` that gave `c`. */
export function conv2dProduct(
  handles: ReferenceHandles,
  [x, filters, options]: readonly [ReferenceTensor, ReferenceTensor, Conv2dOptions],
  c: ReferenceTensor,
): Product {
  const { channelsLast, bias, addend, activation } = options
  const sizes = conv2dSizes(x, filters, options)
  const { groups, inChannels, outChannels, kernel } = sizes
  const asRows = (tensor: ReferenceTensor) => {
    const cols = tensor.shape.at(-1)!
    return handles.rows(tensor, { matrices: 1, rows: count(tensor.shape) / cols, cols, transposed: false })
  }
  const n = outChannels / groups
  const k = (inChannels / groups) * count(kernel)
  return {
    operation: 'conv2d',
    layout: { kind: 'convolution', channelsLast, ...sizes },
    a: asRows(x),
    b: handles.right(filters, { matrices: groups, rows: n, cols: k, transposed: channelsLast }),
    c: asRows(c),
    ...(addend && { addend: asRows(addend) }),
    epilogue: epilogueOf(handles, 1, bias, activation),
    profile: 'float32',
  }
}

function epilogueOf(
  handles: ReferenceHandles,
  alpha: number,
  bias: ReferenceTensor | undefined,
  activation: ReferenceActivation = { name: 'linear' },
): Epilogue {
  return {
    alpha,
    ...(bias === undefined ? {} : { bias: handles.vector(bias) }),
    activation: activationOf(handles, activation),
  }
}

function activationOf(handles: ReferenceHandles, activation: ReferenceActivation): Activation {
  if (activation.name === 'prelu') return { name: 'prelu', slopes: handles.vector(activation.slopes) }
  if (activation.name === 'leakyrelu') return { name: 'leakyrelu', slope: Math.fround(activation.slope) }
  if (activation.name === 'hardsigmoid') {
    return { name: 'hardsigmoid', slope: Math.fround(activation.slope), offset: Math.fround(activation.offset) }
  }
  if (activation.name !== 'clip') return activation
  return { name: 'clip', least: Math.fround(activation.least), most: Math.fround(activation.most) }
}
