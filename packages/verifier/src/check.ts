import { bytesToHex } from '@noble/hashes/utils.js'
import {
  calibratedProfile,
  checkRow,
  deriveSeed,
  drawWithoutReplacement,
  type EntryFailure,
  type Evidence,
  type FindingReason,
  type FreivaldsVector,
  freivaldsApplies,
  type Geometry,
  geometryOf,
  judgeTogether,
  liftAccidentalGuards,
  type NumericEpilogue,
  type NumericProfile,
  type OpenedRow,
  type PreparedMatrix,
  type ProductRecord,
  prepareColumns,
  profiles,
  quantizeRow,
  type RowResult,
  randomStream,
  rowBytes,
  settleDoubt,
} from '@tensor-assay/core'
import { statedPower } from './ledger.ts'
import { type OpenedProduct, rowLookup } from './opened.ts'
import type { Policy } from './policy.ts'
import type { ProductWeights } from './prepared-weights.ts'
import type { Projections } from './projections.ts'

export interface CheckedRows {
  /** Rows that were checked and are telling: the others say nothing of whether the product was computed. */
  readonly rows: number
  /**
   * Whether none is because of what was stated and not of what A·B is: factors, addends or an activation hide it, or every
   * opened patch lies in the padding. Zeros and rectifiers at rest are what honest runs show as well.
   */
  readonly drowned: boolean
  readonly entries: number
  readonly vectors: number
  readonly largestRatio: number
  readonly sumSquaredRatio: number
  readonly informativeEntries: number
  readonly escalations: number
  readonly guards: number
  /** Whole rows that were opened, and of which only some entries were recomputed. */
  readonly partialRows: number
  readonly visibleError?: number
  readonly findings: readonly CheckFinding[]
}

export interface CheckFinding {
  readonly reason: FindingReason
  readonly message: string
  readonly evidence?: Evidence
}

export interface CheckOptions {
  readonly record: ProductRecord
  readonly opened: OpenedProduct
  /** Where the entries come from: unknown to the prover until it is bound to its rows. */
  readonly seed: Uint8Array
  /** Where the vectors come from; products that were committed to together share it. */
  readonly vectorSeed: Uint8Array
  readonly projections: Projections
  readonly policy: Policy
  readonly weights: ProductWeights
}

/** Entries without work to be seen from which on it is no chance: a unit of a layer is at rest now and then. */
const leastHidden = 16

/** Checks every opened row of one product against the public weights. */
export function checkOpenedRows(options: CheckOptions): CheckedRows {
  const { opened } = options
  const profile = profileOf(options)
  const rows = layRows(options, profile)
  const results = liftAccidentalGuards(checkRows(rows, options), profile)
  const findings: CheckFinding[] = []
  for (const [i, result] of results.entries()) {
    const row = opened.plan.rows[i]!
    if (result.guard !== undefined) {
      const message = `nothing can be said of row ${row}: ${result.guard}`
      findings.push({ reason: 'tolerance-guard', message, evidence: { row } })
    }
    const [failure] = result.failures
    if (failure) findings.push(findingOf(failure, row, result))
  }
  if (!findings.some(({ reason }) => reason !== 'tolerance-guard')) {
    const together = judgeTogether(results.map((result, i) => ({ ...result, opened: rows[i]! })))
    if (together) {
      findings.push(findingOf(together.failure, opened.plan.rows[together.row]!, results[together.row]!))
    }
  }
  // A row with failures is not looked at to its end, and says enough.
  const partial = ({ vectors, entries, failures }: RowResult, i: number) =>
    vectors === 0 && failures.length === 0 && entries < rows[i]!.c.length
  // A row of which a guard says nothing is no evidence, either way.
  const heard = results.filter(({ guard }) => guard === undefined)
  const telling = heard.filter(({ testimony }) => testimony === 'telling').length
  // Vectors look at all entries of a row.
  const seen = ({ vectors, entries }: RowResult) => (vectors > 0 ? geometryOf(options.record.layout).n : entries)
  const hidden = heard.reduce((sum, row) => (row.testimony === 'drowned' ? sum + seen(row) : sum), 0)
  const drowned = telling === 0 && (hidden >= leastHidden || liesInPadding(options))
  return { ...totalsOf(results), rows: telling, drowned, partialRows: results.filter(partial).length, findings }
}

function liesInPadding({ record, opened }: CheckOptions): boolean {
  const geometry = geometryOf(record.layout)
  return opened.plan.rows.every((row) => geometry.aRows(row).length === 0)
}

/** What the policy allows engines of the declared arithmetic. */
function profileOf({ record, policy }: CheckOptions): NumericProfile {
  const profile = profiles[record.profile]
  const calibration = policy.calibration.find((candidate) => candidate.profile === record.profile)
  return calibration === undefined ? profile : calibratedProfile(profile, calibration)
}

/** The opened tensors as rows of the product. */
function layRows({ record, opened, weights }: CheckOptions, profile: NumericProfile): OpenedRow[] {
  const geometry = geometryOf(record.layout)
  const { rows, columns } = opened.plan
  const lookA = rowLookup(opened.a)
  const lookC = rowLookup(opened.c)
  const lookAddend = opened.addend && rowLookup(opened.addend)
  const { beta = 1 } = record
  const zero = record.zeroPoints?.a ?? 0
  const openedMatrices = new Map<number, PreparedMatrix>()

  function matrixAt(index: number): PreparedMatrix {
    const held = weights.matrices[index] ?? openedMatrices.get(index)
    if (held !== undefined) return held
    const matrix = openedColumns(opened, geometry, index)
    openedMatrices.set(index, matrix)
    return matrix
  }

  return Array.from(rows, (r) => {
    const values = geometry.readA(r, lookA, zero)
    const matrix = geometry.matrixOf(r)
    const b = matrixAt(matrix)
    const epilogue = weights.epilogues[matrix % weights.epilogues.length]!
    const a = zero === 0 ? values : values.map((value) => value - zero)
    const c = geometry.readC(r, lookC)
    const addend = lookAddend && geometry.readC(r, lookAddend)
    return {
      a: record.roundedBlocks === undefined ? a : rounded(a, record.roundedBlocks, b, c, epilogue),
      b,
      c: columns === undefined ? c : Float64Array.from(columns, (column) => c[column]!),
      ...(columns === undefined ? {} : { columns }),
      ...(addend && { addend: beta === 1 ? addend : addend.map((value) => beta * value) }),
      epilogue,
      profile,
    }
  })
}

