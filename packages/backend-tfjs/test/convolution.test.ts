import '@tensorflow/tfjs-backend-cpu'
import type { ConvolutionLayout } from '@tensor-assay/core'
import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, test } from 'vitest'
import { observe, residual } from './observe.ts'
import './wasm-path.ts'

type Shape4 = [number, number, number, number]
type Pad = Parameters<typeof tf.conv2d>[3]

const noise = (shape: Shape4, seed: number) => tf.randomNormal<tf.Rank.R4>(shape, 0, 1, 'float32', seed)

describe.each(['cpu', 'wasm'])('on %s', (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend)
    await tf.ready()
  })

  test.each<
    [
      name: string,
      x: Shape4,
      filter: Shape4,
      strides: number | [number, number],
      pad: Pad,
      dilations?: [number, number],
    ]
  >([
    ['1×1', [2, 5, 6, 3], [1, 1, 3, 4], 1, 'valid'],
    ['3×2', [2, 5, 6, 3], [3, 2, 3, 4], 1, 'valid'],
    ['same, odd', [1, 5, 6, 2], [3, 3, 2, 4], 1, 'same'],
    ['same, even: more zeros below and to the right', [1, 5, 6, 2], [2, 4, 2, 4], 1, 'same'],
    ['same, strided', [1, 7, 8, 2], [3, 3, 2, 4], [2, 3], 'same'],
    ['same, where nothing is missing', [1, 6, 6, 2], [2, 2, 2, 4], 2, 'same'],
    ['a number of zeros', [1, 5, 5, 2], [3, 3, 2, 4], 2, 1],
    [
      'zeros on each side',
      [1, 5, 6, 2],
      [3, 3, 2, 4],
      1,
      [
        [0, 0],
        [2, 0],
        [0, 1],
        [0, 0],
      ],
    ],
    ['dilated', [1, 8, 9, 2], [3, 2, 2, 4], 1, 'valid', [2, 3]],
    ['dilated, same', [1, 8, 9, 2], [3, 2, 2, 4], 1, 'same', [2, 3]],
    ['one filter of one channel', [3, 4, 4, 1], [2, 2, 1, 1], 1, 'valid'],
  ])('%s: the handles give the product that was delivered', (_, x, filter, strides, pad, dilations = [1, 1]) => {
    const [image, filters] = [noise(x, 1), noise(filter, 2)]
    const run = () => tf.conv2d(image, filters, strides, pad, 'NHWC', dilations)
    const plain = run().dataSync()
    const { result, seen, opaque } = observe(run)
    expect(opaque).toEqual([])
    expect(seen).toHaveLength(1)
    expect(residual(seen[0]!)).toBeLessThan(1e-5)
    expect(result.dataSync()).toEqual(plain)
    expect(Array.from(seen[0]!.c)).toEqual(Array.from(plain))
  })

  test('a fused convolution is one product, with its bias and its activation', () => {
    const [x, filter] = [noise([1, 6, 6, 3], 1), noise([3, 3, 3, 4], 2)]
    const bias = tf.randomNormal([4], 0, 1, 'float32', 3)
    const { seen } = observe(() => tf.fused.conv2d({ x, filter, strides: 1, pad: 'same', bias, activation: 'relu' }))
    expect(seen.map(({ product }) => [product.operation, product.epilogue.activation.name])).toEqual([
      ['FusedConv2D', 'relu'],
    ])
    expect(residual(seen[0]!)).toBeLessThan(1e-5)
  })

  test('the layout is that of the call', () => {
    const { seen } = observe(() =>
      tf.conv2d(
        noise([2, 7, 8, 3], 1),
        noise([3, 2, 3, 5], 2),
        [2, 1],
        [
          [0, 0],
          [1, 1],
          [0, 1],
          [0, 0],
        ],
      ),
    )
    expect(seen[0]!.product.layout).toEqual({
      kind: 'convolution',
      channelsLast: true,
      batch: 2,
      groups: 1,
      inChannels: 3,
      outChannels: 5,
      input: [7, 8],
      output: [4, 8],
      kernel: [3, 2],
      strides: [2, 1],
      dilations: [1, 1],
      padding: [1, 0],
    } satisfies ConvolutionLayout)
  })

  test('the result of one convolution is recognised as the input of the next', () => {
    const { seen } = observe(() =>
      tf.conv2d(
        tf.conv2d(noise([1, 6, 6, 2], 1), noise([2, 2, 2, 3], 2), 1, 'same'),
        noise([2, 2, 3, 2], 3),
        1,
        'same',
      ),
    )
    expect(seen).toHaveLength(2)
    expect(seen[1]!.product.a.key).toBe(seen[0]!.product.c.key)
    expect(seen.map(({ product }) => product.b.role)).toEqual(['candidate', 'candidate'])
  })

  test('a convolutional model is seen layer by layer', () => {
    const model = layers.sequential({
      layers: [
        layers.layers.conv2d({ filters: 4, kernelSize: 3, padding: 'same', activation: 'relu', inputShape: [6, 6, 2] }),
        layers.layers.maxPooling2d({ poolSize: 2 }),
        layers.layers.conv2d({ filters: 3, kernelSize: 2 }),
        layers.layers.flatten(),
        layers.layers.dense({ units: 2 }),
      ],
    })
    const x = noise([2, 6, 6, 2], 4)
    const plain = (model.predict(x) as tf.Tensor).dataSync()
    const { result, seen, opaque } = observe(() => model.predict(x) as tf.Tensor)
    expect(opaque).toEqual([])
    expect(seen.map(({ product }) => product.layout.kind)).toEqual(['convolution', 'convolution', 'matmul'])
    for (const one of seen) expect(residual(one)).toBeLessThan(1e-5)
    expect(result.dataSync()).toEqual(plain)
  })
})

test('with channels first a convolution is opaque, for its filters lie otherwise than its patches', async () => {
  await tf.setBackend('cpu')
  const { seen, opaque } = observe(() => tf.conv2d(noise([1, 2, 5, 5], 1), noise([2, 2, 2, 3], 2), 1, 'valid', 'NCHW'))
  expect(seen).toEqual([])
  expect(opaque).toMatchObject([{ operation: 'Conv2D', reason: expect.stringContaining('channels first') }])
})
