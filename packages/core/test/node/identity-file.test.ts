import { chmod, mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { identityFile } from '../../src/node/identity-file.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-identity-'))
})
afterAll(() => rm(folder, { recursive: true }))

test('a key is made once, for its owner only, and read afterwards', async () => {
  const path = join(folder, 'prover.key')
  const [first, second] = await Promise.allSettled([identityFile(path), identityFile(path)])
  const made = [first, second].flatMap((result) => (result.status === 'fulfilled' ? [result.value.fingerprint] : []))
  expect(made.length).toBeGreaterThan(0)
  const again = await identityFile(path)
  expect(new Set([...made, again.fingerprint]).size).toBe(1)
  expect((await stat(path)).mode & 0o777).toBe(0o600)
})

test('a key that others can read is refused, and left as it is', async () => {
  const path = join(folder, 'open.key')
  await identityFile(path)
  const before = await readFile(path, 'utf8')
  await chmod(path, 0o644)
  await expect(identityFile(path)).rejects.toMatchObject({
    code: 'identity-unusable',
    message: expect.stringContaining('chmod 600'),
  })
  expect(await readFile(path, 'utf8')).toBe(before)
})

test('a file that is no key is refused without a word of what is in it', async () => {
  const path = join(folder, 'other.key')
  await writeFile(path, 'my password is swordfish', { mode: 0o600 })
  const error = await identityFile(path).catch((caught: Error) => caught)
  expect(error).toMatchObject({ code: 'identity-unusable' })
  expect(String(error)).not.toContain('swordfish')
})

test('what is no file, or too large for a key, is not read', async () => {
  const large = join(folder, 'large.key')
  await writeFile(large, `tensor-assay ed25519 secret key\n${'ab'.repeat(32)}\n${' '.repeat(1000)}`, { mode: 0o600 })
  const directory = await mkdtemp(join(folder, 'directory-'))
  await chmod(directory, 0o700)
  for (const path of [large, directory]) {
    await expect(identityFile(path)).rejects.toMatchObject({ code: 'identity-unusable', message: /not an identity/ })
  }
})

test('a place where nothing can be written is an error with its path', async () => {
  await expect(identityFile(join(folder, 'no', 'such.key'))).rejects.toMatchObject({ code: 'identity-unusable' })
})
