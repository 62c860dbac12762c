import { createHash } from 'node:crypto'
import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { tfjs } from '@tensor-assay/backend-tfjs'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, expect, test } from 'vitest'
import { hashing } from '../src/controls.ts'
import { recomputing } from '../src/tfjs-controls.ts'

beforeAll(async () => {
  setWasmPaths(`${dirname(createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm'))}/`)
  await tf.setBackend('wasm')
})

const m = 2500
const a = () =>
  tf.tensor2d(
    Float32Array.from({ length: 2 * m }, (_, i) => i),
    [m, 2],
  )
const b = () => tf.tensor2d([1, 2, 3, 4, 5, 6], [2, 3])

/** C, what was told, and the tensors that were left over. */
async function under(install: () => () => void): Promise<{ c: Float32Array; leaked: number }> {
  const before = tf.memory().numTensors
  const kernel = tf.getKernel('BatchMatMul', 'wasm')
  const uninstall = install()
  const c = tf.tidy(() => tf.matMul(a(), b()).dataSync() as Float32Array)
  uninstall()
  expect(tf.getKernel('BatchMatMul', 'wasm')).toBe(kernel)
  return { c, leaked: tf.memory().numTensors - before }
}

test('the hook that multiplies twice samples 0.1% of the rows of a second result, and leaves the first alone', async () => {
  const plain = await under(() => () => {})
  const sampled: Float32Array[] = []
  const { c, leaked } = await under(recomputing((rows) => sampled.push(...rows)).install)
  expect(c).toEqual(plain.c)
  expect(leaked).toBe(0)
  expect(sampled).toHaveLength(2)
  const rows = new Set(Array.from({ length: m }, (_, r) => c.subarray(3 * r, 3 * r + 3).join()))
  for (const row of sampled) expect(rows).toContain(row.join())
})

test('the second result does not stay in memory', async () => {
  const held = () => (tf.backend() as tf.KernelBackend & { numDataIds(): number }).numDataIds()
  const before = held()
  await under(recomputing().install)
  expect(held()).toBe(before)
})

test('the hook that hashes at once hashes every row of A and C once', async () => {
  const digests: string[] = []
  const { c } = await under(hashing(tfjs(tf), (digest) => digests.push(digest.toString('hex'))).install)
  expect(digests).toHaveLength(2 * m)
  const lastRow = new Uint8Array(c.slice(-3).buffer)
  expect(digests.at(-1)).toBe(createHash('sha256').update(lastRow).digest('hex'))
  expect(new Set(digests).size).toBe(2 * m)
})
