import { hexToBytes } from '@noble/hashes/utils.js'
import {
  deriveSeed,
  drawWithoutReplacement,
  type ProductRecord,
  quantizeRow,
  randomStream,
  rows,
} from '@tensor-assay/core'
import { describe, expect, test } from 'vitest'
import { Audit } from '../src/audit.ts'
import { checkOpenedRows } from '../src/check.ts'
import { interactive, memoryWeights, type Policy, spot } from '../src/index.ts'
import type { OpenedTensor } from '../src/opened.ts'
import { preparedWeights } from '../src/prepared-weights.ts'
import { Projections } from '../src/projections.ts'

const [m, k, n] = [6, 32, 48]
const wave = (i: number) => Math.sin(1 + 0.37 * i * i)
const a = Float32Array.from({ length: m * k }, (_, i) => wave(i))
const b = Float32Array.from({ length: k * n }, (_, i) => wave(2 * i + 1))
const q = Int8Array.from({ length: k * n }, (_, i) => (i * 37) % 127)
const bias = Float32Array.from({ length: n }, (_, i) => wave(3 * i))
const store = memoryWeights([
  { name: 'b', shape: [k, n], data: b },
  { name: 'q', shape: [k, n], data: q },
  { name: 'bias', shape: [n], data: bias },
])
const weight = (i: number) =>
  ({ kind: 'weight', digest: hexToBytes(store.weights[i]!.digest), transposed: false }) as const

const record: ProductRecord = {
  kind: 'product',
  sequence: 0,
  step: 0,
  operation: 'MatMul',
  layout: { kind: 'matmul', m, k, n, aBatch: [], bBatch: [] },
  a: 0,
  b: weight(0),
  c: 1,
  alpha: 1,
  activation: { name: 'linear' },
  profile: 'float32',
}
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
const seed = (i: number) => new Uint8Array(32).fill(i)
const allRows = Uint32Array.from({ length: m }, (_, i) => i)

function product(left: Float32Array = a): Float32Array {
  return Float32Array.from({ length: m * n }, (_, i) => {
    let sum = 0
    for (let t = 0; t < k; t++)
      sum = Math.fround(sum + Math.fround(left[Math.floor(i / n) * k + t]! * b[t * n + (i % n)]!))
    return sum
  })
}

interface Given {
  readonly c: ArrayBufferView
  readonly left?: ArrayBufferView
  readonly policy?: Policy
  readonly changes?: Partial<ProductRecord>
  readonly types?: readonly [OpenedTensor['dtype'], OpenedTensor['dtype']]
}

async function check({ c, left = a, policy = interactive(), changes = {}, types = ['float32', 'float32'] }: Given) {
  const stated = { ...record, ...changes }
  const tensor = (number: number, cols: number, content: ArrayBufferView): OpenedTensor => ({
    tensor: number,
    cols,
    dtype: types[number]!,
    indices: allRows,
    bytes: bytesOf(content),
  })
  const opened = { plan: { rows: allRows }, a: tensor(0, k, left), c: tensor(1, n, c) }
  const weights = await preparedWeights(store).of(stated, types[1])
  const seeds = { seed: seed(1), vectorSeed: seed(2) }
  return checkOpenedRows({ record: stated, opened, ...seeds, projections: new Projections(), policy, weights })
}

const off = (places: readonly number[], by: number) => {
  const c = product()
  for (const place of places) c[place]! += by
  return c
}

test('what is right has no findings, and every row of it was looked at', async () => {
  const checked = await check({ c: product() })
  expect(checked).toMatchObject({ rows: m, findings: [], guards: 0 })
  expect(checked.vectors).toBe(2 * m)
})

describe('one wrong entry is found', () => {
  test.each(Array.from(allRows))('in row %i', async (row) => {
    const { findings } = await check({ c: off([row * n + 7], 0.01) })
    expect(findings).toMatchObject([{ reason: 'value-out-of-tolerance', evidence: { row, column: 7 } }])
  })

  test('as not finite, if it is that', async () => {
    for (const value of [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY]) {
      const { findings } = await check({ c: off([n + 7], value) })
      expect(findings).toMatchObject([{ reason: 'value-not-finite', evidence: { row: 1, column: 7 } }])
    }
  })

  test('by vectors alone, where no entry is drawn', async () => {
    const { findings } = await check({ c: off([n + 7], 0.01), policy: interactive({ entries: 0, vectors: 1 }) })
    expect(findings).toMatchObject([{ reason: 'value-out-of-tolerance' }])
  })

  test('by entries alone, where there is no vector', async () => {
    const places = Array.from({ length: n }, (_, j) => 3 * n + j)
    const { findings, entries } = await check({ c: off(places, 0.01), policy: interactive({ entries: 5, vectors: 0 }) })
    expect(findings).toMatchObject([{ reason: 'value-out-of-tolerance', evidence: { row: 3 } }])
    expect(entries).toBeLessThanOrEqual(5 * m)
  })
})

