import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { type SeededTensor, valuesOf } from './seeded.ts'

/** Weights that both processes make, and what the prover does with an input. */
export interface Model {
  readonly title: string
  readonly inputShape: readonly [number, number]
  readonly weights: readonly SeededTensor[]
  readonly acceptActivations: boolean
  /** Loads the weights. @returns What computes the output for an input; the caller disposes of both. */
  build(): (input: tf.Tensor2D) => tf.Tensor
}

interface Tensors {
  readonly [name: string]: tf.Tensor
}

/** C = A·B with A [m, k] and B [k, n]. */
export function product(m: number, k: number, n: number): Model {
  const b = { name: 'B', shape: [k, n], seed: 1, scale: 1 }
  return {
    title: `${m}×${k} · ${k}×${n}`,
    inputShape: [m, k],
    weights: [b],
    acceptActivations: false,
    build() {
      const right = tf.tensor2d(valuesOf(b), [k, n])
      return (input) => tf.matMul(input, right)
    },
  }
}

/** Fully connected layers with bias and relu, of the layers library. */
export function dense({ depth, width, batch }: { depth: number; width: number; batch: number }): Model {
  const weights = Array.from({ length: depth }, (_, i) => [
    { name: `dense${i}/kernel`, shape: [width, width], seed: 2 * i + 1, scale: Math.sqrt(6 / width) },
    { name: `dense${i}/bias`, shape: [width], seed: 2 * i + 2, scale: 0.1 },
  ]).flat()
  return {
    title: `${depth} dense layers, ${width} wide, batch ${batch}`,
    inputShape: [batch, width],
    weights,
    acceptActivations: false,
    build() {
      const layer = (i: number) =>
        layers.layers.dense({ units: width, activation: 'relu', ...(i === 0 ? { inputShape: [width] } : {}) })
      const model = layers.sequential({ layers: Array.from({ length: depth }, (_, i) => layer(i)) })
      const tensors = weights.map(tensorOf)
      model.setWeights(tensors)
      // The model has copied them.
      tf.dispose(tensors)
      return (input) => model.predict(input, { batchSize: batch }) as tf.Tensor
    },
  }
}

/** Pre-norm transformer layers over one sequence. Scores and mixing are products of two activations. */
export function transformer(size: { depth: number; width: number; heads: number; length: number }): Model {
  const { depth, width, heads, length } = size
  const matrix = (name: string, rows: number, cols: number, seed: number) => ({
    name,
    shape: [rows, cols],
    seed,
    scale: Math.sqrt(3 / rows),
  })
  const weights = Array.from({ length: depth }, (_, i) => [
    matrix(`${i}/query`, width, width, 10 * i + 1),
    matrix(`${i}/key`, width, width, 10 * i + 2),
    matrix(`${i}/value`, width, width, 10 * i + 3),
    matrix(`${i}/output`, width, width, 10 * i + 4),
    matrix(`${i}/up`, width, 4 * width, 10 * i + 5),
    matrix(`${i}/down`, 4 * width, width, 10 * i + 6),
  ]).flat()

  function layerOf(tensors: Tensors, i: number, x: tf.Tensor2D): tf.Tensor2D {
    const times = (left: tf.Tensor2D, name: string) => tf.matMul(left, tensors[`${i}/${name}`]!) as tf.Tensor2D
    const split = (t: tf.Tensor2D) => tf.transpose(tf.reshape(t, [length, heads, width / heads]), [1, 0, 2])
    const normed = normalised(x)
    const scores = tf.matMul(split(times(normed, 'query')), split(times(normed, 'key')), false, true)
    const shares = tf.softmax(tf.mul(scores, Math.sqrt(heads / width)))
    const mixed = tf.matMul(shares, split(times(normed, 'value')))
    const joined = tf.reshape(tf.transpose(mixed, [1, 0, 2]), [length, width]) as tf.Tensor2D
    const attended = tf.add(x, times(joined, 'output')) as tf.Tensor2D
    return tf.add(attended, times(tf.relu(times(normalised(attended), 'up')), 'down'))
  }

  return {
    title: `transformer, ${depth} layers, width ${width}, ${heads} heads, ${length} tokens`,
    inputShape: [length, width],
    weights,
    acceptActivations: true,
    build() {
      const tensors = Object.fromEntries(weights.map((weight) => [weight.name, tensorOf(weight)]))
      return (input) =>
        tf.tidy(() => {
          let x = input
          for (let i = 0; i < depth; i++) x = layerOf(tensors, i, x)
          return x
        })
    },
  }
}

function normalised(x: tf.Tensor2D): tf.Tensor2D {
  const { mean, variance } = tf.moments(x, 1, true)
  return tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5)))
}

function tensorOf(weight: SeededTensor): tf.Tensor {
  return tf.tensor(valuesOf(weight), [...weight.shape])
}
