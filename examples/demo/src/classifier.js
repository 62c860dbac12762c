// A small classifier: which of three spiral arms a point lies on, trained on points made here.
import { readFile, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { values } from './scenarios.js'

const arms = 3

/**
 * Points on the arms, lifted to 16 features.
 *
 * @param {number} count
 */
export function classifier(count) {
  const noise = values(count * 2, 7)
  const features = new Float32Array(count * 16)
  const labels = new Float32Array(count * arms)
  for (let i = 0; i < count; i++) {
    const arm = i % arms
    const radius = (i + 1) / count
    const angle = (arm * 2 * Math.PI) / arms + 4 * radius + 0.15 * (noise[2 * i] ?? 0)
    const x = radius * Math.cos(angle)
    const y = radius * Math.sin(angle)
    for (let f = 0; f < 8; f++) {
      features[i * 16 + 2 * f] = Math.sin((f + 1) * x)
      features[i * 16 + 2 * f + 1] = Math.cos((f + 1) * y)
    }
    labels[i * arms + arm] = 1
  }
  return { points: tf.tensor2d(features, [count, 16]), labels: tf.tensor2d(labels, [count, arms]) }
}

/**
 * Trains and writes `model.json` with its weights.
 *
 * @param {string} file
 */
export async function trainClassifier(file) {
  const model = layers.sequential({
    layers: [
      layers.layers.dense({ units: 64, activation: 'relu', inputShape: [16] }),
      layers.layers.dense({ units: 64, activation: 'relu' }),
      layers.layers.dense({ units: arms, activation: 'softmax' }),
    ],
  })
  model.compile({ optimizer: tf.train.adam(0.01), loss: 'categoricalCrossentropy', metrics: ['accuracy'] })
  const { points, labels } = classifier(600)
  const history = await model.fit(points, labels, { epochs: 30, batchSize: 60, verbose: 0 })
  await model.save({
    async save({ modelTopology, weightSpecs, weightData }) {
      const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }]
      await writeFile(file, JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest }))
      await writeFile(join(dirname(file), 'weights.bin'), new Uint8Array(/** @type {ArrayBuffer} */ (weightData)))
      return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
    },
  })
  return Number(history.history.acc?.at(-1))
}

/** @param {string} file */
export async function modelFromFiles(file) {
  const { modelTopology, weightsManifest } = JSON.parse(await readFile(file, 'utf8'))
  const bytes = await readFile(join(dirname(file), 'weights.bin'))
  const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  return layers.loadLayersModel({
    load: async () => ({ modelTopology, weightSpecs: weightsManifest[0].weights, weightData }),
  })
}