test('errors that no entry shows are judged together', async () => {
  const c = product()
  // A third of the tolerance, everywhere, in one direction.
  for (const [i, value] of c.entries()) {
    const norm = Math.hypot(...Array.from({ length: k }, (_, t) => a[Math.floor(i / n) * k + t]! * b[t * n + (i % n)]!))
    c[i] = value + 1.6 * 2 ** -24 * Math.sqrt(k) * Math.hypot(norm, value)
  }
  const { findings } = await check({ c, policy: interactive({ vectors: 0, entries: n }) })
  expect(findings.map(({ reason }) => reason)).toEqual(['values-biased'])
})

test('a row of which nothing can be said is a finding', async () => {
  const left = a.slice()
  left[2 * k] = Number.POSITIVE_INFINITY
  const checked = await check({ c: product(left), left })
  expect(checked.findings).toMatchObject([{ reason: 'tolerance-guard', evidence: { row: 2 } }])
  expect(checked.guards).toBe(1)
})

test('quantised operands are less their zero points', async () => {
  const left = Uint8Array.from({ length: m * k }, (_, i) => (i * 11) % 251)
  const zero = 17
  const sums = Int32Array.from({ length: m * n }, (_, i) => {
    let sum = 0
    for (let t = 0; t < k; t++) sum += (left[Math.floor(i / n) * k + t]! - zero) * q[t * n + (i % n)]!
    return sum
  })
  const given = { left, types: ['uint8', 'int32'] as const }
  const changes = { b: weight(1), profile: 'int8' as const, zeroPoints: { a: zero } }
  expect((await check({ ...given, c: sums, changes })).findings).toEqual([])
  const others = { ...changes, zeroPoints: { a: zero + 1 } }
  expect((await check({ ...given, c: sums, changes: others })).findings[0]?.reason).toBe('value-out-of-tolerance')
})

test('in spot mode the entries come from a seed that the prover was not handed', async () => {
  const policy = spot({ entries: 1, vectors: 0, sampler: rows({ atLeast: m }) })
  const [plan, check_] = [seed(3), seed(4)]
  const entryOf = (from: Uint8Array, row: number) =>
    drawWithoutReplacement(randomStream(deriveSeed(from, 'entries', row)), 1, n)[0]!
  // Right where the handed seed would look, and wrong everywhere else.
  const c = product().map((value, i) => (entryOf(plan, Math.floor(i / n)) === i % n ? value : value + 1))
  expect(Array.from(allRows).some((row) => entryOf(plan, row) !== entryOf(check_, row))).toBe(true)
  const quiet = { manifest: undefined, inputs: [], outputs: [], onChecked: () => {} }
  const audit = new Audit({ policy, store, prepared: preparedWeights(store), ...quiet })
  const tensors = [
    { tensor: 0, rows: m, cols: k, dtype: 'float32' as const },
    { tensor: 1, rows: m, cols: n, dtype: 'float32' as const },
  ]
  await audit.sampled({ record, tensors }, [bytesOf(a), bytesOf(c)], () => ({ plan, check: check_ }))
  expect(audit.ledger.verdict('', '').findings[0]?.reason).toBe('value-out-of-tolerance')
})

