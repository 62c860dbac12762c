import { onnx } from '@tensor-assay/backend-onnx'
import { createProver, type Matrix, type Product, type Verdict } from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { createVerifier, spot } from '@tensor-assay/verifier'
import * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'
import { mlp } from '../../packages/backend-onnx/test/models/index.ts'
import { Numbers } from '../../packages/backend-onnx/test/models/writer.ts'
import { contents } from '../../packages/backend-onnx/test/support/ort.ts'
import { dishonestly } from '../support/dishonestly.ts'
import { publicWeights } from '../support/onnx-audit.ts'

const { file, feeds } = mlp()

/** Which session runs and how many rows it is given: steady for a while, in turn, and steady again. */
const runs = [0, 0, 0, 0, 1, 2, 1, 2, 3, 0, 3, 0, 3, 3, 3, 3, 1].map((kind) => {
  return { session: kind % 2, length: kind < 2 ? 5 : 12 }
})

/** Runs of two sessions of one model on inputs of two lengths, in one session of spot mode. */
async function audit(dishonest: Parameters<typeof dishonestly>[0] = (product) => product): Promise<Verdict> {
  const [name, { dims }] = Object.entries(feeds)[0]!
  const plain = await ort.InferenceSession.create(file)
  using backend = onnx(ort)
  const sessions = [await ort.InferenceSession.create(file), await ort.InferenceSession.create(file)]
  const transport = memoryTransport()
  const verifier = createVerifier({ weights: await publicWeights(file), policy: spot() })
  await using listener = await transport.listen('memory:lengths', (channel) => void verifier.accept(channel))
  const channel = await transport.dial(listener.address)
  const prover = await createProver({ backend: dishonestly(dishonest)(backend), channel })
  for (const [i, { session, length }] of runs.entries()) {
    const data = new Numbers(i).floats(length * dims[1]!, 1)
    const input = { [name]: new ort.Tensor('float32', data, [length, dims[1]!]) }
    const outputs = await prover.audit(() => sessions[session]!.run(input))
    expect(contents(outputs)).toEqual(contents(await plain.run(input)))
    // What is drawn ahead is drawn when there is nothing else to do.
    if (i % 3 === 0) await new Promise((resolve) => setTimeout(resolve, 5))
  }
  const verdict = await prover.close()
  for (const session of [plain, ...sessions]) await session.release()
  return verdict
}

/** The same rows of C, a little larger, whichever are read. */
function enlarged(product: Product): Product {
  const read: Product['c']['read'] = (rows, allocate) => {
    const { bytes, ...shape } = product.c.read(rows, allocate) as Matrix
    const values = new Float32Array(bytes.slice().buffer).map((value) => value + 1 + Math.abs(value))
    return { ...shape, bytes: new Uint8Array(values.buffer) }
  }
  return { ...product, c: { ...product.c, read } }
}

test('runs of two lengths and two sessions in turn are stated as what they are', async () => {
  let products = 0
  const verdict = await audit((product) => {
    products++
    return product
  })
  // One row of few entries may cancel by chance.
  expect(verdict.findings.filter(({ reason }) => reason !== 'tolerance-guard')).toEqual([])
  expect(products).toBeGreaterThanOrEqual(runs.length)
  expect(verdict.coverage).toMatchObject({ operations: products, audited: products, opaque: 0 })
})

test.each([3, 7, 15])('a wrong result of run %d is found among them', async (run) => {
  const perRun = 3
  let products = 0
  const verdict = await audit((product) => (products++ === run * perRun ? enlarged(product) : product))
  expect(products).toBe(runs.length * perRun)
  expect(verdict.status).toBe('fail')
  expect(verdict.findings.map(({ reason }) => reason)).toContain('value-out-of-tolerance')
})
