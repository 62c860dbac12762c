import { memoryWeights } from '@tensor-assay/verifier'
import * as tf from '@tensorflow/tfjs-core'
import { values } from './victims.ts'

/** What a dishonest run makes of a tensor that it computes between products. */
export type TensorAlteration = (name: string, honest: tf.Tensor) => tf.Tensor

type Shapes = Readonly<Record<string, readonly [number[], number, number?]>>

/** A layer of a transformer: heads of 8 channels, and a perceptron of one hidden layer. */
const [width, heads, inner] = [32, 4, 48]
const transformerShapes = {
  embed: [[width, width], 0.3],
  query: [[width, width], 0.5],
  key: [[width, width], 0.5],
  value: [[width, width], 0.4],
  output: [[width, width], 0.4],
  up: [[width, inner], 0.4],
  down: [[inner, width], 0.3],
  head: [[width, 10], 0.3],
  queryBias: [[width], 0.2],
  keyBias: [[width], 0.2],
  valueBias: [[width], 0.2],
  outputBias: [[width], 0.2],
  upBias: [[inner], 0.2],
  downBias: [[width], 0.2],
  gamma: [[width], 0.2, 1],
  beta: [[width], 0.3],
} as const satisfies Shapes

/** Attention of several heads, residual sums, layer normalisations and GELU: ten products from [length, 32] to [length, 10]. */
export function tfjsTransformer() {
  const { store, weights } = publicTensors(transformerShapes)
  const dense = (x: tf.Tensor, name: 'query' | 'key' | 'value' | 'output' | 'up' | 'down') =>
    tf.fused.matMul({ a: x, b: weights[name], bias: weights[`${name}Bias`] })
  const normalised = (x: tf.Tensor) => {
    const { mean, variance } = tf.moments(x, -1, true)
    const normal = tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5)))
    return tf.add(tf.mul(normal, weights.gamma), weights.beta)
  }
  const byHead = (x: tf.Tensor) => tf.transpose(tf.reshape(x, [-1, heads, width / heads]), [1, 0, 2])

  function run(x: tf.Tensor, alter: TensorAlteration): tf.Tensor {
    const h = tf.matMul(x, weights.embed)
    const [q, k, v] = [byHead(dense(h, 'query')), byHead(dense(h, 'key')), byHead(dense(h, 'value'))]
    const scores = alter('scores', tf.mul(tf.matMul(q, k, false, true), 1 / Math.sqrt(width / heads)))
    const attention = alter('attention', tf.softmax(scores))
    const mixed = tf.reshape(tf.transpose(tf.matMul(attention, v), [1, 0, 2]), [-1, width])
    const first = alter('normalisation', normalised(tf.add(h, dense(mixed, 'output'))))
    const up = dense(first, 'up')
    const gelu = tf.mul(tf.mul(up, 0.5), tf.add(tf.erf(tf.div(up, Math.SQRT2)), 1))
    const second = normalised(tf.add(first, dense(alter('gelu', gelu), 'down')))
    return tf.matMul(second, weights.head)
  }
  return { store, run, input: (length: number, seed: number) => input([length, width], seed) }
}

const networkShapes = {
  first: [[3, 3, 3, 6], 0.4],
  second: [[3, 3, 6, 8], 0.2],
  dense: [[4 * 4 * 8, 10], 0.2],
  mean: [[6], 0.2],
  variance: [[6], 0.2, 0.6],
  offset: [[6], 0.2],
  scale: [[6], 0.3, 1],
} as const satisfies Shapes

/** Two convolutions with batch normalisation, rectifiers and pooling, and a dense layer: three products from [batch, 8, 8, 3] to [batch, 10]. */
export function tfjsNetwork() {
  const { store, weights } = publicTensors(networkShapes)
  const { first, second, mean, variance, offset, scale } = weights

  function run(x: tf.Tensor, alter: TensorAlteration): tf.Tensor {
    const y = tf.conv2d(x as tf.Tensor4D, first as tf.Tensor4D, 1, 'same')
    const normal = tf.batchNorm(
      y,
      mean as tf.Tensor1D,
      variance as tf.Tensor1D,
      offset as tf.Tensor1D,
      scale as tf.Tensor1D,
    )
    const rectified = alter('normalisation', tf.relu(normal))
    const z = tf.relu(tf.conv2d(rectified as tf.Tensor4D, second as tf.Tensor4D, 1, 'same'))
    const features = alter('features', tf.maxPool(z as tf.Tensor4D, 2, 2, 'valid'))
    return tf.matMul(tf.reshape(features, [-1, 4 * 4 * 8]), weights.dense)
  }
  return { store, run, input: (batch: number, seed: number) => input([batch, 8, 8, 3], seed) }
}

function input(shape: number[], seed: number): tf.Tensor {
  return tf.tensor(values(sizeOf(shape), 1000 + seed), shape, 'float32')
}

/** By name: shape, scale and what is added. */
function publicTensors<Name extends string>(
  shapes: Readonly<Record<Name, readonly [readonly number[], number, number?]>>,
) {
  const tensors = (Object.entries(shapes) as [Name, readonly [readonly number[], number, number?]][]).map(
    ([name, [shape, scale, offset = 0]], i) => {
      const data = values(sizeOf(shape), 100 + i, scale).map((value) => value + offset)
      return { name, shape: [...shape], data }
    },
  )
  return {
    store: memoryWeights(tensors),
    weights: Object.fromEntries(tensors.map(({ name, shape, data }) => [name, tf.tensor(data, shape)])) as Record<
      Name,
      tf.Tensor
    >,
  }
}

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}