describe('rows that say nothing of A are checked, and count for nothing', () => {
  const zero = new Float32Array(m * n)
  const clip = (least: number, most: number) => ({ name: 'clip', least, most }) as const

  test.each<[string, Partial<ProductRecord>]>([
    ['a factor of 0', { alpha: 0 }],
    ['an activation of one value', { activation: clip(0, 0) }],
    ['an activation whose ends are crossed', { activation: clip(2, 0) }],
    ['a hard sigmoid without a slope', { activation: { name: 'hardsigmoid', slope: 0, offset: 0 } }],
    ['a hard sigmoid far from its slope', { activation: { name: 'hardsigmoid', slope: 1, offset: -1e9 } }],
  ])('%s', async (_, changes) => {
    expect(await check({ c: zero, changes })).toMatchObject({ rows: 0, findings: [] })
    const wrong = zero.slice().fill(1, -1)
    expect(await check({ c: wrong, changes })).toMatchObject({ rows: 0, findings: [{ evidence: { row: m - 1 } }] })
  })

  test('patches in the padding', async () => {
    // Two patches of one place before the input, the others in it.
    const shifted = new Float32Array(m * n)
    shifted.set(product().subarray(0, (m - 2) * n), 2 * n)
    const layout: ProductRecord['layout'] = {
      ...{ kind: 'convolution', channelsLast: true, batch: 1, groups: 1, inChannels: k, outChannels: n },
      ...{ input: [m], output: [m], kernel: [1], strides: [1], dilations: [1], padding: [2] },
    }
    expect(await check({ c: shifted, changes: { layout } })).toMatchObject({ rows: m - 2, findings: [] })
  })

  test('which is found where a product has no others, and is no audit of it', async () => {
    const audit = new Audit({
      ...{ policy: interactive(), store, prepared: preparedWeights(store), manifest: undefined },
      ...{ inputs: [], outputs: [], onChecked: () => undefined },
    })
    const proverSeed = () => ({ plan: seed(1), check: seed(2) })
    const tensors = [
      { tensor: 0, rows: m, cols: k, dtype: 'float32' },
      { tensor: 1, rows: m, cols: n, dtype: 'float32' },
    ] as const
    const segments = [bytesOf(a.slice(0, 5 * k)), bytesOf(zero.slice(0, 5 * n))]
    await audit.sampled({ record: { ...record, alpha: 0 }, tensors: [...tensors] }, segments, proverSeed)
    const { status, findings, coverage } = audit.ledger.verdict('', '')
    expect(status).toBe('inconclusive')
    expect(findings.map(({ reason }) => reason)).toEqual(['empty-product', 'nothing-sampled'])
    expect(coverage).toMatchObject({ operations: 1, audited: 0 })
  })
})

describe('a row that was rounded to 8 bits in blocks before it was multiplied', () => {
  const rounded = (block: number) =>
    Float32Array.from(
      Array.from({ length: m }, (_, r) => [
        ...quantizeRow(Float64Array.from(a.subarray(r * k, (r + 1) * k)), block).a,
      ]).flat(),
    )
  const outcome = async (c: ArrayBufferView, roundedBlocks?: number, changes: Partial<ProductRecord> = {}) => {
    const { findings } = await check({ c, changes: { ...changes, ...(roundedBlocks && { roundedBlocks }) } })
    return findings.map(({ reason }) => reason)
  }

  test('is right where it is declared so, and wrong where it is not', async () => {
    expect(await outcome(product(rounded(8)), 8)).toEqual([])
    expect(await outcome(product(rounded(8)))).toContain('value-out-of-tolerance')
  })

  test('is wrong where it was not rounded, or in other blocks', async () => {
    expect(await outcome(product(), 8)).toContain('value-out-of-tolerance')
    expect(await outcome(product(rounded(16)), 8)).toContain('value-out-of-tolerance')
  })

  test('has a bias as well', async () => {
    const c = product(rounded(8)).map((value, i) => value + bias[i % n]!)
    const digest = hexToBytes(store.weights[2]!.digest)
    expect(await outcome(c, 8, { bias: { digest, length: n, dtype: 'float32' } })).toEqual([])
    expect(await outcome(c, 8)).toContain('value-out-of-tolerance')
  })

  test('with an element on a tie may have been rounded either way, and no other', async () => {
    // 0.5 of a step of 1/127: the block is rounded to 126.5 or, by another engine, to the next of them.
    const tied = a.slice().fill(0, 0, 8)
    tied[0] = 1
    tied[1] = Math.fround(0.5 / 127)
    const of = (second: number) => {
      const left = tied.slice()
      for (let r = 0; r < m; r++) {
        left.set(quantizeRow(Float64Array.from(tied.subarray(r * k, (r + 1) * k)), 8).a, r * k)
      }
      left[1] = second
      return product(left)
    }
    const step = Math.fround(1 / 127)
    for (const [second, expected] of [
      [0, []],
      [step, []],
      [-step, ['value-out-of-tolerance']],
      [2 * step, ['value-out-of-tolerance']],
    ] as const) {
      const { findings } = await check({ left: tied, c: of(second), changes: { roundedBlocks: 8 } })
      expect(findings.map(({ reason }) => reason)).toEqual(expected)
    }
  })
})
