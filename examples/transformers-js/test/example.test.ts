import { execFile } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { expect, test } from 'vitest'

const programOf = (name: string) => fileURLToPath(new URL(`../src/${name}`, import.meta.url))

test('a transformers.js program prints the same when audited, and every product of it is checked', async () => {
  const flags = ['--conditions=@tensor-assay/source', '--import', import.meta.resolve('tsx')]
  const options = { timeout: 50_000 }
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [...flags, programOf('start.js')], options)
  expect(stderr).toBe('')
  expect(stdout.match(/score: 0\.\d+/g)).toHaveLength(3)
  expect(stdout).toContain('audited, the program prints the same\n')
  // In each of three runs: eight products in each of two layers, two of them of activations, and the classifier.
  expect(stdout).toContain('tensor-assay: verdict pass, 51 of 51 products audited\n')
  expect(stdout).toMatch(/^verifier \| pass: \d+ rows of 51 products were checked, of 51 declared$/m)
  expect(stdout).toMatch(/^verifier \| 39 by public weights, 12 of activations$/m)
})

test('the program knows nothing of it', async () => {
  expect(await readFile(programOf('app.mjs'), 'utf8')).not.toContain('tensor-assay')
})
