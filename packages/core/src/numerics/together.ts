import { honestCountBound, honestRmsBound } from './aggregate.ts'
import { checkEntry, emulatedTolerance, entryResult, exactValue } from './entry.ts'
import { activate } from './epilogue.ts'
import { position } from './prepared.ts'
import { failure } from './recompute.ts'
import { spacing } from './rounding.ts'
import type { EntryFailure, OpenedRow } from './row.ts'

/**
 * Multiple of the rms of the emulated rounding errors up to which an rms error counts as rounding. The emulated error of
 * an entry is the largest of several orders, 1.5 to 2 times that of each.
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
  /** Σ(claimed − recomputed)², less what rounding to 16 bits explains. */
  readonly sumSquaredError: number
  /** Of results of 16 bits: those that are not correctly rounded, and how many honest engines show. */
  readonly mismatches: number
  readonly expectedMismatches: number
  /** Column of the largest ratio. */
  readonly largestAt: number
  readonly largestRatio: number
}

/**
 * Judges errors together that are each within their bound. Two statistics see deviations that no single entry shows: the
 * rms of the errors, such as noise of a third of the tolerance on every value; and, where results are rounded to 16 bits,
 * the number of those that are not the recomputed value correctly rounded, which an honest sum changes as rarely as it is
 * near a tie. Wrong is what is beyond honest data without structure *and* beyond what emulated engines show on these very
 * entries: 4 times the rms of their errors, or as many mismatches as errors of that size cause.
 *
 * All rows have the same profile. Rows whose activation has a rounding of its own are left out: that rounding is not
 * emulated.
 *
 * @returns The row and the failure `aggregate` of its entry with the largest ratio, or undefined if nothing is wrong.
 */
export function judgeTogether(rows: readonly JudgedRow[]): { row: number; failure: EntryFailure } | undefined {
  const counted = rows.filter(counts)
  const entries = total(counted, (row) => row.informativeEntries)
  if (entries === 0) return undefined
  const { honestRms } = counted[0]!.opened.profile
  const isNoisy = total(counted, (row) => row.sumSquaredRatio) > entries * honestRmsBound(honestRms, entries) ** 2
  const mismatches = total(counted, (row) => row.mismatches)
  const isMismatched = mismatches > honestCountBound(total(counted, (row) => row.expectedMismatches))
  if (!isNoisy && !isMismatched) return undefined

  const emulated = emulateAll(counted)
  const errorSquares = total(counted, (row) => row.sumSquaredError)
  const noisy = isNoisy && errorSquares > emulated.squares
  const mismatched = isMismatched && mismatches > honestCountBound(emulated.mismatches)
  if (!noisy && !mismatched) return undefined
  const worst = counted.reduce((a, b) => (b.largestRatio > a.largestRatio ? b : a))
  const { opened, largestAt: at } = worst
  const claimed = opened.c[opened.columns === undefined ? at : position(opened.columns, at)]!
  const result = entryResult()
  checkEntry(opened, at, claimed, result)
  result.bound = Math.sqrt(emulated.squares / total(counted, (row) => row.recomputed.length))
  return { row: rows.indexOf(worst), failure: failure(result, 'aggregate', at, claimed) }
}

/** Σe² and the number of mismatches that engines show on the entries of `rows` at most, by emulation. */
function emulateAll(rows: readonly JudgedRow[]): { squares: number; mismatches: number } {
  let squares = 0
  let mismatches = 0
  for (const { opened, recomputed } of rows) {
    const { epilogue } = opened
    for (const column of recomputed) {
      const error = emulatedTolerance(opened, column, acceptedEmulatedRms)
      squares += error * error
      if (epilogue.roundedTo === undefined) continue
      const value = activate(epilogue.activation, column, exactValue(opened, column))
      mismatches += Math.min(1, error / spacing(epilogue.roundedTo, value))
    }
  }
  return { squares, mismatches }
}

function counts({ guardedEntries, opened }: JudgedRow): boolean {
  const { profile, epilogue } = opened
  const isEmulated = ['linear', 'relu', 'relu6'].includes(epilogue.activation.name)
  return guardedEntries === 0 && profile.sums === 'rounded' && isEmulated
}

function total<T>(items: readonly T[], value: (item: T) => number): number {
  return items.reduce((sum, item) => sum + value(item), 0)
}
