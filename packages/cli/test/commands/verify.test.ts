import { createIdentity, parseManifest, rows } from '@tensor-assay/core'
import { describe, expect, test } from 'vitest'
import { runAssay } from '../support/cli.ts'
import { folderOfWeights, weightFiles, writeManifest, writeReceipt } from '../support/model.ts'

const terms = ['--weights', ...weightFiles, '--iterations', '1000']

async function verify(receipt: Uint8Array, args: readonly string[], files: Readonly<Record<string, string>> = {}) {
  return runAssay(['verify', 'run.receipt', ...args], await folderOfWeights({ 'run.receipt': receipt, ...files }))
}

const words = (text: string) => text.replace(/\s+/g, ' ')

test('an honest receipt passes, and says what forging it takes', async () => {
  const { code, stdout, stderr } = await verify(await writeReceipt(), terms)
  expect([code, stderr]).toEqual([0, ''])
  expect(stdout).toMatch(/^PASS {2}/)
  expect(words(stdout)).toContain('2 audited of 2 declared')
  expect(words(stdout)).toContain('to forge')
})

test('wrong results fail, with the numbers', async () => {
  const { code, stdout } = await verify(await writeReceipt({ cheat: true }), terms)
  expect(code).toBe(1)
  expect(stdout).toMatch(/^FAIL {2}/)
  expect(words(stdout)).toMatch(/Row \d+, column \d+ of C: claimed \S+, recomputed \S+\. They differ by/)
})

test('a run that was not recorded whole is incomplete', async () => {
  const { code, stdout } = await verify(await writeReceipt({ maxRetainedBytes: 20_000 }), [...terms, '--brief'])
  expect(code).toBe(2)
  expect(stdout).toMatch(/^INCOMPLETE {2}operation-skipped/)
})

test('--json is the verdict, on one line', async () => {
  const { code, stdout } = await verify(await writeReceipt(), [...terms, '--json'])
  expect(code).toBe(0)
  expect(stdout.split('\n')).toHaveLength(2)
  expect(JSON.parse(stdout)).toMatchObject({ status: 'pass', mode: 'receipt', coverage: { operations: 2, audited: 2 } })
})

describe('a receipt of other terms fails, and the user is told which can be given', () => {
  test.each([
    ['the iterations that assay asks for', terms.slice(0, -2), 'expected at least 1048576 iterations, got 1000'],
    ['fewer rows', [...terms, '--rows', '8'], 'expected sampling parameters'],
    ['another hash', [...terms, '--suite', 'blake3'], 'expected hash suite "blake3", got "sha256"'],
    ['other weights', ['--weights', 'first.npy', '--iterations', '1000'], 'it was made for other weights'],
    ['a beacon', [...terms, '--beacon', '07'.repeat(32)], 'expected beacon "0707'],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await verify(await writeReceipt(), args)
    expect(code).toBe(1)
    expect(words(stdout)).toContain(`policy-mismatch ${message}`)
    expect(stderr).toMatch(/^The receipt was made on other terms\./)
  })
})

test('terms, manifest, beacon and signer as given are checked', async () => {
  const [alice, mallory] = [createIdentity(), createIdentity()]
  const manifest = await writeManifest()
  const beacon = new Uint8Array(32).fill(7)
  const receipt = await writeReceipt({
    identity: alice,
    beacon,
    manifest: parseManifest(manifest),
    sampler: rows({ atLeast: 8, rate: 0.5 }),
    suite: 'blake3',
  })
  const args = [...terms, '--rows', '8', '--rate', '0.5', '--suite', 'blake3', '--beacon', '07'.repeat(32)]
  const files = { 'model.manifest': manifest }
  const provers = (side: typeof alice) => ['--manifest', 'model.manifest', '--prover', side.fingerprint]
  const trusted = await verify(receipt, [...args, ...provers(alice)], files)
  expect(trusted.code).toBe(0)
  expect(words(trusted.stdout)).toContain(`signed by the prover ${alice.fingerprint}`)
  expect(words(trusted.stdout)).toContain('manifest 1 complete step, 1 link as it says')
  const stranger = await verify(receipt, [...args, ...provers(mallory)], files)
  expect(stranger.code).toBe(1)
  expect(words(stranger.stdout)).toContain(`peer-untrusted it is by ${alice.fingerprint}`)
})

test('a manifest of weights that no file has is the user’s mistake, not the prover’s', async () => {
  const args = ['--weights', 'first.npy', '--manifest', 'model.manifest']
  const { code, stderr } = await verify(await writeReceipt(), args, { 'model.manifest': await writeManifest() })
  expect(code).toBe(3)
  expect(stderr).toMatch(/^assay verify: model.manifest names the weight [0-9a-f]{64}, which no file of --weights has/)
})

test('a file that is no receipt fails', async () => {
  const { code, stdout } = await verify(Buffer.from('not a receipt'), [...terms, '--brief'])
  expect(code).toBe(1)
  expect(stdout).toContain('it does not begin as a receipt does')
})
