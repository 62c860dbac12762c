// Makes what public/model holds, which is kept so that both sides have the same: node src/make-model.js
import { mkdir, writeFile } from 'node:fs/promises'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { initializers, layers, sequential } from '@tensorflow/tfjs-layers'
import { armOf, arms, count, featureCount, featuresOf } from './points.js'

const folder = new URL('../public/model/', import.meta.url)

await tf.setBackend('cpu')
const points = spiral()
const labels = tf.oneHot(
  Array.from({ length: count }, (_, i) => armOf(i)),
  arms,
)
const dense = (/** @type {number} */ units, /** @type {'relu' | 'softmax'} */ activation, /** @type {number} */ seed) =>
  layers.dense({ units, activation, kernelInitializer: initializers.glorotUniform({ seed }) })
const model = sequential({
  layers: [
    layers.inputLayer({ inputShape: [featureCount] }),
    dense(64, 'relu', 1),
    dense(64, 'relu', 2),
    dense(arms, 'softmax', 3),
  ],
})
model.compile({ optimizer: tf.train.adam(0.005), loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
const x = tf.tensor2d(featuresOf(points), [count, featureCount])
const { history } = await model.fit(x, labels, { epochs: 150, batchSize: 30, verbose: 0 })
console.log(`trained to ${(100 * Number(history.acc?.at(-1))).toFixed(1)}% accuracy`)

await mkdir(folder, { recursive: true })
await writeFile(new URL('points.bin', folder), new Uint8Array(points.buffer))
await model.save({
  async save({ modelTopology, weightSpecs, weightData }) {
    const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }]
    const text = JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest })
    await writeFile(new URL('model.json', folder), text)
    await writeFile(new URL('weights.bin', folder), new Uint8Array(/** @type {ArrayBuffer} */ (weightData)))
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
  },
})

function spiral() {
  const xy = new Float32Array(2 * count)
  for (let i = 0; i < count; i++) {
    const radius = 0.08 + (0.92 * i) / count
    // Steps of the golden ratio stand in for noise.
    const angle = (armOf(i) * 2 * Math.PI) / arms + 3.5 * radius + 0.5 * (((i * 0.618) % 1) - 0.5)
    xy[2 * i] = radius * Math.cos(angle)
    xy[2 * i + 1] = radius * Math.sin(angle)
  }
  return xy
}
