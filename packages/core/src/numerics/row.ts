import { innerProduct } from './dot.ts'
import type { EntryCheck, GuardReason, RejectReason } from './entry.ts'
import { checkEpilogue } from './epilogue.ts'
import { freivaldsApplies, freivaldsResidual, freivaldsRow, smallestVisible } from './freivalds.ts'
import { relativeTolerance } from './guard.ts'
import { checkColumns, columnOffset, position } from './prepared.ts'
import type { FreivaldsVector } from './project.ts'
import { recompute, type Tally } from './recompute.ts'
import { smallestColumns, union } from './smallest.ts'
import { distanceFromIdle, type Testimony, testimonyOf } from './telling.ts'
import { judgeTogether } from './together.ts'

/** A row of C as the prover opened it, and what it must be. */
export interface OpenedRow extends EntryCheck {
  /** Claimed values: shape [n], or one for each of `columns`. */
  readonly c: Float64Array
  /** Column of C for each value of `c`, ascending; a whole row when absent. */
  readonly columns?: Uint32Array
}

/** What to check of a row. */
export interface RowRequest {
  /** Columns to recompute, ascending; when absent, every column that `c` and `b` both hold. */
  readonly entries?: Uint32Array
  /** Of results of 16 bits: values of least magnitude that are recomputed besides, at most one in 20; 0 when absent. */
  readonly smallest?: number
  /** For whole rows where {@link freivaldsApplies}. */
  readonly vectors?: readonly FreivaldsVector[]
  /** Probability for which `visibleError` is stated; 0.99 when absent. */
  readonly power?: number
}

/** A value that is wrong, with what a third party needs to see it. */
export interface EntryFailure {
  /** `aggregate`: no value alone, but the errors of the row together; the value with the largest ratio stands for them. */
  readonly reason: RejectReason | 'aggregate'
  readonly column: number
  readonly claimed: number
  readonly recomputed: number
  /** Largest difference that rounding explains; for `aggregate`, the largest rms difference over the row. */
  readonly bound: number
}

export interface RowResult {
  /** `guard`: inconclusive. */
  readonly outcome: 'accept' | 'reject' | 'guard'
  /** Why nothing can be concluded of the row, or of some of its entries. */
  readonly guard?: GuardReason
  /** At most {@link maxFailures}: the row is not looked at further. */
  readonly failures: readonly EntryFailure[]
  /** Whether the row shows that A·B was computed, as far as it was looked at. */
  readonly testimony: Testimony
  /** Columns that were recomputed, as far as the row was looked at. */
  readonly recomputed: Uint32Array
  /** Entries recomputed. */
  readonly entries: number
  /** Freivalds vectors applied. */
  readonly vectors: number
  /** Largest |error|/ν over the entries; finite. */
  readonly largestRatio: number
  /** Column of the largest ratio. */
  readonly largestAt: number
  /** Σ(claimed − recomputed)², less what rounding to 16 bits explains. */
  readonly sumSquaredError: number
  /** Σ(|error|/ν)² over the `informativeEntries`: those whose activation lets an error show. */
  readonly sumSquaredRatio: number
  readonly informativeEntries: number
  /** Of results of 16 bits: those that are not the recomputed value correctly rounded, and how many honest engines show. */
  readonly mismatches: number
  readonly expectedMismatches: number
  /** Entries above the accepted ratio. */
  readonly escalations: number
  /** Entries of which nothing can be concluded. */
  readonly guardedEntries: number
  /** rms over the row of the tolerance and of the value, both before the activation: see {@link relativeTolerance}. */
  readonly rmsTolerance: number
  readonly rmsValue: number
  /**
   * ‖d‖₂/‖c‖₂ of the smallest row error that is seen with probability `power`, however it is distributed. Absent unless
   * vectors or all n entries were checked, or where the row is 0.
   */
  readonly visibleError?: number
}

