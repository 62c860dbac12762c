import {
  createProver,
  createReceiptProver,
  type Manifest,
  parseManifest,
  recordManifest,
  rows,
  type Verdict,
} from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { createVerifier, interactive, memoryWeights, receipt, spot, verifyReceipt } from '@tensor-assay/verifier'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Alteration, type AttentionWeights, attentionLibrary, map } from '../support/attention-library.ts'
import { noise, plain } from '../support/plain-backend.ts'

const [width, inner] = [48, 96]
const scaled = (seed: number, scale: number) => {
  const next = noise(seed)
  return (i: number) => scale * next(i)
}
const weights: AttentionWeights = {
  query: plain(width, width, scaled(1, 0.4)),
  key: plain(width, width, scaled(2, 0.4)),
  value: plain(width, width, scaled(3, 0.4)),
  output: plain(width, width, scaled(4, 0.4)),
  gamma: plain(1, width, (i) => 1 + 0.2 * Math.sin(i)),
  beta: plain(1, width, scaled(6, 0.3)),
  up: plain(width, inner, scaled(7, 0.3)),
  down: plain(inner, width, scaled(8, 0.3)),
}
const store = memoryWeights(
  Object.entries(weights).map(([name, { rows, cols, data }]) => ({
    name,
    shape: rows === 1 ? [cols] : [rows, cols],
    data,
  })),
)
const sampler = rows({ atLeast: 8 })
const input = (length: number, seed: number) => plain(length, width, scaled(seed, 2))

let manifest: Manifest
beforeAll(async () => {
  const library = attentionLibrary()
  const run = (length: number) => () => library.layer(input(length, length), weights)
  manifest = await recordManifest({ backend: library.backend, weights: store, runs: [run(40), run(24)] })
})

let names = 0
async function audit(
  alter?: Alteration,
  options: { steps?: number; maxRetainedBytes?: number } = {},
): Promise<Verdict> {
  const { steps = 1, ...limits } = options
  const transport = memoryTransport()
  const verifier = createVerifier({ weights: store, manifest, policy: interactive({ sampler }) })
  await using listener = await transport.listen(
    `memory:relations-${names++}`,
    (channel) => void verifier.accept(channel),
  )
  const library = attentionLibrary(alter)
  const channel = await transport.dial(listener.address)
  const prover = await createProver({ backend: library.backend, channel, ...limits })
  for (let step = 0; step < steps; step++) await prover.audit(() => library.layer(input(30 + 7 * step, step), weights))
  return prover.close()
}

async function writeReceipt(alter?: Alteration): Promise<Uint8Array> {
  const library = attentionLibrary(alter)
  const { backend } = library
  const prover = await createReceiptProver({ backend, weights: store, sampler, iterations: 10, manifest })
  await prover.audit(() => library.layer(input(33, 5), weights))
  return prover.finish()
}

const verify = (bytes: Uint8Array) =>
  verifyReceipt(bytes, { weights: store, manifest, policy: receipt({ sampler, iterations: 10 }) })

const reasons = ({ findings }: Verdict) => [...new Set(findings.map(({ reason }) => reason))]

test('a manifest says what each tensor follows from, for every length', () => {
  const relations = manifest.operations.map((operation) =>
    operation.kind === 'product' ? Object.keys(operation.relations ?? {}) : [],
  )
  expect(relations).toEqual([[], [], [], ['b'], ['a', 'b'], [], ['a'], ['a']])
  expect(parseManifest(JSON.stringify(manifest))).toEqual(manifest)
})

describe('an honest run', () => {
  test('is shown to be of one piece, while it runs', async () => {
    const verdict = await audit(undefined, { steps: 3 })
    expect(verdict.findings).toEqual([])
    expect(verdict).toMatchObject({ status: 'pass', coverage: { audited: 24, relations: 15, foreignTensors: 3 } })
    expect(verdict.coverage.relationElements).toBeGreaterThan(2000)
  })

  test('is shown to be of one piece by a receipt', async () => {
    const verdict = await verify(await writeReceipt())
    expect(verdict.findings).toEqual([])
    expect(verdict).toMatchObject({ status: 'pass', coverage: { audited: 8, relations: 5, foreignTensors: 1 } })
  })

  test('is inconclusive where the prover has no room for what its tensors follow from', async () => {
    const verdict = await audit(undefined, { maxRetainedBytes: 70_000 })
    expect(verdict.status).not.toBe('fail')
    expect(reasons(verdict)).toContain('relation-unanswered')
  })
})

/** Each is a run whose products are all computed. */
const cheats: Readonly<
  Record<string, { readonly where: string; readonly alter: (value: number, i: number) => number }>
> = {
  'attention to nothing': { where: 'attention', alter: () => 1 / 30 },
  'attention off by a thousandth': { where: 'attention', alter: (p) => p * 1.001 },
  'no normalisation': { where: 'normalisation', alter: (_, i) => Math.sin(i) },
  'a coarser normalisation': { where: 'normalisation', alter: (x) => Math.round(x * 256) / 256 },
  'ReLU for GELU': { where: 'gelu', alter: (x) => Math.max(x, 0) },
  'a GELU of three digits': { where: 'gelu', alter: (x) => Number(x.toPrecision(3)) },
}

describe.each(Object.entries(cheats))('%s', (_, { where, alter }) => {
  const alteration: Alteration = (name, honest) => (name === where ? map(honest, alter) : honest)

  test('fails while it runs', async () => {
    const verdict = await audit(alteration)
    expect(verdict.status).toBe('fail')
    expect(reasons(verdict)).toEqual(['relation-broken'])
  })

  test('fails as a receipt', async () => {
    const verdict = await verify(await writeReceipt(alteration))
    expect(verdict.status).toBe('fail')
    expect(reasons(verdict)).toEqual(['relation-broken'])
  })
})

test('where nothing is committed to, relations are not asked for', async () => {
  const transport = memoryTransport()
  const verifier = createVerifier({ weights: store, manifest, policy: spot({ sampler }) })
  await using listener = await transport.listen('memory:relations-spot', (channel) => void verifier.accept(channel))
  const library = attentionLibrary()
  const prover = await createProver({ backend: library.backend, channel: await transport.dial(listener.address) })
  await prover.audit(() => library.layer(input(30, 1), weights))
  const verdict = await prover.close()
  expect(verdict.findings).toEqual([])
  expect(verdict.coverage.relations).toBeUndefined()
})
