// Runs the model while a verifier watches: node prover.js <model.onnx> <address> [--cheat]
import { readFile } from 'node:fs/promises'
import { onnx } from '@tensor-assay/backend-onnx'
import { createProver } from '@tensor-assay/core'
import { tcp } from '@tensor-assay/transport-tcp'
import * as ort from 'onnxruntime-node'
import { cheapened } from './cheat.js'

const [modelFile, address, option] = process.argv.slice(2)
if (modelFile === undefined || address === undefined) {
  throw new TypeError('usage: node prover.js <model.onnx> <address, such as tcp://auditor:11234> [--cheat]')
}

// Before the session is created: its products are read through outputs that are added to its graph.
const backend = onnx(ort)
const model = new Uint8Array(await readFile(modelFile))
const session = await ort.InferenceSession.create(option === '--cheat' ? cheapened(model) : model)
const x = new ort.Tensor('float32', Float32Array.from({ length: 32 * 32 }, Math.random), [32, 32])

const prover = await createProver({ backend, channel: await tcp().dial(address) })
const outputs = await prover.audit(() => session.run({ x }))
const verdict = await prover.close()

const { data } = /** @type {ort.Tensor} */ (outputs.scores)
const scores = [.../** @type {Float32Array} */ (data).subarray(0, 10)]
console.log(`${x.dims[0]} inputs classified, the first as ${scores.indexOf(Math.max(...scores))}`)
const reasons = [...new Set(verdict.findings.map(({ reason }) => reason))]
console.log(`verdict: ${[verdict.status, ...reasons].join(', ')}`)
process.exitCode = verdict.status === 'pass' ? 0 : 1
