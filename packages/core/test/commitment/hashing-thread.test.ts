import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type HashingThread, hashingThread } from '../../src/commitment/hashing-thread.ts'
import { loadSuite } from '../../src/commitment/suite.ts'
import { commitTensor } from '../../src/commitment/tensor.ts'

let folder: string
let thread: HashingThread

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'assay-thread-'))
  await build({
    entryPoints: [fileURLToPath(new URL('../../src/commitment/worker.ts', import.meta.url))],
    outfile: join(folder, 'worker.mjs'),
    bundle: true,
    format: 'esm',
    platform: 'node',
  })
  thread = hashingThread(pathToFileURL(join(folder, 'worker.mjs')))
  await ready(thread)
})

afterAll(() => rm(folder, { recursive: true }))

async function ready(thread: HashingThread): Promise<void> {
  while (!thread.isReady) await new Promise((resolve) => setTimeout(resolve, 5))
}

function input(tensor: number, rows = 7, cols = 5) {
  const bytes = Uint8Array.from({ length: rows * cols * 4 }, (_, i) => (i * 31 + tensor) % 251)
  const matrix = { rows, cols, dtype: 'float32', bytes } as const
  return { session: new Uint8Array(32).fill(1), tensor, matrix, leafRows: 2, saltKey: new Uint8Array(32).fill(2) }
}

test.each(['sha256', 'blake3'] as const)('commits as this thread does, by %s', async (suite) => {
  const results = await Promise.all([0, 1, 2].map((tensor) => thread.commit(suite, input(tensor))))
  for (const [tensor, { committed, bytes }] of results.entries()) {
    expect(committed).toEqual(commitTensor(loadSuite(suite), input(tensor)))
    expect(bytes).toEqual(input(tensor).matrix.bytes)
  }
})

test('memory is handed over and comes back', async () => {
  const { matrix, ...rest } = input(3)
  const buffer = new ArrayBuffer(1024)
  const bytes = new Uint8Array(buffer, 64, matrix.bytes.length)
  bytes.set(matrix.bytes)
  const result = thread.commit('sha256', { ...rest, matrix: { ...matrix, bytes } })
  expect(bytes.length).toBe(0)
  const back = (await result).bytes
  expect([back.byteOffset, back.buffer.byteLength]).toEqual([64, 1024])
  expect(back).toEqual(matrix.bytes)
})

test('what is wrong with one request does not touch the next', async () => {
  const wrong = input(4)
  await expect(thread.commit('sha256', { ...wrong, matrix: { ...wrong.matrix, rows: 8 } })).rejects.toThrow(
    '8×5 has 160 bytes, got 140',
  )
  expect((await thread.commit('sha256', input(4))).committed.rows).toBe(7)
})

test('a thread that cannot be started takes no work', async () => {
  const missing = hashingThread(pathToFileURL(join(folder, 'nothing.mjs')))
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(missing.isReady).toBe(false)
  expect(() => missing.commit('sha256', input(5))).toThrow('not ready')
})

test('what a thread had taken is refused when it dies, and it takes no more', async () => {
  await writeFile(
    join(folder, 'dies.mjs'),
    `import { parentPort } from 'node:worker_threads'
     parentPort.on('message', () => { throw new Error('out of memory') })
     parentPort.postMessage('ready')`,
  )
  const dying = hashingThread(pathToFileURL(join(folder, 'dies.mjs')))
  await ready(dying)
  await expect(dying.commit('sha256', input(6))).rejects.toMatchObject({ code: 'internal' })
  expect(dying.isReady).toBe(false)
})
