import type { ConvolutionLayout, OpaqueOperation, Product } from '@tensor-assay/core'
import { epilogueOf } from './epilogue.ts'
import { handleOf, rightOperandOf, type TensorKeys } from './handles.ts'
import { dtypeOf, type KernelParams, type TensorInfo, type TensorMemory } from './library.ts'

type Pair = readonly [number, number]

/**
 * States a `Conv2D` or `FusedConv2D` call with channels last, as the product of patches [rows, kernel × channels] and
 * filters [kernel × channels, filters], or says why it cannot be stated.
 */
export function convolutionOf(
  kernelName: string,
  params: KernelParams,
  result: TensorInfo,
  memory: TensorMemory,
  keys: TensorKeys,
  isCandidate: (b: TensorInfo) => boolean,
): Product | OpaqueOperation {
  const { inputs, attrs = {} } = params
  const { x, filter } = inputs as { x: TensorInfo; filter: TensorInfo }
  const opaque = (reason: string): OpaqueOperation => ({ operation: kernelName, reason })
  const dtype = dtypeOf(result)
  if (dtype !== 'float32' || x.dtype !== dtype || filter.dtype !== dtype) {
    return opaque(`input of ${x.dtype}, filters of ${filter.dtype}: only float32 can be stated`)
  }
  if (attrs.dataFormat === 'NCHW') return opaque('channels first: the filters do not lie as the patches do')
  const layout = layoutOf(x, filter, result, attrs)
  if (typeof layout === 'string') return opaque(layout)
  const { inChannels, outChannels: n, kernel } = layout
  const epilogue = epilogueOf(params, n, dtype, memory, keys)
  if (typeof epilogue === 'string') return opaque(epilogue)
  const rowsOf = (tensor: TensorInfo) => tensor.shape.slice(0, -1).reduce((product, size) => product * size, 1)
  const plain = { dtype, matrices: 1, transposed: false } as const
  const k = kernel[0]! * kernel[1]! * inChannels
  return {
    operation: kernelName,
    layout,
    a: handleOf({ ...plain, tensor: x, rows: rowsOf(x), cols: inChannels }, memory, keys),
    b: rightOperandOf(
      { ...plain, tensor: filter, rows: n, cols: k },
      isCandidate(filter) ? 'candidate' : 'activation',
      memory,
      keys,
    ),
    c: handleOf({ ...plain, tensor: result, rows: rowsOf(result), cols: n }, memory, keys),
    epilogue,
    profile: 'float32',
  }
}

/** The sizes of a convolution: those of the result are the kernel's own, so that its rounding rules need not be known. */
function layoutOf(
  x: TensorInfo,
  filter: TensorInfo,
  result: TensorInfo,
  attrs: Readonly<Record<string, unknown>>,
): ConvolutionLayout | string {
  const [batch, inHeight, inWidth, inChannels] = x.shape as [number, number, number, number]
  const [kernelHeight, kernelWidth, filterChannels, outChannels] = filter.shape as [number, number, number, number]
  const [, outHeight, outWidth] = result.shape as [number, number, number, number]
  if (filterChannels !== inChannels) return `filters of ${filterChannels} channels for an input of ${inChannels}`
  const input: Pair = [inHeight, inWidth]
  const output: Pair = [outHeight, outWidth]
  const kernel: Pair = [kernelHeight, kernelWidth]
  const strides = pairOf(attrs.strides)
  const dilations = pairOf(attrs.dilations)
  const padding = paddingOf(attrs.pad, (d) => {
    const reach = (output[d] - 1) * strides[d] + dilations[d] * (kernel[d] - 1) + 1
    return Math.floor(Math.max(0, reach - input[d]) / 2)
  })
  if (padding === undefined) return `padding ${String(attrs.pad)}`
  const sizes = { batch, groups: 1, inChannels, outChannels, input, output, kernel, strides, dilations, padding }
  return { kind: 'convolution', channelsLast: true, ...sizes }
}

/** A number stands for both dimensions; what is not given is 1. */
function pairOf(value: unknown): Pair {
  if (typeof value === 'number') return [value, value]
  const [height = 1, width = 1] = (value ?? []) as readonly number[]
  return [height, width]
}

/**
 * Zeros above and to the left of the input.
 *
 * @param same - What they are for `same`: the smaller half of what the patches reach beyond the input.
 */
function paddingOf(pad: unknown, same: (dimension: 0 | 1) => number): Pair | undefined {
  if (pad === 'valid') return [0, 0]
  if (pad === 'same') return [same(0), same(1)]
  if (typeof pad === 'number') return [pad, pad]
  const [, height, width] = (Array.isArray(pad) ? pad : []) as readonly (readonly number[] | undefined)[]
  return height === undefined || width === undefined ? undefined : [height[0] ?? 0, width[0] ?? 0]
}
