import { hexToBytes } from '@noble/hashes/utils.js'
import { type Control, type ProductRecord, rows, sha256 } from '@tensor-assay/core'
import { describe, expect, test } from 'vitest'
import { Audit } from '../src/audit.ts'
import { interactive, memoryWeights, type Policy } from '../src/index.ts'
import { preparedWeights } from '../src/prepared-weights.ts'

const store = memoryWeights([
  { name: 'bias', shape: [64], data: new Float32Array(64) },
  { name: 'byte', shape: [1], data: new Int8Array(1) },
  { name: 'filters', shape: [1, 64, 1, 1], data: new Float32Array(64).fill(1) },
])
const digestOf = (name: string) => hexToBytes(store.weights.find((weight) => weight.name === name)!.digest)
const seed = new Uint8Array(32).fill(1)
const session = new Uint8Array(32).fill(2)

type Shape = Omit<Control<'commit'>['tensors'][number], 'tensor' | 'root'>

/** Declares a product on tensors of which nothing is there, and opens it with a few bytes, if it is to be audited at all. */
async function findings(
  changes: Partial<ProductRecord>,
  shapes: Readonly<Record<'a' | 'c' | 'b', Shape | undefined>>,
  { policy = interactive(), bytes = 64 }: { policy?: Policy; bytes?: number } = {},
): Promise<string[]> {
  const prepared = preparedWeights(store)
  const audit = new Audit({
    policy,
    store,
    prepared,
    manifest: undefined,
    inputs: [],
    outputs: [],
    onChecked: () => {},
  })
  const root = new Uint8Array(32)
  const tensors = [shapes.a, shapes.c, shapes.b].flatMap((shape, tensor) => (shape ? [{ tensor, ...shape, root }] : []))
  audit.declare(tensors)
  const record = audit.take({
    kind: 'product',
    sequence: 0,
    step: 0,
    operation: 'MatMul',
    layout: { kind: 'matmul', m: 1, k: 1, n: 64, aBatch: [], bBatch: [] },
    a: 0,
    b: { kind: 'weight', digest: digestOf('bias'), transposed: false },
    c: 1,
    alpha: 1,
    activation: { name: 'linear' },
    profile: 'float32',
    ...changes,
  })
  if (record) {
    const opening = { salts: new Uint8Array(16), proof: new Uint8Array(0) }
    const proofs = { sequence: 0, a: opening, c: opening, ...(shapes.b && { b: opening }) }
    const segments = tensors.map(() => new Uint8Array(bytes))
    await audit.opened(record, { seed, vectorSeed: seed }, { suite: sha256, session }, proofs, segments)
  }
  return audit.ledger.verdict('', '').findings.map(({ reason, message }) => `${reason}: ${message}`)
}

const float = (rows: number, cols: number): Shape => ({ rows, cols, dtype: 'float32' })

