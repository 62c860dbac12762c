import {
  checkRow,
  type DType,
  decode,
  deriveSeed,
  drawWithoutReplacement,
  type Evidence,
  type FindingReason,
  type FreivaldsVector,
  type NumericActivation,
  type NumericEpilogue,
  operandRows,
  type PreparedMatrix,
  type ProductRecord,
  profiles,
  projectMatrix,
  type RowResult,
  randomStream,
  rowBytes,
  type SamplingPlan,
  toFloat64,
} from '@tensor-assay/core'
import { statedPower } from './ledger.ts'
import type { Policy } from './policy.ts'
import type { ProductWeights } from './prepared-weights.ts'

/** Some rows of a tensor. */
export interface OpenedTensor {
  readonly tensor: number
  readonly cols: number
  readonly dtype: DType
  /** Row numbers, ascending. */
  readonly indices: Uint32Array
  /** The rows one after the other. */
  readonly bytes: Uint8Array
}

/** What a plan asked for, as the prover opened it. */
export interface OpenedProduct {
  readonly plan: SamplingPlan
  readonly a: OpenedTensor
  readonly c: OpenedTensor
  /** Where B is an activation. */
  readonly b?: OpenedTensor
}

export interface CheckedRows {
  readonly rows: number
  readonly entries: number
  readonly vectors: number
  readonly largestRatio: number
  readonly sumSquaredRatio: number
  readonly escalations: number
  readonly guards: number
  readonly visibleError?: number
  readonly findings: readonly {
    readonly reason: FindingReason
    readonly message: string
    readonly evidence?: Evidence
  }[]
}

export interface CheckOptions {
  readonly record: ProductRecord
  readonly opened: OpenedProduct
  /** Where the vectors and the entries come from: unknown to the prover until it is bound to its rows. */
  readonly seed: Uint8Array
  readonly policy: Policy
  readonly weights: ProductWeights
}

/** Checks every opened row of one product against the public weights. */
export function checkOpenedRows({ record, opened, seed, policy, weights }: CheckOptions): CheckedRows {
  const { layout, profile } = record
  const { plan } = opened
  const epilogue = epilogueOf(record, weights)
  const wholeRows = plan.columns === undefined
  const linear = epilogue.activation.name === 'linear'
  // Projecting B costs as much as one row for each vector: with fewer rows, recomputing them is cheaper and sees more.
  const vectorsWanted =
    wholeRows && linear && profile !== 'int32' && plan.rows.length > policy.vectors ? policy.vectors : 0
  const recomputeAll = !wholeRows || (policy.vectors > 0 && vectorsWanted === 0)
  const rowsOfMatrix = new Map<number, FreivaldsVector[]>()
  const totals = { rows: 0, entries: 0, vectors: 0, largestRatio: 0, sumSquaredRatio: 0, escalations: 0, guards: 0 }
  const findings: { reason: FindingReason; message: string; evidence?: Evidence }[] = []
  let visibleError: number | undefined

  for (const [i, r] of plan.rows.entries()) {
    const operands = operandRows(layout, r)
    const a = rowValues(opened.a, opened.a.indices.indexOf(operands.a))
    const whole = rowValues(opened.c, i)
    const matrix = weights.matrices[operands.b] ?? openedColumns(opened, layout.n, operands.b, plan.columns)
    const held = weights.matrices.length > 0
    const result = checkRow(
      held || wholeRows
        ? { a, c: whole, matrix, epilogue, profile: profiles[profile] }
        : { a, c: pick(whole, plan.columns!), columns: plan.columns!, matrix, epilogue, profile: profiles[profile] },
      {
        ...(recomputeAll
          ? held && plan.columns
            ? { entries: plan.columns }
            : {}
          : { entries: drawEntries(seed, r, layout.n, policy.entries) }),
        ...(vectorsWanted > 0 ? { vectors: vectorsFor(operands.b, matrix) } : {}),
      },
      statedPower,
    )
    add(r, result)
  }
  totals.vectors = vectorsWanted * plan.rows.length
  return { ...totals, findings, ...(visibleError === undefined ? {} : { visibleError }) }

  function vectorsFor(index: number, matrix: PreparedMatrix): FreivaldsVector[] {
    let vectors = rowsOfMatrix.get(index)
    if (vectors === undefined) {
      const stream = randomStream(deriveSeed(seed, 'vectors', index))
      const xs = Array.from({ length: vectorsWanted }, () => {
        const x = new Float64Array(layout.n)
        stream.fillSignedUnit(x)
        return x
      })
      const projections = projectMatrix(matrix, xs)
      vectors = xs.map((x, v) => ({ x, Bx: projections[v]! }))
      rowsOfMatrix.set(index, vectors)
    }
    return vectors
  }

  function add(r: number, result: RowResult): void {
    totals.rows++
    totals.entries += result.entries
    totals.largestRatio = Math.max(totals.largestRatio, result.largestRatio)
    totals.sumSquaredRatio += result.sumSquaredRatio
    totals.escalations += result.escalations
    if (result.visibleError !== undefined) visibleError = Math.max(visibleError ?? 0, result.visibleError)
    if (result.guard !== undefined) {
      totals.guards++
      findings.push({
        reason: 'tolerance-guard',
        message: `nothing can be said of row ${r}: ${result.guard}`,
        evidence: { row: r },
      })
    }
    const { rejected } = result
    if (rejected === undefined) return
    const { column, claimed, recomputed, bound } = rejected
    const evidence = { row: r, column, claimed: String(claimed), recomputed: String(recomputed), bound: String(bound) }
    if (rejected.reason === 'not-finite') {
      findings.push({
        reason: 'value-not-finite',
        message: `C[${r}, ${column}] is ${claimed}, A·B gives ${recomputed}`,
        evidence,
      })
      return
    }
    const difference = Math.abs(claimed - recomputed).toExponential(2)
    const message = `C[${r}, ${column}] is ${claimed}, A·B gives ${recomputed}: off by ${difference} where rounding explains ${bound.toExponential(2)} (${result.rejectedEntries} of ${result.entries} entries)`
    findings.push({ reason: 'value-out-of-tolerance', message, evidence })
  }
}

function epilogueOf(record: ProductRecord, { bias, slopes }: ProductWeights): NumericEpilogue {
  const activation: NumericActivation =
    record.activation.name === 'prelu' ? { name: 'prelu', slopes: slopes! } : record.activation
  return { alpha: record.alpha, ...(bias === undefined ? {} : { bias }), activation }
}

function rowValues(tensor: OpenedTensor, position: number): Float64Array {
  const stride = rowBytes(tensor)
  return toFloat64(tensor.bytes.subarray(position * stride, (position + 1) * stride), tensor.dtype)
}

function pick(values: Float64Array, columns: Uint32Array): Float64Array {
  return Float64Array.from(columns, (column) => values[column]!)
}

/** The opened columns of matrix `index` of an activation B. */
function openedColumns(
  { b }: OpenedProduct,
  n: number,
  index: number,
  columns: Uint32Array | undefined,
): PreparedMatrix {
  const stride = rowBytes(b!)
  const count = columns?.length ?? n
  const first = b!.indices.indexOf(index * n + (columns?.[0] ?? 0))
  const bytes = b!.bytes.subarray(first * stride, (first + count) * stride)
  return { k: b!.cols, n: count, columns: decode(bytes, b!.dtype), energy: () => new Float64Array(b!.cols) }
}

function drawEntries(seed: Uint8Array, row: number, n: number, count: number): Uint32Array {
  return drawWithoutReplacement(randomStream(deriveSeed(seed, 'entries', row)), Math.min(n, count), n)
}
