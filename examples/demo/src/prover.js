// The prover's process: runs every scenario with TensorFlow.js and reports what it saw of it.
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { tfjs } from '@tensor-assay/backend-tfjs'
import { createProver } from '@tensor-assay/core'
import { tcp } from '@tensor-assay/transport-tcp'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { dishonest, tampering } from './cheats.js'
import { classifier, modelFromFiles } from './classifier.js'
import { scenarios, shapes, values } from './scenarios.js'

const [address, modelFile] = process.argv.slice(2)
if (address === undefined || modelFile === undefined) throw new TypeError('expected the address and the model file')
setWasmPaths(`${join(dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm')))}/`)
await tf.setBackend('wasm')

const model = await modelFromFiles(modelFile)

for (const { model: name, cheat } of scenarios) {
  const run = name === 'classifier' ? classifierRun() : productRun(shapes[name])
  const plainMs = await timed(run)
  const backend = cheat === undefined || cheat === 'tampered' ? tfjs(tf) : dishonest(tf, cheat)
  const channel = await tcp().dial(address)
  const prover = await createProver({ backend, channel: cheat === 'tampered' ? tampering(channel) : channel })
  const auditedMs = await timed(() => prover.audit(run))
  const start = performance.now()
  const verdict = await prover.close()
  process.send?.({ plainMs, auditedMs, closeMs: performance.now() - start, status: verdict.status })
}
process.disconnect?.()

/** @param {{ m: number, k: number, n: number }} shape */
function productRun({ m, k, n }) {
  const a = tf.tensor2d(values(m * k, 1), [m, k])
  const b = tf.tensor2d(values(k * n, 2), [k, n])
  return () => tf.matMul(a, b).dispose()
}

function classifierRun() {
  const { points } = classifier(512)
  return () => /** @type {tf.Tensor} */ (model.predict(points)).dispose()
}

/** @param {() => unknown} run */
async function timed(run) {
  const start = performance.now()
  await run()
  return performance.now() - start
}