/**
 * Checks one opened row of C = activation(α·op(A)·op(B) + bias + addend).
 *
 * Freivalds vectors cover every entry and never reject by themselves: a residual above its bound has the whole row
 * recomputed, and then the entries decide, each with its own bound. Errors that keep within it everywhere and yet trip a
 * vector are judged together: rejected if their rms is beyond what honest data without structure shows *and* beyond 4
 * times the rms of the errors of the emulated orders on this very row.
 *
 * @throws {RangeError} If the shapes do not fit, an entry is not held, or vectors are given where they do not apply.
 *
 * @example
 * ```ts
 * const b = prepareMatrix({ bytes, dtype: 'float32', k, n, transposed: false })
 * const vectors = projectMatrix(b, [x])
 * const result = checkRow({ a, c, b, profile: profiles.float32, epilogue: identityEpilogue }, { entries, vectors })
 * ```
 */
export function checkRow(opened: OpenedRow, request: RowRequest = {}): RowResult {
  const { vectors = [], power = 0.99 } = request
  checkShapes(opened, request)
  const columns = sampledColumns(opened, request)
  const sampled = recompute(opened, columns)
  if (vectors.length === 0 || sampled.failures.length > 0) return conclude(opened, columns, sampled)

  const row = freivaldsRow(opened)
  let tripped = false
  let bound = 0
  let tolerance = 0
  for (const vector of vectors) {
    const found = freivaldsResidual(row, vector)
    if (!(found.residual <= found.bound)) tripped = true
    bound = Math.max(bound, found.bound)
    tolerance = Math.max(tolerance, found.tolerance)
  }
  const projected = { vectors, tolerance, visible: smallestVisible(bound, vectors.length, power) }
  if (!tripped) return conclude(opened, columns, sampled, projected)

  const all = heldColumns(opened)
  const whole = recompute(opened, all)
  if (whole.failures.length === 0) {
    const together = judgeTogether([{ opened, recomputed: all, ...whole }])
    if (together) whole.failures.push(together.failure)
  }
  return conclude(opened, all, whole, projected)
}

interface Projected {
  readonly vectors: readonly FreivaldsVector[]
  /** Largest T of the vectors, without the rounding of results to 16 bits. */
  readonly tolerance: number
  /** Norm of the smallest error that they see. */
  readonly visible: number
}

function conclude(opened: OpenedRow, columns: Uint32Array, tally: Tally, projected?: Projected): RowResult {
  const { b, profile } = opened
  const { n } = b
  const judged = tally.entries - tally.guardedEntries
  let rmsTolerance = judged === 0 ? 0 : Math.sqrt(tally.sumSquaredTolerance / judged)
  let rmsValue = judged === 0 ? 0 : Math.sqrt(tally.sumSquaredValue / judged)
  let visibleError = judged === n ? Math.sqrt(tally.sumSquaredBound / tally.sumSquaredOutput) : undefined
  if (projected !== undefined && tally.entries < n) {
    // The residual vouches for the row as claimed, which says more of its size than the entries sampled from it.
    const norm = Math.sqrt(innerProduct(opened.c, opened.c))
    rmsValue = norm / Math.sqrt(n)
    // T² = 4r²·Σ_j x_j²(…)_j is on average 4/3 of Σ_j ν_j², whose multiple the tolerance is. Reproduced entries have none.
    if (judged === 0 || profile.sums === 'reproduced') {
      rmsTolerance = (profile.acceptedRatio * Math.sqrt(3 / n) * projected.tolerance) / 2
    }
    visibleError = projected.visible / norm
  }
  // Written so that NaN guards.
  const isVague = !(relativeTolerance(rmsTolerance, rmsValue) <= profile.maxRelativeTolerance)
  const guard = guardOf(tally, projected, isVague)
  return {
    outcome: tally.failures.length > 0 ? 'reject' : guard === undefined ? 'accept' : 'guard',
    ...(guard === undefined ? {} : { guard }),
    failures: tally.failures,
    testimony: testimony(opened, tally, projected),
    recomputed: columns.subarray(0, tally.entries),
    entries: tally.entries,
    vectors: projected?.vectors.length ?? 0,
    largestRatio: tally.largestRatio,
    largestAt: tally.largestAt,
    sumSquaredError: tally.sumSquaredError,
    sumSquaredRatio: tally.sumSquaredRatio,
    informativeEntries: tally.informativeEntries,
    mismatches: tally.mismatches,
    expectedMismatches: tally.expectedMismatches,
    escalations: tally.escalations,
    guardedEntries: tally.guardedEntries,
    rmsTolerance,
    rmsValue,
    ...(visibleError === undefined || !Number.isFinite(visibleError) ? {} : { visibleError }),
  }
}

