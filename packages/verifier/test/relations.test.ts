import {
  type CommittedTensor,
  type Control,
  commitTensor,
  leafRowsOf,
  type Matrix,
  openedRows,
  openRows,
  type ProductRecord,
  planRelations,
  type Relation,
  rowsToOpen,
  sampledProduct,
  sha256,
} from '@tensor-assay/core'
import { describe, expect, test } from 'vitest'
import { checkRelations, type RelationCheck } from '../src/relations.ts'

const [rows, cols] = [24, 8]
const session = new Uint8Array(32).fill(9)
const seed = new Uint8Array(32).fill(3)
const weightDigest = 'ab'.repeat(32)
const tensor: Relation[number] = { op: 'tensor', operation: 0, tensor: 'c' }
const relation: Relation = [
  tensor,
  { op: 'weight', digest: weightDigest, shape: [cols] },
  { op: 'multiply', x: 0, y: 1 },
  { op: 'exp', x: 2 },
]

function matrix(value: (i: number) => number, [height, width] = [rows, cols]): Matrix {
  const data = Float32Array.from({ length: height * width }, (_, i) => value(i))
  return { rows: height, cols: width, dtype: 'float32', bytes: new Uint8Array(data.buffer) }
}

const source = matrix((i) => Math.sin(i))
const vector = Float64Array.from({ length: cols }, (_, j) => 0.5 + j / 16)
const honest = (i: number) => Math.exp(Math.fround(Math.fround(Math.sin(i)) * vector[i % cols]!))

const record = (sequence: number, a: number, c: number): ProductRecord => ({
  kind: 'product',
  sequence,
  step: 0,
  operation: 'MatMul',
  layout: { kind: 'matmul', m: rows, k: cols, n: cols, aBatch: [], bBatch: [] },
  a,
  b: { kind: 'weight', digest: new Uint8Array(32), transposed: false },
  c,
  alpha: 1,
  activation: { name: 'linear' },
  profile: 'float32',
})
const [first, second] = [record(0, 1, 2), record(1, 3, 4)]

function commit(number: number, content: Matrix): CommittedTensor {
  return commitTensor(sha256, {
    session,
    tensor: number,
    matrix: content,
    leafRows: leafRowsOf(content),
    saltKey: new Uint8Array(32),
  })
}

type Sources = NonNullable<Control<'opening'>['sources']>

/** An opening of the second operation, whose A follows from the C of the first. */
function opening(options: { derived?: Matrix; shown?: Matrix; relation?: Relation } = {}): RelationCheck {
  const { derived = matrix(honest), shown = source } = options
  const relations = { a: options.relation ?? relation }
  const plan = { rows: Uint32Array.from({ length: 12 }, (_, i) => 2 * i + 1) }
  const drawn = openedRows(sampledProduct(second), plan)
  const asked = { record: second, relations, source: (place: number) => (place === 0 ? first : undefined), seed }
  const committed = commit(2, source)
  const parts: Uint8Array[] = []
  const proofs: Sources = []
  try {
    for (const needed of planRelations({ ...asked, opened: drawn }).needed) {
      const { bytes, opening } = openRows(shown, commit(2, shown), needed.rows)
      parts.push(bytes)
      proofs.push({ tensor: 2, ...opening })
    }
  } catch {
    // What cannot be planned cannot be shown.
  }
  const laid = (number: number, content: Matrix) => {
    const indices = rowsToOpen(drawn.a, content)
    const { bytes } = openRows(content, commit(number, content), drawn.a)
    return { tensor: number, cols, dtype: 'float32' as const, indices, bytes }
  }
  return {
    ...asked,
    opened: { plan, a: laid(3, derived), c: laid(4, derived) },
    proofs,
    bytes: parts[0] ?? new Uint8Array(0),
    suite: sha256,
    session,
    tensorAt: (number) => (number === 2 ? committed : undefined),
    vector: async () => vector,
  }
}

async function findings(check: RelationCheck): Promise<string[]> {
  return (await checkRelations(check)).findings.map(({ reason, message }) => `${reason}: ${message}`)
}

test('a tensor that follows from what was committed to is compared element by element', async () => {
  expect(await checkRelations(opening())).toEqual({ relations: 1, elements: 32, findings: [] })
})

describe('a tensor that does not follow is broken', () => {
  test.each([
    ['everywhere', (i: number) => honest(i) * 1.0001],
    ['because it is too small', (i: number) => honest(i) * 0.9999],
    ['in one column', (i: number) => honest(i) + (i % cols === 5 ? 0.001 : 0)],
    ['because it is no number', (i: number) => (i % cols === 2 ? Number.NaN : honest(i))],
    ['because it is infinite', () => Number.POSITIVE_INFINITY],
  ])('%s', async (_, value) => {
    const { relations, findings } = await checkRelations(opening({ derived: matrix(value) }))
    expect(relations).toBeLessThanOrEqual(1)
    expect(findings).toMatchObject([{ reason: 'relation-broken', evidence: { row: expect.any(Number) } }])
  })

  test('in a few of its rows, as often as one of them is drawn', async () => {
    const isWrong = (i: number) => Math.floor(i / cols) % 8 === 1
    const derived = matrix((i) => honest(i) * (isWrong(i) ? 1.1 : 1))
    let caught = 0
    const sessions = 400
    for (let i = 0; i < sessions; i++) {
      const own = Uint8Array.from({ length: 32 }, (_, j) => (i * 31 + j * 7) & 255)
      const check = { ...opening({ derived }), seed: own }
      const { needed } = planRelations({ ...check, opened: openedRows(sampledProduct(second), check.opened.plan) })
      const shown = openRows(source, commit(2, source), needed[0]!.rows)
      const { bytes, opening: proof } = shown
      const found = await findings({ ...check, bytes, proofs: [{ tensor: 2, ...proof }] })
      if (found.length > 0) caught++
    }
    // 3 of the 12 opened rows are wrong, 4 of the 12 are drawn: none of the wrong ones in C(9, 4)/C(12, 4) of the cases.
    const rate = 1 - 126 / 495
    expect(Math.abs(caught / sessions - rate)).toBeLessThan(4 * Math.sqrt((rate * (1 - rate)) / sessions))
  })

  test('because its sizes contradict those of its source', async () => {
    const other: Relation = [tensor, { op: 'sum', x: 0, axes: [1], keepDims: true }]
    expect(await findings(opening({ relation: other }))).toEqual([
      'relation-broken: it gives a tensor of shape [24,1], not of 24×8',
    ])
  })
})

