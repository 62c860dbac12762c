// Runs a prover and a verifier as two processes over TCP, honestly and dishonestly, and exits non-zero if any verdict is
// not the expected one.
import { fork } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describeVerdict } from '@tensor-assay/verifier'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { trainClassifier } from './classifier.js'
import { scenarios } from './scenarios.js'

/** @typedef {import('@tensor-assay/core').Verdict} Verdict */
/** @typedef {{ plainMs: number, auditedMs: number, closeMs: number, status: string }} Run */

const folder = await mkdtemp(join(tmpdir(), 'tensor-assay-'))
const modelFile = join(folder, 'model.json')
const indent = '      '

// Otherwise TensorFlow.js prints an advertisement for its native package.
tf.enableProdMode()
console.log('training a small classifier …')
await tf.setBackend('cpu')
const accuracy = await trainClassifier(modelFile)
console.log(
  `trained to ${(100 * accuracy).toFixed(1)}% accuracy; starting a verifier and a prover in processes of their own\n`,
)

const verifier = fork(new URL('./verifier.js', import.meta.url), [modelFile])
const verdicts = messages(verifier)
const { address } = await verdicts()
const prover = fork(new URL('./prover.js', import.meta.url), [address, modelFile])
const runs = messages(prover)

let unexpected = 0
for (const [i, scenario] of scenarios.entries()) {
  console.log(`[${i + 1}/${scenarios.length}] ${scenario.name} (${scenario.mode})`)
  const [{ verdict }, run] = await Promise.all([verdicts(), runs()])
  if (!report(scenario, verdict, run)) unexpected++
}
prover.disconnect()
verifier.disconnect()
await rm(folder, { recursive: true })
console.log(
  unexpected === 0
    ? `all ${scenarios.length} verdicts are as expected`
    : `${unexpected} of ${scenarios.length} verdicts are NOT as expected`,
)
process.exitCode = unexpected === 0 ? 0 : 1

/**
 * @param {import('./scenarios.js').Scenario} scenario
 * @param {Verdict} verdict
 * @param {Run} run
 */
function report(scenario, verdict, run) {
  const { status, findings, statistics } = verdict
  const reason = findings[0]?.reason
  const ok = status === scenario.expected && reason === scenario.reason && run.status === status
  const { isTTY, columns = 100 } = process.stdout
  const color = isTTY === true && !process.env.NO_COLOR
  const text = describeVerdict(verdict, { detail: 'brief', width: Math.min(100, columns) - indent.length, color })
  const lines = text.split('\n')
  if (!ok) lines.push(`NOT AS EXPECTED: ${scenario.expected} ${scenario.reason ?? ''}, and ${status} on both sides`)
  // What a cheat takes is the cheat's time, not the audit's.
  if (scenario.cheat === undefined) {
    const [plain, audited, close, check] = [run.plainMs, run.auditedMs, run.closeMs, statistics.checkMs].map(Math.round)
    const sent = (statistics.bytes / 1024).toFixed(0)
    lines.push(`one run took ${plain} ms, one under audit ${audited} ms and ${close} ms to the verdict`)
    lines.push(`the verifier received ${sent} KiB and checked for ${check} ms`)
  }
  console.log(lines.map((line) => `${indent}${line}\n`).join(''))
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
