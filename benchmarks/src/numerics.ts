import {
  checkRow,
  type FreivaldsVector,
  identityEpilogue,
  type OpenedRow,
  type PreparedMatrix,
  prepareMatrix,
  profiles,
  projectMatrix,
  type RowRequest,
} from '@tensor-assay/core'
import { type Spread, spread } from './measure.ts'
import type { Section, Suite, SuiteOptions, Table } from './report.ts'

const [vectorCount, entryCount] = [2, 64]

/** The products of a layer of a model of 8 billion parameters: width 4096, grouped attention, 14336 inside. */
const layer: readonly (readonly [name: string, k: number, n: number])[] = [
  ['query', 4096, 4096],
  ['key', 4096, 1024],
  ['value', 4096, 1024],
  ['output', 4096, 4096],
  ['gate', 4096, 14336],
  ['up', 4096, 14336],
  ['down', 14336, 4096],
]

/** What is measured of one row, microseconds. */
interface RowCosts {
  readonly k: number
  readonly n: number
  readonly vectors: Spread
  readonly entries: Spread
  readonly both: Spread
  readonly recomputing: Spread
  readonly projecting: Spread
}

/** What the checks of one opened row cost a verifier, without any network, hashing or decoding. */
export const numericsSuite: Suite = {
  name: 'numerics',
  versions: {},
  async *run(options) {
    const { wants, random, onProgress } = options
    const rowTitle = 'numerics: one opened row of 4096×14336'
    const layerTitle = 'numerics: one row of the 7 products of a layer, 8B model'
    if (!wants(rowTitle) && !wants(layerTitle)) return
    onProgress('numerics: making weights')
    // One buffer serves every shape; 235 MB, so that a check finds its columns in memory and not in a cache.
    const values = Float32Array.from({ length: 4096 * 14336 }, () => 2 * random() - 1)
    if (wants(rowTitle)) yield rowSection(rowTitle, measureRow(values, 4096, 14336, options))
    if (!wants(layerTitle)) return
    const costs = layer.map(([name, k, n]) => {
      onProgress(`${layerTitle}: ${name}`)
      return { name, ...measureRow(values, k, n, options) }
    })
    yield layerSection(layerTitle, costs)
  },
}

function measureRow(values: Float32Array, k: number, n: number, { quick, random }: SuiteOptions) {
  const columns = values.subarray(0, k * n)
  const bytes = new Uint8Array(columns.buffer, columns.byteOffset, columns.byteLength)
  const b = prepareMatrix({ bytes, dtype: 'float32', k, n, transposed: true })
  const xs = Array.from({ length: vectorCount }, () => Float64Array.from({ length: n }, () => 2 * random() - 1))
  const vectors = projectMatrix(b, xs)
  const row = honestRow(b, random)
  const entries = Array.from({ length: 32 }, () => drawEntries(n, random))
  const failures = controls(row, { entries: entries[0]!, vectors })
  const rounds = quick ? 100 : 1000
  const check = (request: (i: number) => RowRequest) => time(rounds, (i) => checkRow(row, request(i)))
  const costs: RowCosts = {
    k,
    n,
    vectors: check(() => ({ entries: new Uint32Array(0), vectors })),
    entries: check((i) => ({ entries: entries[i % entries.length]! })),
    both: check((i) => ({ entries: entries[i % entries.length]!, vectors })),
    recomputing: time(quick ? 3 : 10, () => checkRow(row)),
    projecting: time(quick ? 3 : 10, () => projectMatrix(b, xs)),
  }
  return { ...costs, failures }
}

function honestRow(b: PreparedMatrix, random: () => number): OpenedRow {
  const a = Float64Array.from({ length: b.k }, () => Math.fround(2 * random() - 1))
  const c = Float64Array.from({ length: b.n }, (_, j) => {
    let sum = 0
    for (let t = 0; t < b.k; t++) sum = Math.fround(sum + a[t]! * b.columns[j * b.k + t]!)
    return sum
  })
  return { a, b, c, profile: profiles.float32, epilogue: identityEpilogue }
}

/** A check that accepts whatever it is shown would be fast, too. */
function controls(row: OpenedRow, request: RowRequest & { readonly vectors: readonly FreivaldsVector[] }): string[] {
  const last = row.c.length - 1
  const wrong = { ...row, c: row.c.map((value, j) => (j === last ? value + 1 : value)) }
  const failures: string[] = []
  if (checkRow(row, request).outcome !== 'accept') failures.push('an honest row is not accepted')
  if (checkRow(wrong, request).outcome !== 'reject') failures.push('a row with one wrong entry is not rejected')
  return failures
}

function drawEntries(n: number, random: () => number): Uint32Array {
  const drawn = new Set<number>()
  while (drawn.size < entryCount) drawn.add(Math.floor(n * random()))
  return Uint32Array.from(drawn).sort()
}

/** Time of one call, microseconds, after as many calls again to warm up. */
function time(rounds: number, call: (round: number) => void): Spread {
  const samples: number[] = []
  for (let round = -rounds; round < rounds; round++) {
    const before = performance.now()
    call(round + rounds)
    if (round >= 0) samples.push(1000 * (performance.now() - before))
  }
  return spread(samples)
}

function rowSection(title: string, costs: RowCosts & { readonly failures: readonly string[] }): Section {
  const row = (what: string, { lower, median, upper }: Spread) => [
    what,
    `${microseconds(median)} [${microseconds(lower)}–${microseconds(upper)}]`,
    (costs.recomputing.median / median).toFixed(1),
  ]
  const table: Table = {
    columns: ['', 'µs, median [quartiles]', 'of recomputing the row, one in'],
    rows: [
      row(`${vectorCount} vectors`, costs.vectors),
      row(`${entryCount} entries`, costs.entries),
      row(`${vectorCount} vectors and ${entryCount} entries`, costs.both),
      row('recomputing the row', costs.recomputing),
      row(`B·x for ${vectorCount} vectors, once for all rows of a challenge`, costs.projecting),
    ],
  }
  return { title, tables: [table], notes: [], failures: costs.failures, data: costs }
}

function layerSection(
  title: string,
  costs: readonly (RowCosts & { readonly name: string; readonly failures: readonly string[] })[],
): Section {
  const kinds = ['vectors', 'entries', 'both', 'recomputing', 'projecting'] as const
  const total = kinds.map((kind) => costs.reduce((sum, cost) => sum + cost[kind].median, 0))
  const table: Table = {
    columns: ['', `${vectorCount} vectors, µs`, `${entryCount} entries`, 'both', 'recomputing the row', 'B·x, once'],
    rows: [
      ...costs.map((cost) => [
        `${cost.name} ${cost.k}×${cost.n}`,
        ...kinds.map((kind) => microseconds(cost[kind].median)),
      ]),
      ['together', ...total.map(microseconds)],
    ],
  }
  const notes = [
    'Published for 7 vector checks of such a layer, in INT8 arithmetic and in Rust on an Apple M4: 60 µs (CommitLLM).',
  ]
  return { title, tables: [table], notes, failures: costs.flatMap(({ failures }) => failures), data: costs }
}

function microseconds(value: number): string {
  return value < 1000 ? value.toFixed(0) : `${(value / 1000).toFixed(1)}k`
}
