import { readFile, stat, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createIdentity, manifestDigest, parseManifest } from '@tensor-assay/core'
import { identityFile } from '@tensor-assay/core/node'
import { describe, expect, test } from 'vitest'
import { runAssay } from '../support/cli.ts'
import { folderOfWeights, store, weightFiles, writeManifest } from '../support/model.ts'

describe('assay weights', () => {
  test('lists digests, types, shapes and names', async () => {
    const { code, stdout, stderr } = await runAssay(['weights', ...weightFiles], await folderOfWeights())
    const [first, second] = store.weights
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toBe(
      `first.npy: 1 held, 0 skipped\n${first!.digest}  float32  [96, 64]  first\n` +
        `second.npy: 1 held, 0 skipped\n${second!.digest}  float32  [64, 32]  second\n`,
    )
  })

  test('--json is for programs', async () => {
    const { code, stdout } = await runAssay(['weights', '--json', 'first.npy'], await folderOfWeights())
    const { digest, byteLength } = store.weights[0]!
    expect(code).toBe(0)
    expect(JSON.parse(stdout)).toEqual([
      {
        file: 'first.npy',
        weights: [{ name: 'first', dtype: 'float32', shape: [96, 64], byteLength, digest }],
        skipped: [],
      },
    ])
  })

  test('says what is skipped, and why; a name cannot write to the terminal', async () => {
    const header = JSON.stringify({
      'a\u001b[2J': { dtype: 'U8', shape: [2], data_offsets: [0, 2] },
      b: { dtype: 'C64', shape: [1], data_offsets: [2, 10] },
    })
    const length = Buffer.alloc(8)
    length.writeBigUInt64LE(BigInt(header.length))
    const file = Buffer.concat([length, Buffer.from(header), Buffer.alloc(10)])
    const { code, stdout } = await runAssay(
      ['weights', 'm.safetensors'],
      await folderOfWeights({ 'm.safetensors': file }),
    )
    expect(code).toBe(0)
    expect(stdout).toMatch(/^m\.safetensors: 1 held, 1 skipped\n[0-9a-f]{64} {2}uint8 {2}\[2\] {2}a\\u\{1b\}\[2J\n/)
    expect(stdout).toContain('skipped  b: "C64" is not one of')
  })
})

describe('assay manifest', () => {
  test('prints the digest and the operations', async () => {
    const json = await writeManifest()
    const folder = await folderOfWeights({ 'model.manifest': json })
    const { code, stdout, stderr } = await runAssay(['manifest', 'model.manifest'], folder)
    const [first, second] = store.weights.map(({ digest }) => `${digest.slice(0, 16)}…`)
    expect([code, stderr]).toEqual([0, ''])
    expect(stdout).toBe(
      'model.manifest: 2 operations to a step, 2 weights\n' +
        `digest ${manifestDigest(parseManifest(json))}\n` +
        'products 2, of which 0 of two activations; opaque 0; links 1; relations 0\n' +
        `  0  matMul  m×96 · 96×64, B = ${first}, float32\n` +
        `  1  matMul  m×64 · 64×32, A = C of 0, B = ${second}, float32\n`,
    )
  })

  test('names weights by their files', async () => {
    const folder = await folderOfWeights({ 'model.manifest': await writeManifest() })
    const { stdout } = await runAssay(['manifest', 'model.manifest', '--weights', ...weightFiles], folder)
    expect(stdout).toContain('  0  matMul  m×96 · 96×64, B = first, float32\n')
  })

  test('--json is for programs', async () => {
    const json = await writeManifest()
    const { stdout } = await runAssay(['manifest', 'm', '--json'], await folderOfWeights({ m: json }))
    expect(JSON.parse(stdout)).toEqual({
      digest: manifestDigest(parseManifest(json)),
      operations: 2,
      opaque: 0,
      ofActivations: 0,
      links: 1,
      relations: 0,
      weights: store.weights.map(({ digest }) => digest),
    })
  })

  test('refuses a file with an unknown field', async () => {
    const changed = { ...JSON.parse(await writeManifest()), tolerance: 1 }
    const folder = await folderOfWeights({ m: JSON.stringify(changed) })
    const { code, stdout, stderr } = await runAssay(['manifest', 'm'], folder)
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).toMatch(/^assay manifest: m: manifest, tolerance: .*; make the file anew by recordManifest\n$/)
  })
})

describe('assay identity', () => {
  test('makes a key file once, and reads it from then on', async () => {
    const folder = await folderOfWeights()
    const made = await runAssay(['identity', 'my.key'], folder)
    const { fingerprint } = await identityFile(join(folder, 'my.key'))
    expect(made).toEqual({
      code: 0,
      stdout: `${fingerprint}\n`,
      stderr: 'made my.key with a new key; keep it to yourself\n',
    })
    expect((await stat(join(folder, 'my.key'))).mode & 0o077).toBe(0)
    expect(await runAssay(['identity', 'my.key'], folder)).toEqual({ code: 0, stdout: `${fingerprint}\n`, stderr: '' })
  })

  test('shows nothing of the secret, not even of a spoilt one', async () => {
    const folder = await folderOfWeights()
    await runAssay(['identity', 'my.key'], folder)
    const secret = await readFile(join(folder, 'my.key'), 'utf8')
    const [hex = ''] = /[0-9a-f]{64}/.exec(secret) ?? []
    expect(createIdentity(Buffer.from(hex, 'hex')).fingerprint).toBe(
      (await identityFile(join(folder, 'my.key'))).fingerprint,
    )
    await writeFile(join(folder, 'my.key'), `${secret}more`)
    const { code, stdout, stderr } = await runAssay(['identity', 'my.key'], folder)
    expect([code, stdout]).toEqual([3, ''])
    expect(stderr).not.toContain(hex)
  })
})
