// Runs a prover and a verifier as two processes over TCP, honestly and dishonestly, and exits non-zero if any verdict is
// not the expected one.
import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { trainClassifier } from './classifier.js'
import { scenarios } from './scenarios.js'

/** @typedef {import('@tensor-assay/core').Verdict} Verdict */
/** @typedef {{ plainMs: number, auditedMs: number, closeMs: number, status: string }} Run */

const folder = await mkdtemp(join(tmpdir(), 'tensor-assay-'))
const modelFile = join(folder, 'model.json')
const percent = (/** @type {number} */ p) => `${(100 * p).toFixed(p > 0.999 || p < 0.01 ? 2 : 1)}%`

console.log('training a small classifier …')
await tf.setBackend('cpu')
const accuracy = await trainClassifier(modelFile)
console.log(`trained to ${percent(accuracy)} accuracy; starting a verifier and a prover in processes of their own\n`)

const verifier = fork(new URL('./verifier.js', import.meta.url), [modelFile])
const verdicts = messages(verifier)
const { address } = await verdicts()
const prover = fork(new URL('./prover.js', import.meta.url), [address, modelFile])
const runs = messages(prover)

let unexpected = 0
for (const [i, scenario] of scenarios.entries()) {
  process.stdout.write(`[${i + 1}/${scenarios.length}] ${scenario.name} (${scenario.mode}) …\n`)
  const [{ verdict }, run] = await Promise.all([verdicts(), runs()])
  if (!report(scenario, verdict, run)) unexpected++
}
prover.disconnect()
verifier.disconnect()
await rm(folder, { recursive: true })
console.log(
  unexpected === 0
    ? `\nall ${scenarios.length} verdicts are as expected`
    : `\n${unexpected} verdicts are NOT as expected`,
)
process.exitCode = unexpected === 0 ? 0 : 1

/**
 * @param {import('./scenarios.js').Scenario} scenario
 * @param {Verdict} verdict
 * @param {Run} run
 */
function report(scenario, verdict, run) {
  const { status, findings, detection, statistics } = verdict
  const worst = findings[0]
  const ok = status === scenario.expected && worst?.reason === scenario.reason && run.status === status
  const half = detection.byFraction.find(({ fraction }) => fraction === 0.5)
  console.log(
    `      ${status.toUpperCase()}${ok ? '' : ` (expected ${scenario.expected} ${scenario.reason ?? ''})`}${worst ? `: ${worst.reason}: ${worst.message}` : ''}`,
  )
  console.log(
    `      ${statistics.rows} rows checked; if half of the rows of a product were wrong, caught with probability ${percent(half?.inOneOperation ?? 0)}; one wrong row: ${percent(detection.oneRow)}`,
  )
  const overhead = (run.auditedMs + run.closeMs) / run.plainMs - 1
  console.log(
    `      product ${run.plainMs.toFixed(0)} ms, audited ${run.auditedMs.toFixed(0)} ms and ${run.closeMs.toFixed(0)} ms to the verdict (single run: ${percent(overhead)} more), verifier ${statistics.checkMs.toFixed(0)} ms, ${(statistics.bytes / 1024).toFixed(0)} KiB on the wire`,
  )
  return ok
}

/**
 * @param {import('node:child_process').ChildProcess} child
 * @returns {() => Promise<any>} The child's next message.
 */
function messages(child) {
  /** @type {unknown[]} */
  const queue = []
  /** @type {((message: unknown) => void)[]} */
  const waiting = []
  child.on('message', (message) => {
    const take = waiting.shift()
    if (take) take(message)
    else queue.push(message)
  })
  child.on('exit', (code) => {
    if (code) {
      console.error(`a process ended with exit code ${code}`)
      process.exit(1)
    }
  })
  return () => (queue.length > 0 ? Promise.resolve(queue.shift()) : new Promise((resolve) => waiting.push(resolve)))
}
