import { hexToBytes } from '@noble/hashes/utils.js'
import {
  deriveSeed,
  drawWithoutReplacement,
  type ProductRecord,
  quantizeRow,
  randomStream,
  rows,
  type SamplingPlan,
} from '@tensor-assay/core'
import { describe, expect, test } from 'vitest'
import { Audit } from '../src/audit.ts'
import { checkOpenedRows } from '../src/check.ts'
import { describeVerdict, interactive, memoryWeights, type Policy, spot } from '../src/index.ts'
import type { OpenedTensor } from '../src/opened.ts'
import { preparedWeights } from '../src/prepared-weights.ts'
import { Projections } from '../src/projections.ts'

const [m, k, n] = [6, 32, 48]
const wave = (i: number) => Math.sin(1 + 0.37 * i * i)
const a = Float32Array.from({ length: m * k }, (_, i) => wave(i))
const b = Float32Array.from({ length: k * n }, (_, i) => wave(2 * i + 1))
const q = Int8Array.from({ length: k * n }, (_, i) => (i * 37) % 127)
/** B whose last row is the one before it, so that (0, …, 1, −1)·B = 0. */
const twins = b.slice().copyWithin((k - 1) * n, (k - 2) * n, (k - 1) * n)
const bias = Float32Array.from({ length: n }, (_, i) => wave(3 * i))
/** Puts every sum but those of two columns behind a rectifier. */
const heavy = Float32Array.from({ length: n }, (_, j) => (j % 7 === 3 ? 0 : -500))
const store = memoryWeights([
  { name: 'b', shape: [k, n], data: b },
  { name: 'q', shape: [k, n], data: q },
  { name: 'bias', shape: [n], data: bias },
  { name: 'twins', shape: [k, n], data: twins },
  { name: 'heavy', shape: [n], data: heavy },
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

function product(left: Float32Array = a, right: Float32Array = b): Float32Array {
  return Float32Array.from({ length: m * n }, (_, i) => {
    let sum = 0
    for (let t = 0; t < k; t++)
      sum = Math.fround(sum + Math.fround(left[Math.floor(i / n) * k + t]! * right[t * n + (i % n)]!))
    return sum
  })
}

interface Given {
  readonly c: ArrayBufferView
  readonly left?: ArrayBufferView
  readonly policy?: Policy
  readonly changes?: Partial<ProductRecord>
  readonly plan?: SamplingPlan
  readonly types?: readonly [OpenedTensor['dtype'], OpenedTensor['dtype']]
}

async function check(given: Given) {
  const { c, left = a, policy = interactive(), changes = {}, types = ['float32', 'float32'] } = given
  const { plan = { rows: allRows } } = given
  const stated = { ...record, ...changes }
  const tensor = (number: number, cols: number, content: ArrayBufferView): OpenedTensor => ({
    tensor: number,
    cols,
    dtype: types[number]!,
    indices: allRows,
    bytes: bytesOf(content),
  })
  const opened = { plan, a: tensor(0, k, left), c: tensor(1, n, c) }
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
    expect(await check({ c: zero, changes })).toMatchObject({ rows: 0, drowned: true, findings: [] })
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
    expect(await check({ c: shifted, changes: { layout } })).toMatchObject({
      rows: m - 2,
      drowned: false,
      findings: [],
    })
    const beside = { ...layout, padding: [2 * m] }
    expect(await check({ c: zero, changes: { layout: beside } })).toMatchObject({
      rows: 0,
      drowned: true,
      findings: [],
    })
  })

  const digest = hexToBytes(store.weights[2]!.digest)
  const biasOf = (beta: number): Partial<ProductRecord> => ({ bias: { digest, length: n, dtype: 'float32' }, beta })
  const beside = (c: Float32Array, beta: number) => c.map((value, i) => value + beta * bias[i % n]!)

  test.each([
    ['a tiny factor beside a bias', { ...biasOf(1), alpha: 1e-12 }, beside(zero, 1)],
    ['a bias by a huge factor', biasOf(1e12), beside(zero, 1e12)],
    ['a clip far from every sum', { activation: clip(1e6, 1e7) }, zero.slice().fill(1e6)],
    [
      'a sigmoid of next to nothing',
      { alpha: 1e-12, activation: { name: 'sigmoid' } as const },
      zero.slice().fill(0.5),
    ],
  ])('%s', async (_, changes, c) => {
    for (const policy of [interactive(), interactive({ entries: 0 }), spot()]) {
      if (policy.entries === 0 && changes.activation !== undefined) continue
      expect(await check({ c, changes, policy })).toMatchObject({ rows: 0, drowned: true, findings: [] })
    }
  })

  const rectified = (c: Float32Array) => c.map((value, i) => Math.max(0, value + heavy[i % n]!))
  const atRest: Partial<ProductRecord> = {
    bias: { digest: hexToBytes(store.weights[4]!.digest), length: n, dtype: 'float32' },
    activation: { name: 'relu' },
  }

  test('few entries of which all are at rest, in a row that is not', async () => {
    const policy = spot({ entries: 1 })
    const { rows, drowned, findings } = await check({ c: rectified(product()), changes: atRest, policy })
    expect({ drowned, findings }).toEqual({ drowned: false, findings: [] })
    expect(rows).toBeGreaterThan(m / 2)
  })

  test('a row too short to be called a lie', async () => {
    const changes = { ...atRest, bias: { ...atRest.bias!, digest }, beta: -1e6 }
    const hidden = product().map((value, i) => Math.max(0, value - 1e6 * bias[i % n]!))
    const columns = Uint32Array.from({ length: n }, (_, j) => j)
      .filter((j) => bias[j]! > 0.1)
      .slice(0, 3)
    const ofRow = { c: hidden, changes, plan: { rows: Uint32Array.of(0), columns } }
    expect(await check(ofRow)).toMatchObject({ rows: 0, drowned: false, findings: [] })
    expect(await check({ ...ofRow, plan: { rows: allRows, columns } })).toMatchObject({ rows: 0, drowned: true })
  })

  test('a bias of a hundred times the product drowns nothing', async () => {
    expect(await check({ c: beside(product(), 100), changes: biasOf(100) })).toMatchObject({ rows: m, drowned: false })
  })

  test('an A of zeros, of which nothing is said against the prover', async () => {
    const left = new Float32Array(m * k)
    expect(await check({ c: zero, left })).toMatchObject({ rows: 0, drowned: false, findings: [] })
    expect(await check({ c: beside(zero, 1), left, changes: biasOf(1) })).toMatchObject({ rows: 0, drowned: false })
    left.set(a.subarray(0, 2 * k))
    expect(await check({ c: product(left), left })).toMatchObject({ rows: 2, drowned: false, findings: [] })
  })

  test('a row that a guard says nothing of', async () => {
    const left = a.slice()
    left[2 * k] = Number.POSITIVE_INFINITY
    expect(await check({ c: product(left), left })).toMatchObject({ rows: m - 1, guards: 1, drowned: false })
    // The tolerance of row 2 is a hundredth of its values: none of them is known without work, and the row is guarded.
    const inflated = a.slice()
    inflated[3 * k - 2]! += 2e4
    inflated[3 * k - 1]! -= 2e4
    const changes = { b: weight(3) }
    expect(await check({ c: product(inflated, twins), left: inflated, changes })).toMatchObject({
      ...{ rows: m - 1, guards: 1, drowned: false },
      findings: [{ reason: 'tolerance-guard', evidence: { row: 2 } }],
    })
    for (let row = 0; row < m; row++) inflated.set(inflated.subarray(2 * k, 3 * k), row * k)
    expect(await check({ c: product(inflated, twins), left: inflated, changes })).toMatchObject({
      rows: 0,
      drowned: false,
    })
  })
})

