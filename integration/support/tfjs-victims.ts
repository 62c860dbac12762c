import { tfjs } from '@tensor-assay/backend-tfjs'
import '@tensorflow/tfjs-backend-cpu'
import { memoryWeights } from '@tensor-assay/verifier'
import * as tf from '@tensorflow/tfjs-core'
import { asRows, type Victim, values } from './victims.ts'

/** Two dense layers of TensorFlow.js: [20, 40] by [40, 24] with a bias and relu, then by [24, 16]. */
export function tfjsDenseVictim(): Victim {
  const [w1, b1, w2] = [values(40 * 24, 1, 0.3), values(24, 2), values(24 * 16, 3, 0.3)]
  const store = memoryWeights([
    { name: 'w1', shape: [40, 24], data: w1 },
    { name: 'b1', shape: [24], data: b1 },
    { name: 'w2', shape: [24, 16], data: w2 },
  ])
  const layers = { a: tf.tensor2d(w1, [40, 24]), bias: tf.tensor1d(b1), b: tf.tensor2d(w2, [24, 16]) }
  return tfjsVictim([20, 40], store, (x) =>
    tf.matMul(tf.fused.matMul({ a: x, b: layers.a, bias: layers.bias, activation: 'relu' }), layers.b),
  )
}

/** Two convolutions of TensorFlow.js: [1, 7, 6, 3] by 5 filters of 3×3 with relu, then by 4 of 2×2. */
export function tfjsConvolutionVictim(): Victim {
  const [first, second] = [values(3 * 3 * 3 * 5, 1, 0.3), values(2 * 2 * 5 * 4, 2, 0.3)]
  const store = memoryWeights([
    { name: 'first', shape: [3, 3, 3, 5], data: first },
    { name: 'second', shape: [2, 2, 5, 4], data: second },
  ])
  const filters = [tf.tensor4d(first, [3, 3, 3, 5]), tf.tensor4d(second, [2, 2, 5, 4])] as const
  return tfjsVictim([1, 7, 6, 3], store, (x) => {
    const image = x as tf.Tensor4D
    const y = tf.fused.conv2d({ x: image, filter: filters[0], strides: 1, pad: 'same', activation: 'relu' })
    return tf.conv2d(y, filters[1], 1, 'valid')
  })
}

function tfjsVictim(shape: number[], store: Victim['store'], model: (x: tf.Tensor) => tf.Tensor): Victim {
  const count = shape.reduce((product, size) => product * size, 1)
  const inputs = (step: number) => values(count, 100 + step)
  return {
    backend: tfjs(tf),
    store,
    operations: 2,
    input: (step) => asRows(inputs(step), shape.at(-1)!),
    run(step) {
      const [y, cols] = tf.tidy(() => {
        const result = model(tf.tensor(inputs(step), shape, 'float32'))
        return [result.dataSync<'float32'>().slice(), result.shape.at(-1)!]
      }) as unknown as [Float32Array, number]
      return asRows(y, cols)
    },
  }
}
