import { activateReference, checkAddend, checkVector, perColumn, type ReferenceActivation } from './activation.ts'
import { type ReferenceTensor, referenceTensor } from './tensor.ts'

type Pair = readonly [number, number]

/**
 * Channels last: input [batch, height, width, channels], filters [height, width, channels, filters], one group. Channels
 * first: input [batch, channels, height, width], filters [filters, channels of a group, height, width].
 */
export interface Conv2dOptions {
  readonly channelsLast: boolean
  /** 1. */
  readonly groups?: number
  /** [1, 1]. */
  readonly strides?: Pair
  /** [1, 1]. */
  readonly dilations?: Pair
  /** Zeros before and after the input, in each dimension; [0, 0]. */
  readonly padding?: Pair
  /** An element for each filter. */
  readonly bias?: ReferenceTensor
  /** Of the shape of the result. */
  readonly addend?: ReferenceTensor
  readonly activation?: ReferenceActivation
}

export interface Conv2dSizes {
  readonly batch: number
  readonly groups: number
  readonly inChannels: number
  readonly outChannels: number
  readonly input: Pair
  readonly output: Pair
  readonly kernel: Pair
  readonly strides: Pair
  readonly dilations: Pair
  readonly padding: Pair
}

/** @throws {RangeError} If the shapes do not fit. */
export function conv2dSizes(x: ReferenceTensor, filters: ReferenceTensor, options: Conv2dOptions): Conv2dSizes {
  const { channelsLast, groups = 1, strides = [1, 1], dilations = [1, 1], padding = [0, 0] } = options
  const order = channelsLast ? [0, 1, 2, 3] : [0, 2, 3, 1]
  const [batch = 0, height = 0, width = 0, inChannels = 0] = order.map((d) => x.shape[d] ?? 0)
  const filterOrder = channelsLast ? [0, 1, 2, 3] : [2, 3, 1, 0]
  const [kernelHeight = 0, kernelWidth = 0, groupChannels = 0, outChannels = 0] = filterOrder.map(
    (d) => filters.shape[d] ?? 0,
  )
  if (x.shape.length !== 4 || filters.shape.length !== 4 || groupChannels * groups !== inChannels) {
    throw new RangeError(`filters [${filters.shape}] in ${groups} groups do not fit input [${x.shape}]`)
  }
  if (outChannels % groups !== 0 || (channelsLast && groups !== 1)) {
    throw new RangeError(`${outChannels} filters do not come in ${groups} groups here`)
  }
  const input: Pair = [height, width]
  const kernel: Pair = [kernelHeight, kernelWidth]
  const size = (d: 0 | 1) =>
    Math.floor((input[d] + 2 * padding[d] - dilations[d] * (kernel[d] - 1) - 1) / strides[d]) + 1
  const output: Pair = [size(0), size(1)]
  return { batch, groups, inChannels, outChannels, input, output, kernel, strides, dilations, padding }
}

/** activation(convolution + bias + addend), every sum in float32, one term after the other. */
export function conv2dKernel(x: ReferenceTensor, filters: ReferenceTensor, options: Conv2dOptions): ReferenceTensor {
  const { channelsLast, bias, addend, activation = { name: 'linear' } } = options
  const sizes = conv2dSizes(x, filters, options)
  const { batch, groups, inChannels, outChannels, input, output, kernel, strides, dilations, padding } = sizes
  const groupIn = inChannels / groups
  const groupOut = outChannels / groups
  checkVector('bias', bias, outChannels)
  if (activation.name === 'prelu') checkVector('slopes', activation.slopes, outChannels)
  const place = (sample: number, channel: number, row: number, column: number, channels: number, [h, w]: Pair) =>
    channelsLast
      ? ((sample * h + row) * w + column) * channels + channel
      : ((sample * channels + channel) * h + row) * w + column
  const c = new Float32Array(batch * outChannels * output[0] * output[1])
  checkAddend(addend, c.length)
  for (let sample = 0; sample < batch; sample++) {
    for (let filter = 0; filter < outChannels; filter++) {
      for (let row = 0; row < output[0]; row++) {
        for (let column = 0; column < output[1]; column++) {
          let sum = 0
          for (let i = 0; i < groupIn; i++) {
            const channel = Math.floor(filter / groupOut) * groupIn + i
            for (let p = 0; p < kernel[0]; p++) {
              for (let q = 0; q < kernel[1]; q++) {
                const from = row * strides[0] - padding[0] + p * dilations[0]
                const at = column * strides[1] - padding[1] + q * dilations[1]
                if (from < 0 || from >= input[0] || at < 0 || at >= input[1]) continue
                const weight = channelsLast
                  ? ((p * kernel[1] + q) * groupIn + i) * outChannels + filter
                  : ((filter * groupIn + i) * kernel[0] + p) * kernel[1] + q
                const value = x.data[place(sample, channel, from, at, inChannels, input)]!
                sum = Math.fround(sum + value * filters.data[weight]!)
              }
            }
          }
          if (bias !== undefined) sum = Math.fround(sum + perColumn(bias, filter))
          const at = place(sample, filter, row, column, outChannels, output)
          if (addend !== undefined) sum = Math.fround(sum + addend.data[at]!)
          c[at] = activateReference(activation, filter, sum)
        }
      }
    }
  }
  const shape = channelsLast ? [batch, ...output, outChannels] : [batch, outChannels, ...output]
  return referenceTensor(shape, c)
}