describe('a product of which no row tells', () => {
  const zero = new Float32Array(m * n)
  const shape = { rows: m, cols: k, dtype: 'float32' } as const
  const tensors = [
    { tensor: 0, ...shape },
    { tensor: 1, ...shape, cols: n },
  ]
  const everyRow = spot({ sampler: rows({ atLeast: m }) })

  /** A verdict on an honest product, and on another one after it if given. */
  async function verdictOn(
    other: { a: Float32Array; c: Float32Array; changes?: Partial<ProductRecord> },
    alone = false,
  ) {
    const inputs = [{ rows: m, cols: k, dtype: 'float32' as const, bytes: bytesOf(alone ? other.a : a) }]
    const audit = new Audit({
      ...{ policy: everyRow, store, prepared: preparedWeights(store), manifest: undefined },
      ...{ inputs, outputs: [], onChecked: () => undefined },
    })
    const seeds = () => ({ plan: seed(1), check: seed(2) })
    if (!alone) await audit.sampled({ record, tensors: [...tensors] }, [bytesOf(a), bytesOf(product())], seeds)
    const stated = { ...record, sequence: alone ? 0 : 1, ...other.changes }
    await audit.sampled({ record: stated, tensors: [...tensors] }, [bytesOf(other.a), bytesOf(other.c)], seeds)
    const transcript = new Uint8Array(32)
    audit.finish({ operations: stated.sequence + 1, transcript }, transcript)
    return audit.ledger.verdict('', '')
  }

  test('because of what is stated is found, alone and among others, and is no audit of it', async () => {
    const drowned = { a, c: zero, changes: { alpha: 0 } }
    const verdict = await verdictOn(drowned, true)
    expect(verdict).toMatchObject({ status: 'inconclusive', coverage: { operations: 1, audited: 0, untelling: 1 } })
    expect(verdict.findings.map(({ reason }) => reason)).toEqual(['empty-product', 'nothing-sampled'])
    const among = await verdictOn(drowned)
    expect(among).toMatchObject({ status: 'inconclusive', coverage: { operations: 2, audited: 1, untelling: 1 } })
    expect(among.findings).toMatchObject([{ reason: 'empty-product', sequence: 1 }])
  })

  test('because A is zero is counted, and claims nothing', async () => {
    const zeros = { a: new Float32Array(m * k), c: zero }
    const [alone, among, honest] = [
      await verdictOn(zeros, true),
      await verdictOn(zeros),
      await verdictOn({ a, c: product() }),
    ]
    expect(alone.findings.map(({ reason }) => reason)).toEqual(['nothing-sampled'])
    expect(among).toMatchObject({ status: 'pass', coverage: { audited: 1, untelling: 1 }, statistics: { rows: m } })
    expect(honest).toMatchObject({ status: 'pass', coverage: { audited: 2 }, statistics: { rows: 2 * m } })
    expect(honest.coverage).not.toHaveProperty('untelling')
    expect(among.detection.badRowsBelow95).toBeGreaterThan(honest.detection.badRowsBelow95)
    const inEvery = (verdict: typeof among) => verdict.detection.byFraction[0]!.inEveryOperation
    expect(inEvery(among)).toBeLessThanOrEqual(inEvery(honest))
    expect(describeVerdict(among)).toContain('1 product of which no opened row shows that it was computed')
    expect(describeVerdict(among)).toContain('1 audited of 2 declared')
    expect(describeVerdict(among)).toContain(`${m} that show work`)
    expect(describeVerdict(alone)).toContain('0 that show work')
    expect(describeVerdict(honest)).not.toContain('no opened row')
  })

  test('is compared with the input all the same', async () => {
    const zeros = { a: new Float32Array(m * k), c: zero }
    expect((await verdictOn(zeros, true)).coverage).toMatchObject({ inputsBound: 1 })
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