/** A row of A as the operation rounds it, before it multiplies. @param c - The whole row of C, as it was opened. */
function rounded(
  a: Float64Array,
  block: number,
  b: PreparedMatrix,
  c: Float64Array,
  { bias }: NumericEpilogue,
): Float64Array {
  const product = bias === undefined ? c : c.map((value, j) => value - bias[bias.length === 1 ? 0 : j]!)
  return settleDoubt(quantizeRow(a, block), b, product)
}

/** Vectors cover whole rows where B is projected for less than it costs to recompute them; entries are drawn besides. */
function checkRows(rows: readonly OpenedRow[], options: CheckOptions): RowResult[] {
  const { record, opened, seed, vectorSeed, projections, policy } = options
  const geometry = geometryOf(record.layout)
  const { plan } = opened
  const applies = (epilogue: NumericEpilogue) => freivaldsApplies(profiles[record.profile], epilogue)
  const whole = plan.columns === undefined
  // Projecting B costs as much as one row for each vector: with fewer rows, recomputing them is cheaper and sees more.
  const project = whole && policy.vectors > 0 && rows.length > policy.vectors && rows.every((r) => applies(r.epilogue))

  function vectors(index: number, matrix: PreparedMatrix): FreivaldsVector[] {
    const { b } = record
    const label = b.kind === 'weight' ? `${bytesToHex(b.digest)}:${index}` : `${record.sequence}:${index}`
    return projections.of(vectorSeed, label, matrix, policy.vectors)
  }

  return rows.map((row, i) => {
    const r = plan.rows[i]!
    if (project) {
      const entries = drawEntries(seed, r, geometry.n, policy.entries)
      const smallest = policy.entries
      return checkRow(row, { entries, smallest, vectors: vectors(geometry.matrixOf(r), row.b), power: statedPower })
    }
    if (whole && policy.vectors === 0) {
      const entries = drawEntries(seed, r, geometry.n, policy.entries)
      const result = checkRow(row, { entries, smallest: policy.entries })
      // A few entries of an honest row may all be at rest.
      return result.testimony === 'drowned' ? checkRow(row, { power: statedPower }) : result
    }
    return checkRow(row, { power: statedPower })
  })
}

/** The opened columns of matrix `index` of an activation B: those of the plan, and what shares a leaf with them. */
function openedColumns({ b }: OpenedProduct, { n }: Geometry, index: number): PreparedMatrix {
  if (b === undefined) throw new RangeError('B is neither a weight nor opened')
  const stride = rowBytes(b)
  const first = b.indices.findIndex((row) => row >= index * n)
  const known = b.indices.filter((row) => row >= index * n && row < (index + 1) * n).map((row) => row - index * n)
  const bytes = b.bytes.subarray(first * stride, (first + known.length) * stride)
  return prepareColumns({ bytes, dtype: b.dtype, k: b.cols, n, known })
}

function drawEntries(seed: Uint8Array, row: number, n: number, count: number): Uint32Array {
  return drawWithoutReplacement(randomStream(deriveSeed(seed, 'entries', row)), Math.min(n, count), n)
}

function findingOf(failure: EntryFailure, row: number, { entries, failures }: RowResult): CheckFinding {
  const { column, claimed, recomputed, bound, reason } = failure
  const evidence = { row, column, claimed: String(claimed), recomputed: String(recomputed), bound: String(bound) }
  const values = `C[${row}, ${column}] is ${claimed}, A·B gives ${recomputed}`
  if (reason === 'non-finite') return { reason: 'value-not-finite', message: values, evidence }
  const difference = Math.abs(claimed - recomputed).toExponential(2)
  const explained = bound.toExponential(2)
  const message =
    reason === 'aggregate'
      ? `${values}: off by ${difference}; over all entries of the product the errors are more than rounding explains, an rms of ${explained} at most`
      : `${values}: off by ${difference} where rounding explains ${explained} (${failures.length} of ${entries} entries)`
  return { reason: reason === 'aggregate' ? 'values-biased' : 'value-out-of-tolerance', message, evidence }
}

function totalsOf(results: readonly RowResult[]): Omit<CheckedRows, 'findings' | 'rows' | 'drowned' | 'partialRows'> {
  let visibleError: number | undefined
  const totals = {
    entries: 0,
    vectors: 0,
    largestRatio: 0,
    sumSquaredRatio: 0,
    informativeEntries: 0,
    escalations: 0,
    guards: 0,
  }
  for (const result of results) {
    totals.entries += result.entries
    totals.vectors += result.vectors
    totals.largestRatio = Math.max(totals.largestRatio, result.largestRatio)
    totals.sumSquaredRatio += result.sumSquaredRatio
    totals.informativeEntries += result.informativeEntries
    totals.escalations += result.escalations
    if (result.guard !== undefined) totals.guards++
    if (result.visibleError !== undefined) visibleError = Math.max(visibleError ?? 0, result.visibleError)
  }
  return { ...totals, ...(visibleError === undefined ? {} : { visibleError }) }
}
