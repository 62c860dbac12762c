import type { NumericProfile } from '../numerics/profile.ts'
import { checkEntry, type EntryResult, entryResult } from './entry.ts'
import type { NumericEpilogue } from './epilogue.ts'
import { type FreivaldsVector, freivalds, visibleNorm } from './freivalds.ts'
import type { PreparedMatrix } from './prepared.ts'

export interface OpenedRow {
  /** Row of op(A), shape [k]. */
  readonly a: Float64Array
  /** The prover's values. */
  readonly c: Float64Array
  /** Column of C for each value of `c`; a whole row when omitted. */
  readonly columns?: Uint32Array
  /** B; its column i belongs to value i of `c`. */
  readonly matrix: PreparedMatrix
  readonly epilogue: NumericEpilogue
  readonly profile: NumericProfile
}

export interface RowCheck {
  /** Positions in `c` to recompute; all when omitted. */
  readonly entries?: Uint32Array
  /** For whole rows without an activation. */
  readonly vectors?: readonly FreivaldsVector[]
}

export interface RejectedEntry {
  readonly column: number
  readonly claimed: number
  readonly recomputed: number
  readonly bound: number
  readonly reason: EntryResult['reason']
}

export interface RowResult {
  readonly outcome: 'accept' | 'reject' | 'guard'
  /** The first rejected entry. */
  readonly rejected?: RejectedEntry
  readonly rejectedEntries: number
  readonly entries: number
  readonly largestRatio: number
  readonly sumSquaredRatio: number
  readonly escalations: number
  /** Why nothing can be said of the row. */
  readonly guard?: string
  /** Relative error ‖d‖₂/‖c‖₂ that the vectors see with the stated power. */
  readonly visibleError?: number
}

/**
 * Guard against a tolerance that the prover inflates through its choice of A: three scales, relative to the size of the
 * row's results. Honest data stays below 3.1·10⁻⁵.
 */
const inflationLimit = 1e-3

/**
 * Checks one opened row: Freivalds' vectors over all of it, and some entries exactly. A residual above its bound leads to
 * recomputing the whole row, whose entries then decide: the error of every entry is known by then, and the vectors can
 * tell no more.
 *
 * @param power - Probability for which the visible error is stated.
 */
export function checkRow(opened: OpenedRow, { entries, vectors = [] }: RowCheck, power: number): RowResult {
  const { a, c, matrix, epilogue, profile } = opened
  if (!allFinite(a)) return { ...nothing, outcome: 'guard', guard: 'A holds values that are not finite' }
  const first = inspect(opened, entries)
  if (first.outcome === 'reject' || vectors.length === 0 || profile.unitRoundoff === 0) return first
  let bound = 0
  let tripped = false
  for (const vector of vectors) {
    const result = freivalds(a, c, matrix, vector, epilogue, profile.unitRoundoff)
    bound = Math.max(bound, result.bound)
    if (!(result.residual <= result.bound)) tripped = true
  }
  const norm = Math.sqrt(c.reduce((sum, value) => sum + value * value, 0))
  const visibleError = norm > 0 ? visibleNorm(bound, vectors.length, power) / norm : undefined
  const stated = visibleError === undefined ? {} : { visibleError }
  if (!tripped) return { ...first, ...stated }
  return { ...inspect(opened, undefined), ...stated }
}

const nothing = {
  outcome: 'accept',
  rejectedEntries: 0,
  entries: 0,
  largestRatio: 0,
  sumSquaredRatio: 0,
  escalations: 0,
} as const

function inspect(opened: OpenedRow, entries: Uint32Array | undefined): RowResult {
  const { a, c, columns, matrix, epilogue, profile } = opened
  const { k } = matrix
  const result = entryResult()
  const count = entries?.length ?? c.length
  let rejected: RejectedEntry | undefined
  let rejectedEntries = 0
  let largestRatio = 0
  let sumSquaredRatio = 0
  let escalations = 0
  let guard: string | undefined
  let scales = 0
  let values = 0
  for (let i = 0; i < count; i++) {
    const position = entries?.[i] ?? i
    const column = columns?.[position] ?? position
    const b = matrix.columns.subarray(position * k, (position + 1) * k)
    checkEntry(a, b, column, c[position]!, epilogue, profile, result)
    if (result.escalated) escalations++
    if (result.outcome === 'guard') guard = result.reason
    else {
      largestRatio = Math.max(largestRatio, result.ratio)
      sumSquaredRatio += result.ratio * result.ratio
      scales += result.scale * result.scale
      values += result.recomputed * result.recomputed
    }
    if (result.outcome !== 'reject') continue
    rejectedEntries++
    rejected ??= {
      column,
      claimed: c[position]!,
      recomputed: result.recomputed,
      bound: result.bound,
      reason: result.reason,
    }
  }
  if (guard === undefined && count >= 16 && epilogue.activation.name === 'linear') {
    const relative = (3 * Math.sqrt(scales)) / Math.sqrt(values)
    // Written so that 0/0, a row of zeros times anything, is no inflation.
    if (relative > inflationLimit) guard = `the tolerance is ${relative.toExponential(1)} of the values`
  }
  return {
    outcome: rejectedEntries > 0 ? 'reject' : guard === undefined ? 'accept' : 'guard',
    ...(rejected === undefined ? {} : { rejected }),
    rejectedEntries,
    entries: count,
    largestRatio,
    sumSquaredRatio,
    escalations,
    ...(guard === undefined ? {} : { guard }),
  }
}

function allFinite(values: Float64Array): boolean {
  for (const value of values) if (!Number.isFinite(value)) return false
  return true
}
