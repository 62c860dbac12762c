import { honestRmsBound } from './aggregate.ts'
import { checkEntry, emulatedError, entryResult } from './entry.ts'
import { perColumn } from './epilogue.ts'
import { columnOffset, position } from './prepared.ts'
import { failure } from './recompute.ts'
import type { EntryFailure, OpenedRow } from './row.ts'

/**
 * Multiple of the rms of the emulated errors up to which an rms error counts as rounding. The emulated error of an entry
 * is the largest of several orders, 1.5 to 2 times that of each.
 */
export const acceptedEmulatedRms = 4

/** Recomputed entries of one row, and what came of them. */
export interface JudgedRow {
  readonly opened: OpenedRow
  /** Columns that were recomputed. */
  readonly recomputed: Uint32Array
  readonly sumSquaredRatio: number
  readonly informativeEntries: number
  readonly guardedEntries: number
  /** Σ(claimed − recomputed)². */
  readonly sumSquaredError: number
  /** Column of the largest ratio. */
  readonly largestAt: number
  readonly largestRatio: number
}

/**
 * Judges errors together that are each within their bound: wrong if their rms is beyond what honest data without structure
 * shows *and* beyond 4 times the rms of the errors of the emulated orders on these very entries. Sees deviations that no
 * single entry shows, such as noise of a third of the tolerance on every value.
 *
 * Rows whose activation has a rounding of its own are left out: that rounding is not emulated.
 *
 * @returns The row and the failure `aggregate` of its entry with the largest ratio, or undefined if nothing is wrong.
 */
export function judgeTogether(rows: readonly JudgedRow[]): { row: number; failure: EntryFailure } | undefined {
  let squares = 0
  let entries = 0
  for (const row of rows) {
    if (!counts(row)) continue
    squares += row.sumSquaredRatio
    entries += row.informativeEntries
  }
  if (entries === 0 || squares <= entries * honestRmsBound(entries) ** 2) return undefined
  let errorSquares = 0
  let emulatedSquares = 0
  let judged = 0
  let worst = -1
  for (const [i, row] of rows.entries()) {
    if (!counts(row)) continue
    errorSquares += row.sumSquaredError
    judged += row.recomputed.length
    if (worst < 0 || row.largestRatio > rows[worst]!.largestRatio) worst = i
    const { b, epilogue } = row.opened
    for (const column of row.recomputed) {
      const bias = epilogue.bias === undefined ? 0 : perColumn(epilogue.bias, column)
      emulatedSquares += emulatedError(row.opened, columnOffset(b, column), bias) ** 2
    }
  }
  if (errorSquares <= acceptedEmulatedRms ** 2 * emulatedSquares) return undefined
  const { opened, largestAt: at } = rows[worst]!
  const claimed = opened.c[opened.columns === undefined ? at : position(opened.columns, at)]!
  const result = entryResult()
  checkEntry(opened, at, claimed, result)
  result.bound = acceptedEmulatedRms * Math.sqrt(emulatedSquares / judged)
  return { row: worst, failure: failure(result, 'aggregate', at, claimed) }
}

function counts({ guardedEntries, opened }: JudgedRow): boolean {
  return guardedEntries === 0 && ['linear', 'relu', 'relu6'].includes(opened.epilogue.activation.name)
}
