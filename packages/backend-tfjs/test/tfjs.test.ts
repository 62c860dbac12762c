import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, test } from 'vitest'
import { tfjs } from '../src/index.ts'
import { allocate, observe, residual } from './observe.ts'
import './wasm-path.ts'

describe.each(['cpu', 'wasm'])('on %s', (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend)
    await tf.ready()
  })

  test.each([
    ['plain', [5, 7], [7, 3], false, false],
    ['A transposed', [7, 5], [7, 3], true, false],
    ['B transposed', [5, 7], [3, 7], false, true],
    ['both transposed', [7, 5], [3, 7], true, true],
    ['batched', [4, 5, 7], [4, 7, 3], false, false],
    ['B broadcast', [4, 5, 7], [1, 7, 3], false, false],
    ['one row', [1, 7], [7, 3], false, false],
    ['one column', [5, 7], [7, 1], false, false],
    ['one term', [5, 1], [1, 3], false, false],
  ] as const)('%s: the handles give the product that was delivered', (_, a, b, transposeA, transposeB) => {
    const x = tf.randomNormal([...a], 0, 1, 'float32', 1)
    const y = tf.randomNormal([...b], 0, 1, 'float32', 2)
    const plain = tf.matMul(x, y, transposeA, transposeB).dataSync()
    const { result, seen } = observe(() => tf.matMul(x, y, transposeA, transposeB))
    expect(seen).toHaveLength(1)
    expect(residual(seen[0]!)).toBeLessThan(1e-5)
    expect(result.dataSync()).toEqual(plain)
    expect(Array.from(seen[0]!.c)).toEqual(Array.from(plain))
  })

  test('rows read alone are those of the whole', () => {
    const x = tf.randomNormal([6, 4], 0, 1, 'float32', 3)
    const y = tf.randomNormal([4, 5], 0, 1, 'float32', 4)
    const subsets: Uint8Array[] = []
    const wholes: Uint8Array[] = []
    const interception = tfjs(tf).intercept({
      product({ a, b, c }) {
        for (const handle of [a, b, c]) {
          const rows = Uint32Array.of(0, handle.rows - 1)
          const some = handle.read(rows, allocate) as { bytes: Uint8Array }
          const whole = (handle.read(undefined, allocate) as { bytes: Uint8Array }).bytes
          const stride = handle.cols * 4
          subsets.push(some.bytes)
          wholes.push(Uint8Array.from([...whole.subarray(0, stride), ...whole.subarray(whole.length - stride)]))
        }
      },
      opaque: () => undefined,
    })
    tf.matMul(x, y)
    interception.restore()
    expect(subsets).toEqual(wholes)
  })

  test('the C of one product is recognised as the A of the next, and nothing else is', () => {
    const x = tf.ones([3, 4])
    const y = tf.ones([4, 4])
    const { seen } = observe(() => tf.matMul(tf.matMul(x, y), y))
    expect(seen[1]!.product.a.key).toBe(seen[0]!.product.c.key)
    expect(seen[0]!.product.a.key).not.toBe(seen[0]!.product.c.key)
    expect(seen[0]!.product.b.role).toBe('candidate')
  })

  test('a dense model is one product a layer, with bias and activation', () => {
    const model = layers.sequential({
      layers: [
        layers.layers.dense({ units: 6, activation: 'relu', inputShape: [4] }),
        layers.layers.dense({ units: 3, activation: 'softmax' }),
      ],
    })
    const x = tf.randomNormal([5, 4], 0, 1, 'float32', 5)
    const plain = (model.predict(x) as tf.Tensor).dataSync()
    const { result, seen } = observe(() => model.predict(x) as tf.Tensor)
    expect(
      seen.map(({ product }) => [product.operation, product.epilogue.activation.name, product.epilogue.bias?.length]),
    ).toEqual([
      ['_FusedMatMul', 'relu', 6],
      // A softmax is no fused activation: tfjs adds that bias by itself, after the product.
      ['_FusedMatMul', 'linear', undefined],
    ])
    expect(result.dataSync()).toEqual(plain)
  })

  test.each<[string, () => tf.Tensor]>([
    [
      'a depthwise convolution',
      () => tf.depthwiseConv2d(tf.ones<tf.Rank.R4>([1, 4, 4, 2]), tf.ones<tf.Rank.R4>([2, 2, 2, 1]), 1, 'same'),
    ],
    [
      'a convolution over three dimensions',
      () => tf.conv3d(tf.ones<tf.Rank.R5>([1, 2, 2, 2, 1]), tf.ones<tf.Rank.R5>([1, 1, 1, 1, 2]), 1, 'same'),
    ],
  ])('%s is reported as opaque, once', (_, run) => {
    const { seen, opaque } = observe(run)
    expect(seen).toEqual([])
    expect(opaque).toHaveLength(1)
  })

  test('the registry is left as it was found, and nothing leaks', () => {
    const before = tf.getKernel('BatchMatMul', backend)
    const x = tf.ones([3, 3])
    const { numTensors, numDataBuffers } = tf.memory()
    const outer = tfjs(tf).intercept({ product: () => undefined, opaque: () => undefined })
    const seenTwice = observe(() => tf.matMul(x, x))
    expect(seenTwice.seen).toHaveLength(1)
    expect(outer.active).toBe(true)
    outer.restore()
    outer.restore()
    seenTwice.result.dispose()
    expect(tf.getKernel('BatchMatMul', backend)).toBe(before)
    expect(tf.memory()).toMatchObject({ numTensors, numDataBuffers })
  })

  test('an observer that throws and a kernel that throws reach nobody they should not', () => {
    const interception = tfjs(tf).intercept({
      product() {
        throw new Error('observer')
      },
      opaque: () => undefined,
    })
    expect(() => tf.matMul(tf.ones([2, 2]), tf.ones([2, 2]))).not.toThrow()
    interception.restore()
    const { seen } = observe(() => expect(() => tf.matMul(tf.ones([2, 3]), tf.ones([2, 3]))).toThrow())
    expect(seen).toEqual([])
  })
})
