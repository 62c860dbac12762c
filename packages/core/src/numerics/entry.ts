import type { Elements } from './decode.ts'
import { type DotSums, dot } from './dot.ts'
import { largestEmulatedError } from './emulate.ts'
import { activate, activatedTolerance, type NumericEpilogue, perColumn } from './epilogue.ts'
import { columnOffset, type PreparedMatrix } from './prepared.ts'
import type { NumericProfile } from './profile.ts'
import { termCount } from './terms.ts'
import { acceptedRatio, errorScale, hardBound, maxFloat32, minNormalFloat32 } from './tolerance.ts'

/** `guard`: nothing can be concluded from this value. */
export type Outcome = 'accept' | 'reject' | 'guard'

/** Why a value is wrong. */
export type RejectReason =
  | 'non-finite' // infinite or NaN, where honest arithmetic gives a number
  | 'tolerance' // further off than rounding explains for these operands
  | 'hard-bound' // further off than any order of summation can be
  | 'integer' // not the exact sum

/** Why nothing can be concluded. */
export type GuardReason =
  | 'operand-not-finite' // A, B or the bias holds infinities or NaN
  | 'overflow' // honest float32 arithmetic may overflow, or exact sums leave the integers of float64
  | 'cancellation' // the tolerance is large beside the values
  | 'activation-unsupported' // no rule for this activation in this arithmetic
  | 'nothing-checked' // neither an entry nor a vector

/** What the entries of one row have in common. */
export interface EntryCheck {
  /** Row of op(A), shape [k]. */
  readonly a: Float64Array
  readonly b: PreparedMatrix
  readonly profile: NumericProfile
  readonly epilogue: NumericEpilogue
}

/** Filled in by {@link checkEntry}; one object serves a whole row. */
export interface EntryResult {
  outcome: Outcome
  reason: RejectReason | GuardReason | undefined
  /** What float64 arithmetic gives, after the activation. */
  recomputed: number
  /** Largest accepted |claimed − recomputed|. */
  bound: number
  /** |error|/ν; {@link acceptedRatio} is accepted without escalation. Never NaN or infinite. */
  ratio: number
  /** Whether the activation lets an error show here: a rectified negative sum says nothing of its size. */
  informative: boolean
  /** Whether the ratio was above {@link acceptedRatio} and the engine's error was emulated. */
  escalated: boolean
  /** Value before the activation, and the tolerance it was given. */
  preActivation: number
  tolerance: number
}

export function entryResult(): EntryResult {
  return {
    outcome: 'guard',
    reason: undefined,
    recomputed: 0.5,
    bound: 0.5,
    ratio: 0.5,
    informative: false,
    escalated: false,
    preActivation: 0.5,
    tolerance: 0.5,
  }
}

/** Multiple of the largest emulated error that an escalated entry may have. */
export const acceptedEmulatedRatio = 8

const sums: DotSums = { sum: 0.5, absolute: 0.5, squares: 0.5 }

/**
 * Compares one claimed element of C with its recomputation.
 *
 * Accepted when |e| <= 4ν, ν = u·√K·√(s₂² + c²). Data with structure (constant operands, stagnating sums) breaks every
 * rule of √K, so a larger error is escalated: the entry is computed in float32 in several orders, and rejected if |e| is
 * more than 8 times the largest of their errors. Whatever exceeds the hard bound is rejected. The bounds apply before the
 * activation and are carried through it.
 *
 * Underflow: a sum may lose 2⁻¹²⁶ at each of its 2K operations if the engine flushes subnormal numbers to zero, and
 * whatever subnormal operands contribute; a row without nonzero products loses nothing. −0 equals 0.
 *
 * @param column - Of C; `check.b` holds it.
 * @param claimed - As the prover opened it.
 */
export function checkEntry(check: EntryCheck, column: number, claimed: number, result: EntryResult): Outcome {
  const { a, b, profile, epilogue } = check
  const { alpha, activation } = epilogue
  const offset = columnOffset(b, column)
  dot(a, b.columns, offset, sums)
  const bias = epilogue.bias === undefined ? 0 : perColumn(epilogue.bias, column)
  const u = profile.unitRoundoff
  const terms = termCount(a.length, epilogue)
  const x = alpha * sums.sum + bias
  const absolute = Math.abs(alpha) * sums.absolute + Math.abs(bias)
  const value = activate(activation, column, x)

  result.recomputed = value
  result.preActivation = x
  result.bound = 0
  result.ratio = 0
  result.tolerance = 0
  result.informative = false
  result.escalated = false

  // Every partial sum of every order stays below this; written so that NaN guards.
  const largestPartialSum = Math.max(sums.absolute, absolute, Math.abs(value)) * Math.exp(terms * u)
  if (!(largestPartialSum < maxFloat32)) {
    return conclude(result, 'guard', Number.isFinite(absolute) ? 'overflow' : 'operand-not-finite')
  }
  if (!Number.isFinite(claimed)) {
    result.ratio = Number.MAX_VALUE
    return conclude(result, 'reject', 'non-finite')
  }

  const squares = alpha * alpha * sums.squares + bias * bias
  const floor = absolute === 0 ? 0 : 2 * terms * minNormalFloat32 * Math.max(1, Math.abs(alpha))
  const tolerance = acceptedRatio * errorScale(u, terms, squares, x) + floor
  const hard = hardBound(u, terms, absolute, x) + floor
  const error = Math.abs(claimed - value)
  const above = claimed > value

  const typical = activatedTolerance(activation, column, x, tolerance, above)
  result.informative = typical > 0
  result.ratio = error === 0 ? 0 : Math.min((acceptedRatio * error) / typical, Number.MAX_VALUE)
  result.tolerance = Math.min(tolerance, hard)
  result.bound = hard < tolerance ? activatedTolerance(activation, column, x, hard, above) : typical
  if (error <= result.bound) return conclude(result, 'accept', undefined)

  result.escalated = true
  const flushed = Math.abs(alpha) * subnormalProducts(a, b.columns, offset)
  const hardest = activatedTolerance(activation, column, x, hard + flushed, above)
  if (!(error <= hardest)) {
    result.bound = hardest
    return conclude(result, 'reject', 'hard-bound')
  }
  const emulated = emulatedError(check, offset, bias)
  result.tolerance = Math.min(acceptedEmulatedRatio * emulated + floor, hard) + flushed
  result.bound = activatedTolerance(activation, column, x, result.tolerance, above)
  return error <= result.bound ? conclude(result, 'accept', undefined) : conclude(result, 'reject', 'tolerance')
}

/** Largest emulated error of α·a·b + bias, the bias added last or, where nothing scales the sum, as its start. */
export function emulatedError({ a, b, epilogue: { alpha } }: EntryCheck, offset: number, bias: number): number {
  const biasLast = Math.abs(alpha) * largestEmulatedError(a, b.columns, offset, 0)
  if (bias === 0 || alpha !== 1) return biasLast
  return Math.max(biasLast, largestEmulatedError(a, b.columns, offset, bias))
}

export function conclude(result: EntryResult, outcome: Outcome, reason: EntryResult['reason']): Outcome {
  result.outcome = outcome
  result.reason = reason
  return outcome
}

/** Σ|a_t·b_t| over the products with a subnormal operand, which an engine may take for zero. */
function subnormalProducts(a: Float64Array, columns: Elements, offset: number): number {
  let sum = 0
  for (let t = 0; t < a.length; t++) {
    const b = columns[offset + t]!
    if (Math.abs(a[t]!) < minNormalFloat32 || Math.abs(b) < minNormalFloat32) sum += Math.abs(a[t]! * b)
  }
  return sum
}