describe('what is declared does not decide how much is done', () => {
  // Once ended the process: a list of 2³¹ row numbers, of which the opening held 16.
  test('a product of two thousand million rows, opened by 64 bytes', async () => {
    const found = await findings(
      { layout: { kind: 'matmul', m: 2 ** 31, k: 1, n: 64, aBatch: [], bBatch: [] } },
      { a: float(2 ** 31, 1), c: float(2 ** 31, 64), b: undefined },
    )
    expect(found[0]).toMatch(/^opening-too-large: a product of 2147483648×1×64 is more than this verifier samples/)
  })

  test('as many rows as a verifier samples, of a byte each: their leaves alone are millions', async () => {
    const rows = 2 ** 26
    const found = await findings(
      {
        layout: { kind: 'matmul', m: rows, k: 1, n: 1, aBatch: [], bBatch: [] },
        b: { kind: 'weight', digest: digestOf('byte'), transposed: false },
        profile: 'int8',
      },
      { a: { rows, cols: 1, dtype: 'int8' }, c: { rows, cols: 1, dtype: 'int8' }, b: undefined },
      { bytes: 2 ** 17 },
    )
    expect(found[0]).toMatch(/^opening-malformed: it must hold the leaves of \d+ rows of A, got 131072 bytes/)
  })

  test('more rows than an opening has bytes', async () => {
    const found = await findings(
      { layout: { kind: 'matmul', m: 2 ** 20, k: 1, n: 64, aBatch: [], bBatch: [] } },
      { a: float(2 ** 20, 1), c: float(2 ** 20, 64), b: undefined },
    )
    expect(found[0]).toMatch(/^opening-malformed: it must hold more rows of a tensor than its 64 bytes can be/)
  })

  // Once `internal`: a plan of more rows than a set can hold.
  test('more rows than a verifier draws, where the policy wants nearly all', async () => {
    const size = 2 ** 25
    const found = await findings(
      { layout: { kind: 'matmul', m: size, k: 1, n: 64, aBatch: [], bBatch: [] } },
      { a: float(size, 1), c: float(size, 64), b: undefined },
      { policy: interactive({ sampler: rows({ rate: 0.999 }) }) },
    )
    expect(found[0]).toMatch(
      /^opening-too-large: of a product of 33554432×1×64 the policy draws 3352\d{4} rows or columns/,
    )
  })

  test('more columns than a verifier draws', async () => {
    const size = 2 ** 25
    const found = await findings(
      {
        layout: { kind: 'matmul', m: 1, k: 1, n: size, aBatch: [], bBatch: [] },
        b: { kind: 'activation', tensor: 2 },
      },
      { a: float(1, 1), c: float(1, size), b: float(size, 1) },
      { policy: interactive({ acceptActivations: true, sampler: rows({ columns: 2 ** 25 }) }) },
    )
    expect(found[0]).toMatch(/^opening-too-large: .* the policy draws 33554432 rows or columns/)
  })

  test('columns of as many matrices as there are rows', async () => {
    const found = await findings(
      {
        layout: { kind: 'matmul', m: 1, k: 1, n: 2 ** 10, aBatch: [2 ** 16], bBatch: [2 ** 16] },
        b: { kind: 'activation', tensor: 2 },
      },
      { a: float(2 ** 16, 1), c: float(2 ** 16, 2 ** 10), b: float(2 ** 26, 1) },
      { policy: interactive({ acceptActivations: true }), bytes: 160 },
    )
    expect(found[0]).toMatch(/^opening-malformed: it must hold more rows of a tensor than its 160 bytes can be/)
  })

  test('columns without number', async () => {
    const found = await findings(
      {
        layout: { kind: 'matmul', m: 1, k: 1, n: 2 ** 31, aBatch: [], bBatch: [] },
        b: { kind: 'activation', tensor: 2 },
      },
      { a: float(1, 1), c: float(1, 2 ** 31), b: float(2 ** 31, 1) },
      { policy: interactive({ acceptActivations: true }) },
    )
    expect(found[0]).toMatch(/^opening-too-large/)
  })

  test('matrices without number', async () => {
    const found = await findings(
      {
        layout: { kind: 'matmul', m: 1, k: 1, n: 1, aBatch: [], bBatch: [2 ** 19] },
        b: { kind: 'activation', tensor: 2 },
      },
      { a: float(1, 1), c: float(2 ** 19, 1), b: float(2 ** 19, 1) },
      { policy: interactive({ acceptActivations: true }) },
    )
    expect(found[0]).toMatch(/^opening-too-large/)
  })

  // Once half a gigabyte for where each tap lies, nearly all of them beside the input.
  test('a patch of more elements than an opening has bytes', async () => {
    const taps = 2 ** 26
    const found = await findings(
      {
        layout: {
          kind: 'convolution',
          channelsLast: false,
          batch: 1,
          groups: 1,
          inChannels: 1,
          outChannels: 1,
          input: [5, 4],
          output: [1, 3],
          kernel: [taps, 2],
          strides: [1, 1],
          dilations: [1, 1],
          padding: [8, 1],
        },
        b: { kind: 'activation', tensor: 2 },
      },
      { a: float(5, 4), c: float(1, 3), b: float(1, 2 * taps) },
      { policy: interactive({ acceptActivations: true }) },
    )
    expect(found[0]).toMatch(/^opening-malformed: it must hold columns of 134217728 elements/)
  })

  // Once `internal`: samplers take no such shape.
  test('sums of more terms than a tensor has columns', async () => {
    const taps = 2 ** 31
    const found = await findings(
      {
        layout: {
          ...{ kind: 'convolution', channelsLast: false, batch: 1, groups: 1, inChannels: 3, outChannels: 1 },
          ...{ input: [1], output: [1], kernel: [taps], strides: [1], dilations: [1], padding: [0] },
        },
        b: { kind: 'activation', tensor: 2 },
      },
      { a: float(3, 1), c: float(1, 1), b: float(1, 2 ** 31) },
      { policy: interactive({ acceptActivations: true }) },
    )
    expect(found[0]).toMatch(/^opening-too-large: a product of 1×6442450944×1/)
  })

  test('patches that overlap a million times', async () => {
    const size = 2 ** 17
    const found = await findings(
      {
        layout: {
          kind: 'convolution',
          channelsLast: true,
          batch: 1,
          groups: 1,
          inChannels: 1,
          outChannels: 1,
          input: [size, 64],
          output: [size, 2 ** 9],
          kernel: [2 ** 10, 64],
          strides: [1, 1],
          dilations: [1, 1],
          padding: [0, 0],
        },
        b: { kind: 'activation', tensor: 2 },
      },
      { a: float(size * 64, 1), c: float(size * 2 ** 9, 1), b: float(1, 2 ** 16) },
      { policy: interactive({ acceptActivations: true }) },
    )
    expect(found[0]).toMatch(/^opening-too-large/)
  })
})

test('a product of as many rows as can be sampled is audited where its rows are there', async () => {
  const rows = 40
  const found = await findings(
    { layout: { kind: 'matmul', m: rows, k: 1, n: 64, aBatch: [], bBatch: [] } },
    { a: float(rows, 1), c: float(rows, 64), b: undefined },
    { bytes: 160 },
  )
  // It is the rows of C that are too few here: 160 bytes hold those of A.
  expect(found[0]).toMatch(/^opening-malformed: it must hold .* of C/)
})
