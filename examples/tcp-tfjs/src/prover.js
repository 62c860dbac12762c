// Runs the model while a verifier watches: node prover.js <model.json> <address> [--cheat]
import { readFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { tfjs } from '@tensor-assay/backend-tfjs'
import { createProver } from '@tensor-assay/core'
import { tcp } from '@tensor-assay/transport-tcp'
import * as tf from '@tensorflow/tfjs-core'
import { loadLayersModel } from '@tensorflow/tfjs-layers'
import { cheat } from './cheat.js'
import { useWasm } from './wasm.js'

const [modelFile, address, option] = process.argv.slice(2)
if (modelFile === undefined || address === undefined) {
  throw new TypeError('usage: node prover.js <model.json> <address, such as tcp://auditor:11234> [--cheat]')
}

await useWasm()
if (option === '--cheat') cheat()
const model = await loadModel(modelFile)
const x = tf.randomNormal([32, 32])

const prover = await createProver({ backend: tfjs(tf), channel: await tcp().dial(address) })
const scores = await prover.audit(() => /** @type {tf.Tensor} */ (model.predict(x)))
const verdict = await prover.close()

console.log(`${x.shape[0]} inputs classified, the first as ${tf.argMax(scores, 1).dataSync()[0]}`)
const reasons = [...new Set(verdict.findings.map(({ reason }) => reason))]
console.log(`verdict: ${[verdict.status, ...reasons].join(', ')}`)
process.exitCode = verdict.status === 'pass' ? 0 : 1

/** @param {string} file */
async function loadModel(file) {
  const { modelTopology, weightsManifest } = JSON.parse(await readFile(file, 'utf8'))
  const [{ paths, weights: weightSpecs }] = weightsManifest
  const bytes = await readFile(join(dirname(file), paths[0]))
  const weightData = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength)
  return loadLayersModel({ load: async () => ({ modelTopology, weightSpecs, weightData }) })
}
