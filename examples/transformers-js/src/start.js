// Runs app.mjs twice on a model made for the occasion, plain and audited, and compares what it prints: node start.js
import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const temporary = await mkdtemp(join(tmpdir(), 'tensor-assay-'))
const folder = join(temporary, 'model')
await run({}, programOf('make-model.js'), folder)
const plain = await run({}, programOf('app.mjs'), folder)
process.stdout.write(plain.stdout)

const modelFile = join(folder, 'onnx/model.onnx')
const verifier = spawn(
  process.execPath,
  [...process.execArgv, programOf('verifier.js'), modelFile, 'tcp://127.0.0.1:0'],
  { stdio: ['ignore', 'pipe', 'inherit'] },
)
try {
  for await (const line of createInterface(verifier.stdout)) {
    console.log(`verifier | ${line}`)
    const [, address] = /^listening on (.*)$/.exec(line) ?? []
    if (address !== undefined) await audited(address)
  }
} finally {
  verifier.kill()
  await rm(temporary, { recursive: true })
}

/** @param {string} address */
async function audited(address) {
  const environment = { ASSAY_VERIFIER: address, ASSAY_REQUIRED: '1' }
  const flags = ['--import', '@tensor-assay/backend-onnx/register']
  const { stdout, stderr } = await run(environment, ...flags, programOf('app.mjs'), folder)
  process.stdout.write(stderr)
  const isSame = stdout === plain.stdout
  console.log(`audited, the program prints ${isSame ? 'the same' : `something else: ${stdout}`}`)
  process.exitCode = isSame && stderr.includes('verdict pass') ? 0 : 1
}

/**
 * @param {Readonly<Record<string, string>>} environment
 * @param {...string} args
 */
function run(environment, ...args) {
  const options = { env: { ...process.env, ...environment }, cwd: fileURLToPath(new URL('.', import.meta.url)) }
  return promisify(execFile)(process.execPath, [...process.execArgv, ...args], options)
}

/** @param {string} name */
function programOf(name) {
  return fileURLToPath(new URL(name, import.meta.url))
}