test('a tensor whose source was skipped is not shown to follow from it', async () => {
  expect(await findings({ ...opening(), source: () => undefined })).toEqual([
    'relation-unanswered: its tensors follow from operation 0 of its step, which is not there',
  ])
})

describe('sources that are not those that must be shown', () => {
  const check = opening()
  const [proof] = check.proofs!

  test.each<readonly [string, Partial<RelationCheck>, RegExp]>([
    ['none', { proofs: undefined, bytes: new Uint8Array(0) }, /^relation-unanswered: /],
    [
      'of another tensor',
      { proofs: [{ ...proof!, tensor: 3 }] },
      /^opening-malformed: it must show rows of tensors 2, got 3/,
    ],
    ['twice', { proofs: [proof!, proof!] }, /^opening-malformed: it must show rows of tensors 2, got 2,2/],
    ['one byte short', { bytes: check.bytes.subarray(1) }, /^opening-malformed: its sources end after/],
    ['a row too many', { bytes: new Uint8Array(check.bytes.length + 32) }, /^opening-malformed: its sources must have/],
    [
      'of a tensor that was not committed to',
      { tensorAt: () => undefined },
      /^opening-malformed: tensor 2, .* was not committed/,
    ],
    [
      'of a tensor of another size',
      { tensorAt: (number) => ({ ...check.tensorAt(number)!, rows: rows + 1 }) },
      /^opening-malformed: tensor 2, .* was not committed to as 24×8/,
    ],
    [
      'with another salt',
      { proofs: [{ ...proof!, salts: proof!.salts.map((byte) => byte ^ 1) }] },
      /^commitment-mismatch: /,
    ],
    ['with another proof', { proofs: [{ ...proof!, proof: new Uint8Array(32) }] }, /^commitment-mismatch: /],
    [
      'of another commitment',
      { tensorAt: (number) => ({ ...check.tensorAt(number)!, root: new Uint8Array(32) }) },
      /^commitment-mismatch: the opened rows of C of operation 0/,
    ],
    [
      'of a tensor without a commitment',
      {
        tensorAt: (number) => {
          const { root: _root, ...bare } = check.tensorAt(number)!
          return bare
        },
      },
      /^commitment-mismatch: /,
    ],
  ])('%s', async (_, changes, problem) => {
    expect(await findings({ ...check, ...changes })).toEqual([expect.stringMatching(problem)])
  })

  test('that make the relation hold, and are not what was committed to', async () => {
    const wrong = (i: number) => 2 * Math.sin(i)
    const derived = matrix((i) => Math.exp(Math.fround(Math.fround(wrong(i)) * vector[i % cols]!)))
    expect(await findings(opening({ derived, shown: matrix(wrong) }))).toEqual([
      expect.stringMatching(/^commitment-mismatch: /),
    ])
  })
})

describe('a weight of the manifest that the verifier cannot use', () => {
  test.each([
    ['because it does not hold it', () => undefined, /which the store does not hold/],
    ['because it has another size', async () => new Float64Array(3), /has 3 elements, not those of \[8\]/],
    ['because it has more elements', async () => new Float64Array(9), /has 9 elements, not those of \[8\]/],
  ])('%s', async (_, vector, problem) => {
    const found = await findings({ ...opening(), vector })
    expect(found).toEqual([expect.stringMatching(/^vector-unknown: /)])
    expect(found[0]).toMatch(problem)
  })
})

test('elements of which next to nothing is known do not count', async () => {
  // The difference of two large numbers, of which the roundings are as large as what is left.
  const vague: Relation = [
    tensor,
    { op: 'number', value: 2 ** 24 },
    { op: 'add', x: 0, y: 1 },
    { op: 'subtract', x: 2, y: 1 },
  ]
  const derived = matrix((i) => Math.fround(Math.fround(Math.sin(i)) + 2 ** 24) - 2 ** 24)
  expect(await checkRelations(opening({ derived, relation: vague }))).toEqual({
    relations: 0,
    elements: 0,
    findings: [],
  })
})

test('what would be too much work to compare is not said to follow', async () => {
  const endless: Relation = [
    tensor,
    { op: 'weight', digest: weightDigest, shape: [2 ** 20, 2 ** 20] },
    { op: 'sum', x: 1, axes: [1], keepDims: true },
    { op: 'sum', x: 2, axes: [0], keepDims: true },
    { op: 'add', x: 0, y: 3 },
  ]
  expect(await findings(opening({ relation: endless }))).toEqual([
    'relation-unanswered: too much would have to be computed to say what A follows from',
  ])
})

test('a finding stays short, however many sources are shown', async () => {
  const check = opening()
  const proofs = Array.from({ length: 1024 }, (_, i) => ({ ...check.proofs![0]!, tensor: 2 ** 52 + i }))
  const [finding] = await findings({ ...check, proofs })
  expect(finding).toMatch(/^opening-malformed: /)
  expect(finding!.length).toBeLessThan(300)
})
