// Runs both programs on this machine, with a model made for the occasion: node start.js [--cheat]
import { execFileSync, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { fileURLToPath } from 'node:url'

const folder = await mkdtemp(join(tmpdir(), 'tensor-assay-'))
const modelFile = join(folder, 'model.onnx')
execFileSync(process.execPath, programOf('make-model.js', modelFile), { stdio: 'inherit' })

const verifier = spawn(process.execPath, programOf('verifier.js', modelFile, 'tcp://127.0.0.1:0', '--once'), {
  stdio: ['ignore', 'pipe', 'inherit'],
})
for await (const line of createInterface(verifier.stdout)) {
  console.log(`verifier | ${line}`)
  const [, address] = /^listening on (.*)$/.exec(line) ?? []
  if (address !== undefined) void prove(address)
}
await rm(folder, { recursive: true })

/** @param {string} address */
async function prove(address) {
  const prover = spawn(process.execPath, programOf('prover.js', modelFile, address, ...process.argv.slice(2)), {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  prover.on('exit', (code) => {
    process.exitCode = code ?? 1
    // A prover that failed before it dialled leaves the verifier waiting.
    setTimeout(() => verifier.kill(), 10_000).unref()
  })
  for await (const line of createInterface(prover.stdout)) console.log(`prover   | ${line}`)
}

/**
 * @param {string} name
 * @param {...string} args
 */
function programOf(name, ...args) {
  return [...process.execArgv, fileURLToPath(new URL(name, import.meta.url)), ...args]
}
