import { execFile } from 'node:child_process'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

interface Ended {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

/** Runs a program until it ends by itself, whatever its exit code. */
async function run(name: string, ...args: string[]): Promise<Ended> {
  const flags = ['--conditions=@tensor-assay/source', '--import=tsx']
  const program = [...flags, fileURLToPath(new URL(`../src/${name}`, import.meta.url)), ...args]
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, program, { timeout: 50_000 })) }
  } catch (error) {
    return error as Ended
  }
}

test('an honest run passes', async () => {
  const { code, stdout, stderr } = await run('start.js')
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^prover {3}\| 32 inputs classified, the first as \d$/m)
  expect(stdout).toContain('prover   | verdict: pass\n')
  // Of each of the three products the last row and 4 drawn ones.
  expect(stdout).toContain('verifier | pass: 15 rows of 3 products were checked, 0 findings\n')
})

test('weights of fewer bits than the public ones fail', async () => {
  const { code, stdout, stderr } = await run('start.js', '--cheat')
  expect([code, stderr]).toEqual([1, ''])
  expect(stdout).toContain('prover   | verdict: fail, activation-refused')
  expect(stdout).toMatch(/^verifier \| fail: /m)
})

test.each(['verifier.js', 'prover.js', 'make-model.js'])('%s says how it is used', async (name) => {
  const { code, stderr } = await run(name)
  expect(code).not.toBe(0)
  expect(stderr).toContain(`usage: node ${name}`)
})
