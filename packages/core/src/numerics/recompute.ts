import { checkEntry, type EntryResult, entryResult, type GuardReason, type RejectReason } from './entry.ts'
import { checkIntegerEntry } from './integer.ts'
import { position } from './prepared.ts'
import { checkQuantizedEntry } from './quantized.ts'
import { checkReproducedEntry } from './reproduced.ts'
import type { EntryFailure, OpenedRow } from './row.ts'
import { listen, type Told } from './telling.ts'

/** After so many wrong entries a row is not looked at further: what escalation costs a verifier stays bounded. */
export const maxFailures = 16

/** What recomputing some entries of a row found. */
export interface Tally extends Told {
  readonly failures: EntryFailure[]
  entries: number
  guard: GuardReason | undefined
  guardedEntries: number
  largestRatio: number
  /** Column of the largest ratio. */
  largestAt: number
  sumSquaredRatio: number
  informativeEntries: number
  escalations: number
  /** Before the activation. */
  sumSquaredTolerance: number
  sumSquaredValue: number
  /** After the activation. */
  sumSquaredBound: number
  sumSquaredOutput: number
  sumSquaredError: number
  /** Of results of 16 bits: those that are not the recomputed value correctly rounded, and how many honest engines show. */
  mismatches: number
  expectedMismatches: number
}

const entryChecks = {
  rounded: checkEntry,
  reproduced: checkReproducedEntry,
  integer: checkIntegerEntry,
  quantized: checkQuantizedEntry,
} as const

/** Recomputes some entries of a row, one by one. */
export function recompute(opened: OpenedRow, columns: Uint32Array): Tally {
  const check = entryChecks[opened.profile.sums]
  const result = entryResult()
  const tally: Tally = {
    failures: [],
    telling: false,
    sums: 0,
    buried: 0,
    isOpen: false,
    entries: 0,
    guard: undefined,
    guardedEntries: 0,
    largestRatio: 0,
    largestAt: 0,
    sumSquaredRatio: 0,
    informativeEntries: 0,
    escalations: 0,
    sumSquaredTolerance: 0,
    sumSquaredValue: 0,
    sumSquaredBound: 0,
    sumSquaredOutput: 0,
    sumSquaredError: 0,
    mismatches: 0,
    expectedMismatches: 0,
  }
  for (let i = 0; i < columns.length && tally.failures.length < maxFailures; i++) {
    const column = columns[i]!
    const claimed = opened.c[opened.columns === undefined ? column : position(opened.columns, column)]!
    const outcome = check(opened, column, claimed, result)
    tally.entries++
    if (outcome === 'guard') {
      tally.guardedEntries++
      tally.guard ??= result.reason as GuardReason
      continue
    }
    if (outcome === 'reject') tally.failures.push(failure(result, result.reason as RejectReason, column, claimed))
    add(tally, result, column)
    listen(tally, opened, column, result)
  }
  return tally
}

function add(tally: Tally, result: EntryResult, column: number): void {
  const { ratio, tolerance, preActivation, bound, recomputed, error } = result
  if (ratio > tally.largestRatio) {
    tally.largestRatio = ratio
    tally.largestAt = column
  }
  if (result.informative) {
    tally.informativeEntries++
    tally.sumSquaredRatio += ratio * ratio
  }
  if (result.escalated) tally.escalations++
  tally.sumSquaredTolerance += tolerance * tolerance
  tally.sumSquaredValue += preActivation * preActivation
  tally.sumSquaredBound += bound * bound
  tally.sumSquaredOutput += recomputed * recomputed
  tally.sumSquaredError += error * error
  if (result.mismatched) tally.mismatches++
  tally.expectedMismatches += result.mismatchRate
}

export function failure(
  result: EntryResult,
  reason: EntryFailure['reason'],
  column: number,
  claimed: number,
): EntryFailure {
  return { reason, column, claimed, recomputed: result.recomputed, bound: result.bound }
}
