import {
  committedShape,
  openedRows,
  type ProductRecord,
  parseManifest,
  planRelations,
  rows,
  sampledProduct,
  unitShape,
} from '@tensor-assay/core'
import { attempt, promised, refused, type Target } from '../target.ts'
import { rewriteJson } from './files.ts'

const utf8 = new TextEncoder()
const seed = new Uint8Array(32).fill(7)
const sampler = rows({ atLeast: 4, rate: 0 })
const digest = 'ab'.repeat(32)

/** Sizes that a prover declares, and a relation that a verifier sends. */
interface Input {
  readonly derived: readonly [m: number, k: number]
  readonly source: readonly [batch: number, m: number, k: number, n: number]
  readonly relation: unknown
}

const tensor = { op: 'tensor', operation: 0, tensor: 'c' }
const seeds: readonly Input[] = [
  { derived: [6, 5], source: [1, 6, 3, 5], relation: [tensor, { op: 'softmax', x: 0, axis: 2 }] },
  {
    derived: [5, 6],
    source: [2, 3, 3, 5],
    relation: [
      { ...tensor, shape: [6, null], layout: [2, 3, null] },
      { op: 'weight', digest, shape: [5] },
      { op: 'normalize', x: 0, axis: 1, epsilon: 1e-5, centred: true },
      { op: 'multiply', x: 2, y: 1 },
      { op: 'transpose', x: 3, permutation: [1, 0] },
    ],
  },
  {
    derived: [1, 3],
    source: [1, 1, 4, 4],
    relation: [
      tensor,
      { ...tensor, tensor: 'a' },
      { op: 'concat', of: [0, 1], axis: 0 },
      { op: 'slice', x: 2, axis: 2, start: 1, end: null },
      { op: 'number', value: 3 },
      { op: 'maximum', x: 3, y: 4 },
      { op: 'sum', x: 5, axes: [0, 1], keepDims: false },
      { op: 'reshape', x: 6, shape: [1, null] },
    ],
  },
]

const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes)

/** Relations of any kind over tensors of any declared size: a plan asks for rows that are there, or for none. */
export const relation: Target = {
  name: 'relation',
  maxInputBytes: 4096,
  // Nothing of a declared size may be asked for; what is evaluated is bounded.
  allowedBytes: () => 2 ** 28,
  seeds: () => seeds.map((one) => utf8.encode(JSON.stringify(one))),
  rewrite: rewriteJson,
  check(input) {
    const read = inputOf(input)
    if (read === undefined) return false
    const product = {
      kind: 'product',
      operation: 'MatMul',
      layout: { kind: 'matmul', k: null, n: null },
      b: null,
      alpha: 1,
      activation: { name: 'linear' },
      profile: 'float32',
      links: {},
    }
    const operations = [product, { ...product, relations: { a: read.relation } }]
    const json = JSON.stringify({ format: 'tensor-assay-manifest', version: 1, operations })
    const manifest = attempt(() => parseManifest(json), ['manifest-malformed'])
    if (manifest === refused) return false
    const [, reader] = manifest.operations
    const relations = reader?.kind === 'product' ? (reader.relations ?? {}) : {}
    const [batch, m, k, n] = read.source
    const first = record(0, { batch: [batch], m, k, n })
    const second = record(1, { batch: [], m: read.derived[0], k: read.derived[1], n: 2 })
    const sampled = sampledProduct(second)
    const opened = openedRows(sampled, sampler.plan(seed, unitShape(sampled)))
    try {
      const { needed } = planRelations({ record: second, relations, source: () => first, opened, seed })
      for (const { name, rows: numbers } of needed) {
        const { size } = committedShape(first, name)
        promised(
          numbers.every((row, i) => row < size.rows && (i === 0 || row > numbers[i - 1]!)),
          'it asks for rows that are not there, or for one twice',
        )
      }
      return true
    } catch (error) {
      if (error instanceof RangeError && !/call stack/.test(error.message)) return false
      throw error
    }
  },
}

function inputOf(bytes: Uint8Array): Input | undefined {
  let value: unknown
  try {
    value = JSON.parse(text(bytes))
  } catch {
    return undefined
  }
  if (typeof value !== 'object' || value === null) return undefined
  const { derived, source, relation } = value as Record<string, unknown>
  if (!areSizes(derived, 2) || !areSizes(source, 4)) return undefined
  return { derived: derived as unknown as Input['derived'], source: source as unknown as Input['source'], relation }
}

/** What a record may declare of a dimension. */
function areSizes(value: unknown, length: number): value is readonly number[] {
  return (
    Array.isArray(value) &&
    value.length === length &&
    value.every((size) => Number.isSafeInteger(size) && size >= 0 && size <= 2 ** 31)
  )
}

interface Sizes {
  readonly batch: readonly number[]
  readonly m: number
  readonly k: number
  readonly n: number
}

function record(sequence: number, { batch, m, k, n }: Sizes): ProductRecord {
  return {
    kind: 'product',
    sequence,
    step: 0,
    operation: 'MatMul',
    layout: { kind: 'matmul', m, k, n, aBatch: [...batch], bBatch: [...batch] },
    a: 3 * sequence,
    b: { kind: 'activation', tensor: 3 * sequence + 1 },
    c: 3 * sequence + 2,
    alpha: 1,
    activation: { name: 'linear' },
    profile: 'float32',
  }
}
