import { emulate } from '../emulate.ts'
import { checkEntry, type EntryCheck, entryResult } from '../entry.ts'
import { columnOffset } from '../prepared.ts'
import { checkRow, type OpenedRow } from '../row.ts'
import { judgeTogether } from '../together.ts'

/** Errors of an engine on some rows. */
export interface RowErrors {
  /** |e|/ν of each informative entry. */
  readonly ratios: Float64Array
  /** Largest |e| over the largest emulated rounding error, less what other bounds explain; 0 if none was emulated. */
  readonly emulated: number
  /** Entries that the profile rejects: the engine is not of it. */
  readonly rejected: number
  /** Rows of which nothing can be said. */
  readonly guarded: number
}

/** Entries for which engines are emulated: one in so many, and all whose ratio is above 1. */
const emulatedShare = 16

/**
 * Errors of rows as an engine gave them.
 *
 * @param rows - Of one product, every column held.
 */
export function measureRows(rows: readonly OpenedRow[]): RowErrors {
  const ratios: number[] = []
  let emulated = 0
  let rejected = 0
  let guarded = 0
  const result = entryResult()
  const judged = rows.map((opened) => ({ opened, ...checkRow(opened) }))
  if (judgeTogether(judged) !== undefined) rejected++
  for (const { opened, failures, guard } of judged) {
    rejected += failures.length
    if (guard !== undefined) {
      guarded++
      continue
    }
    // Of a bias or behind a rectifier, the rounding of the sum alone does not tell what the multiple is.
    const { bias, activation } = opened.epilogue
    const isSum = bias === undefined && activation.name === 'linear'
    for (let j = 0; j < opened.b.n; j++) {
      checkEntry(opened, j, opened.c[j]!, result)
      if (!result.informative) continue
      ratios.push(result.ratio)
      if (isSum && (j % emulatedShare === 0 || result.ratio > 1))
        emulated = Math.max(emulated, neededMultiple(opened, j, result.error))
    }
  }
  return { ratios: Float64Array.from(ratios), emulated, rejected, guarded }
}

/** Multiple of the emulated rounding error that explains an error, where operands and truncation do not. */
function neededMultiple({ a, b, profile, epilogue: { alpha } }: EntryCheck, column: number, error: number): number {
  const { operands, rounding, truncation } = emulate(profile, a, b.columns, columnOffset(b, column), 0)
  const rest = error / Math.abs(alpha) - operands
  if (rest <= 2 * truncation || rest <= 0) return 0
  // Where every emulated order is exact, the typical bound has to do.
  return rounding === 0 ? 0 : rest / rounding
}
