import { execFile, spawn } from 'node:child_process'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'

const flags = ['--conditions=@tensor-assay/source', '--import=tsx']
const programOf = (name: string, ...args: string[]) => [
  ...flags,
  fileURLToPath(new URL(`../src/${name}`, import.meta.url)),
  ...args,
]

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program until it ends by itself, whatever its exit code. */
async function run(name: string, ...args: string[]): Promise<Ended> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, programOf(name, ...args), { timeout: 50_000 })) }
  } catch (error) {
    return error as Ended
  }
}

let folder: string
let modelFile: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'tensor-assay-'))
  modelFile = join(folder, 'model.json')
  expect(await run('make-model.js', folder)).toMatchObject({ code: 0 })
})

afterAll(() => rm(folder, { recursive: true }))

/** One prover against a verifier; what both print. */
async function session(...options: string[]): Promise<{ prover: Ended; verifier: string[] }> {
  const verifier = spawn(process.execPath, programOf('verifier.js', modelFile, 'tcp://127.0.0.1:0', '--once'), {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const lines = createInterface(verifier.stdout)[Symbol.asyncIterator]()
  const [, address = ''] = /^listening on (.*)$/.exec((await lines.next()).value) ?? []
  const prover = await run('prover.js', modelFile, address, ...options)
  const rest: string[] = []
  for (let line = await lines.next(); !line.done; line = await lines.next()) rest.push(line.value)
  return { prover, verifier: rest }
}

describe('the two programs', () => {
  test('agree that an honest run passes', async () => {
    const { prover, verifier } = await session()
    expect(prover).toMatchObject({ code: 0, stderr: '' })
    expect(prover.stdout).toMatch(/^32 inputs classified, the first as \d\nverdict: pass\n$/)
    // Of each of the three layers the last row and 4 drawn ones.
    expect(verifier[0]).toBe('pass: 15 rows of 3 products were checked, 0 findings')
    expect(verifier.join('\n')).toMatch(/50% wrong rows .* 9\d\.\d%/)
  })

  test('agree that products of too few significant bits fail', async () => {
    const { prover, verifier } = await session('--cheat')
    expect(prover).toMatchObject({ code: 1, stderr: '' })
    expect(prover.stdout).toMatch(/verdict: fail, value-out-of-tolerance\n$/)
    expect(verifier[0]).toMatch(/^fail: .* 15 findings$/)
    expect(verifier[1]).toMatch(/^in _FusedMatMul: /)
  })
})

test.each([
  [[], 0, 'verdict: pass'],
  [['--cheat'], 1, 'verdict: fail'],
] as const)('start.js %j runs both and ends with the exit code of the prover', async (options, code, verdict) => {
  const ended = await run('start.js', ...options)
  expect(ended).toMatchObject({ code, stderr: '' })
  expect(ended.stdout).toContain(`prover   | ${verdict}`)
  expect(ended.stdout).toMatch(/^verifier \| (pass|fail): /m)
})

test.each(['verifier.js', 'prover.js', 'make-model.js'])('%s says how it is used', async (name) => {
  const { code, stderr } = await run(name)
  expect(code).not.toBe(0)
  expect(stderr).toContain(`usage: node ${name}`)
})
