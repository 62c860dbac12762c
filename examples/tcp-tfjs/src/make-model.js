// Makes a small classifier and saves it as model.json with its weights beside it: node make-model.js <folder>
import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { layers, sequential } from '@tensorflow/tfjs-layers'
import { useWasm } from './wasm.js'

const [folder] = process.argv.slice(2)
if (folder === undefined) throw new TypeError('usage: node make-model.js <folder>')

await useWasm()
const model = sequential({
  layers: [
    layers.dense({ units: 64, activation: 'relu', inputShape: [32] }),
    layers.dense({ units: 64, activation: 'relu' }),
    layers.dense({ units: 10, activation: 'softmax' }),
  ],
})
await mkdir(folder, { recursive: true })
await model.save({
  async save({ modelTopology, weightSpecs, weightData }) {
    const weightsManifest = [{ paths: ['weights.bin'], weights: weightSpecs }]
    await writeFile(
      join(folder, 'model.json'),
      JSON.stringify({ format: 'layers-model', modelTopology, weightsManifest }),
    )
    await writeFile(join(folder, 'weights.bin'), new Uint8Array(/** @type {ArrayBuffer} */ (weightData)))
    return { modelArtifactsInfo: { dateSaved: new Date(), modelTopologyType: 'JSON' } }
  },
})