/**
 * A row that vectors vouch for is also telling as a whole: where they see an error of the size of all that is not the result
 * of no work. Without an activation, a sum and its opposite are equally far from that.
 */
function testimony(opened: OpenedRow, tally: Tally, projected?: Projected): Testimony {
  const told = testimonyOf(tally)
  if (told === 'telling' || tally.buried > 0 || projected === undefined || tally.entries === opened.b.n) return told
  if (distanceFromIdle(opened) > projected.visible) return 'telling'
  return projected.vectors.some(({ Bx }) => innerProduct(opened.a, Bx) !== 0) ? 'drowned' : told
}

function guardOf(tally: Tally, projected: Projected | undefined, isVague: boolean): GuardReason | undefined {
  if (tally.guard !== undefined) return tally.guard
  if (tally.entries === 0 && projected === undefined) return 'nothing-checked'
  return isVague ? 'cancellation' : undefined
}

function sampledColumns(opened: OpenedRow, { entries, smallest = 0 }: RowRequest): Uint32Array {
  if (entries === undefined) return heldColumns(opened)
  const { c, b, columns, epilogue } = opened
  const count = Math.min(smallest, Math.ceil(c.length / 20))
  // Where columns of B are missing, what is left is recomputed in full anyway.
  if (epilogue.roundedTo === undefined || count === 0 || b.known !== undefined) return entries
  return union(entries, smallestColumns(c, columns, count, epilogue.activation.name === 'linear'))
}

/** Columns that both `c` and `b` hold. */
function heldColumns({ b, columns }: OpenedRow): Uint32Array {
  if (columns === undefined) return b.known ?? Uint32Array.from({ length: b.n }, (_, j) => j)
  return b.known === undefined ? columns : columns.filter((column) => columnOffset(b, column) >= 0)
}

function checkShapes(opened: OpenedRow, { entries, vectors = [] }: RowRequest): void {
  const { a, b, c, columns, profile, epilogue, addend } = opened
  if (a.length !== b.k) throw new RangeError(`expected a row of A of ${b.k} elements, got ${a.length}`)
  const expected = columns === undefined ? b.n : columns.length
  if (c.length !== expected) throw new RangeError(`expected ${expected} claimed values, got ${c.length}`)
  if (columns !== undefined) checkColumns(columns, b.n)
  checkEpilogue(epilogue, b.n)
  if (addend !== undefined && addend.length !== b.n) {
    throw new RangeError(`expected an addend of ${b.n} values, got ${addend.length}`)
  }
  if (entries !== undefined) {
    checkColumns(entries, b.n)
    for (const column of entries) {
      const held = columnOffset(b, column) >= 0 && (columns === undefined || position(columns, column) >= 0)
      if (!held) throw new RangeError(`column ${column} is to be recomputed, but A·B or C is not held there`)
    }
  }
  if (vectors.length === 0) return
  if (columns !== undefined || b.known !== undefined) throw new RangeError('vectors need every column of B and C')
  if (!freivaldsApplies(profile, epilogue)) {
    throw new RangeError(`vectors do not apply to ${profile.name} products with activation ${epilogue.activation.name}`)
  }
  for (const { x, Bx } of vectors) {
    if (x.length !== b.n || Bx.length !== b.k) {
      throw new RangeError(`expected x of ${b.n} and Bx of ${b.k} elements, got ${x.length} and ${Bx.length}`)
    }
  }
}
