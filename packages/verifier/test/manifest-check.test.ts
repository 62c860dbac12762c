import { type Manifest, type OperationRecord, parseManifest } from '@tensor-assay/core'
import { describe, expect, test } from 'vitest'
import { Ledger } from '../src/ledger.ts'
import { ManifestCheck } from '../src/manifest-check.ts'
import { interactive } from '../src/policy.ts'
import { reasons, record, store } from './support/hand-prover.ts'

const opaque = (
  operation: string,
  step: number,
  sequence: number,
  cause: 'unsupported' | 'skipped' = 'unsupported',
): OperationRecord => ({
  kind: 'opaque',
  operation,
  step,
  sequence,
  cause,
  reason: 'three tensors at once',
})

function check(operations: number) {
  const manifest: Manifest = {
    format: 'tensor-assay-manifest',
    version: 1,
    operations: Array.from({ length: operations }, (_, i) => ({ kind: 'opaque', operation: `op ${i}` })),
  }
  const ledger = new Ledger(interactive(), 0)
  const findings = () => ledger.verdict('', '').findings.map(({ message }) => message)
  return { check: new ManifestCheck(manifest, ledger, true), ledger, findings }
}

test('what is left out is named: one operation, or where many begin and end', () => {
  const { check: held, findings } = check(6)
  held.take(opaque('op 1', 0, 0))
  held.take(opaque('op 2', 0, 1))
  held.finish()
  expect(findings()).toEqual(
    expect.arrayContaining([
      'operation 0 of step 0, op 0, was not declared',
      'operations 3 to 5 of step 0, from op 3 on, were not declared',
    ]),
  )
})

test('steps that are not begun cost nothing at the end, however long the manifest is', () => {
  const { check: held, ledger } = check(100_000)
  // Each of these once cost a finding for every operation of the manifest.
  for (let step = 0; step < 4096; step++) held.take(opaque('op 0', step, step))
  held.finish()
  expect(ledger.verdict('', '').findingCount).toBe(4096 + 1)
})

test('steps without number are no session', () => {
  const { check: held } = check(2)
  for (let step = 0; step < 4096; step++) held.take(opaque('op 0', step, step))
  expect(() => held.take(opaque('op 0', 4096, 4096))).toThrow(
    expect.objectContaining({ code: 'message-unexpected', message: expect.stringContaining('4096 steps') }),
  )
  // Of those that end there may be as many as there are.
  const { check: ended } = check(1)
  for (let step = 0; step < 10_000; step++) expect(ended.take(opaque('op 0', step, step))).toBe(true)
})

test('what was skipped is nothing that was expected', () => {
  const { check: held } = check(2)
  expect(held.take(opaque('op 0', 0, 0, 'skipped'))).toBe(false)
  expect(held.take(opaque('op 1', 0, 1))).toBe(true)
})

describe('a link', () => {
  const product = {
    kind: 'product',
    operation: 'matMul',
    layout: { kind: 'matmul', k: 4, n: 5 },
    b: { digest: store.weights[0]!.digest, transposed: false },
    alpha: 1,
    activation: { name: 'linear' },
    profile: 'float32',
    links: {},
  }
  const links = { a: { operation: 0, tensor: 'a' } }
  const operations = [product, { ...product, links }]
  const manifest = parseManifest(JSON.stringify({ format: 'tensor-assay-manifest', version: 1, operations }))
  const reasonsOf = (...records: readonly OperationRecord[]) => {
    const ledger = new Ledger(interactive(), 0)
    const held = new ManifestCheck(manifest, ledger, true)
    for (const one of records) held.take(one)
    held.finish()
    return { reasons: reasons(ledger.verdict('', '')), links: ledger.coverage.manifestLinks }
  }

  test('holds if the tensor is the very one', () => {
    const { reasons, links } = reasonsOf(record(0, { a: 7 }), record(1, { a: 7 }))
    expect(reasons).toEqual(['nothing-sampled'])
    expect(links).toBe(1)
  })

  test('is broken by another tensor, and by an operation that was skipped', () => {
    const broken = { reasons: ['link-broken', 'nothing-sampled'], links: 0 }
    expect(reasonsOf(record(0, { a: 7 }), record(1, { a: 8 }))).toEqual(broken)
    expect(reasonsOf(opaque('matMul', 0, 0, 'skipped'), record(1, { a: 7 }))).toEqual(broken)
  })
})

test('an addend that the manifest ties to no operation is counted, and one that it ties is held to it', () => {
  const product = {
    kind: 'product',
    operation: 'Conv',
    layout: { kind: 'matmul', k: 4, n: 4 },
    b: null,
    alpha: 1,
    activation: { name: 'linear' },
    profile: 'float32',
    links: {},
  } as const
  const record = (sequence: number, addend?: number): OperationRecord => ({
    ...{ kind: 'product', step: 0, operation: 'Conv', alpha: 1, activation: { name: 'linear' }, profile: 'float32' },
    ...{ sequence, a: 10 * sequence, b: { kind: 'activation', tensor: 10 * sequence + 1 }, c: 10 * sequence + 2 },
    layout: { kind: 'matmul', m: 2, k: 4, n: 4, aBatch: [], bBatch: [] },
    ...(addend === undefined ? {} : { addend }),
  })
  const link = { operation: 0, tensor: 'c' } as const
  function held(links: object, addend?: number) {
    const ledger = new Ledger(interactive(), 0)
    const operations = [product, { ...product, addend: true as const, links }]
    const manifest = new ManifestCheck({ format: 'tensor-assay-manifest', version: 1, operations }, ledger, true)
    const taken = [record(0), record(1, addend)].map((operation) => manifest.take(operation))
    return { taken, coverage: ledger.coverage, reasons: ledger.verdict('', '').findings.map(({ reason }) => reason) }
  }
  const free = held({}, 99)
  expect(free).toMatchObject({ taken: [true, true], coverage: { freeAddends: 1, manifestLinks: 0 } })
  const tied = held({ addend: link }, 2)
  expect(tied).toMatchObject({ taken: [true, true], coverage: { manifestLinks: 1 } })
  expect(tied.coverage.freeAddends).toBeUndefined()
  expect(held({ addend: link }, 99).reasons).toContain('link-broken')
  expect(held({ addend: link }).reasons).toContain('operation-mismatch')
})
