import { createProver, type Manifest, recordManifest, rows, type Verdict } from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { createVerifier, interactive, memoryWeights } from '@tensor-assay/verifier'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Alteration, type AttentionWeights, attentionLibrary, map } from '../support/attention-library.ts'
import { noise, plain } from '../support/plain-backend.ts'

const [width, inner] = [16, 24]
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
/** Rows of the tensors of the runs that are audited. */
const length = 24
const sampler = rows({ atLeast: 12 })
const input = (rows: number, seed: number) => plain(rows, width, scaled(seed, 2))

let manifest: Manifest
beforeAll(async () => {
  const library = attentionLibrary()
  const run = (rows: number) => () => library.layer(input(rows, rows), weights)
  manifest = await recordManifest({ backend: library.backend, weights: store, runs: [run(20), run(length)] })
})

let names = 0
async function audit({ backend, layer }: ReturnType<typeof attentionLibrary>, seed = 1): Promise<Verdict> {
  const transport = memoryTransport()
  const verifier = createVerifier({ weights: store, manifest, policy: interactive({ sampler }) })
  await using listener = await transport.listen(
    `memory:relation-attacks-${names++}`,
    (channel) => void verifier.accept(channel),
  )
  const prover = await createProver({ backend, channel: await transport.dial(listener.address) })
  await prover.audit(() => layer(input(length, seed), weights))
  return prover.close()
}

const reasons = ({ findings }: Verdict) => [...new Set(findings.map(({ reason }) => reason))]

test('an honest run passes', async () => {
  const verdict = await audit(attentionLibrary())
  expect(verdict.findings).toEqual([])
  expect(verdict).toMatchObject({ status: 'pass', coverage: { relations: 5 } })
})

describe('half of the attention, declared as two batches', () => {
  test.each([1, 2, 3])('of input %i', async (seed) => {
    const verdict = await audit(attentionLibrary(undefined, true), seed)
    expect(verdict.status).toBe('fail')
    expect(reasons(verdict)).toEqual(['relation-broken'])
    expect(verdict.findings[0]!.message).toMatch(/a layout of shape \[2,12,12\] was declared/)
  })
})

/** A run whose products are all computed, and one tensor between them in some of its rows is not. */
const alterations: Readonly<Record<string, { readonly where: string; readonly alter: (value: number) => number }>> = {
  'softmax of another temperature': { where: 'attention', alter: (p) => p ** 0.99 },
  'attention to every second token': { where: 'attention', alter: (p) => (p > 1 / length ? p : 0) },
  'no normalisation': { where: 'normalisation', alter: (x) => 1.5 * x },
  'half precision': { where: 'normalisation', alter: (x) => Number(x.toPrecision(3)) },
  'another activation between products': { where: 'gelu', alter: (x) => Math.max(x, 0) },
}

function altered(name: string, isAltered: (row: number) => boolean): Alteration {
  const { where, alter } = alterations[name]!
  return (tensor, honest) =>
    tensor === where
      ? map(honest, (value, i) => (isAltered(Math.floor(i / honest.cols)) ? alter(value) : value))
      : honest
}

describe.each(Object.keys(alterations))('%s', (name) => {
  test.each([1, 2, 3])('fails for input %i', async (seed) => {
    const verdict = await audit(attentionLibrary(altered(name, () => true)), seed)
    expect(verdict.status).toBe('fail')
    expect(reasons(verdict)).toEqual(['relation-broken'])
  })
})

test('a tensor that is wrong in a few rows is caught as often as one of them is drawn', async () => {
  const [wrong, sessions] = [3, 100]
  let caught = 0
  for (let seed = 0; seed < sessions; seed++) {
    const isAltered = (row: number) => (row + seed) % (length / wrong) === 0
    const verdict = await audit(attentionLibrary(altered('another activation between products', isAltered)), seed)
    if (verdict.status === 'fail') caught++
    else expect(verdict.status).toBe('pass')
  }
  // 4 rows of those that are opened are compared; which, nobody knows before: none of the 3 wrong ones in C(21, 4)/C(24, 4).
  const missed = (20 * 19 * 18) / (24 * 23 * 22)
  const spread = Math.sqrt((missed * (1 - missed)) / sessions)
  expect(Math.abs(caught / sessions - (1 - missed))).toBeLessThan(4 * spread)
}, 120_000)
