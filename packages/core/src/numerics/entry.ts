import type { Elements } from './decode.ts'
import { absoluteSum, type DotSums, dot } from './dot.ts'
import { emulate } from './emulate.ts'
import { activate, activatedTolerance, type NumericEpilogue, perColumn } from './epilogue.ts'
import { columnOffset, type PreparedMatrix } from './prepared.ts'
import type { NumericProfile } from './profile.ts'
import { beyondRounding, halfFormats, spacing } from './rounding.ts'
import { termCount } from './terms.ts'
import { errorScale, hardBound, maxFloat32, minNormalFloat32 } from './tolerance.ts'

/** `guard`: nothing can be concluded from this value. */
export type Outcome = 'accept' | 'reject' | 'guard'

/** Why a value is wrong. */
export type RejectReason =
  | 'non-finite' // infinite or NaN, where honest arithmetic gives a number
  | 'tolerance' // further off than rounding explains for these operands
  | 'hard-bound' // further off than any order of summation can be
  | 'integer' // not the exact sum
  | 'reproduction' // not what the engine's own order of summation gives

/** Why nothing can be concluded. */
export type GuardReason =
  | 'operand-not-finite' // A, B or what is added holds infinities or NaN
  | 'overflow' // honest arithmetic may overflow, or exact sums leave the integers of float64
  | 'cancellation' // the tolerance is large beside the values
  | 'activation-unsupported' // no rule for this activation, or this addend, in this arithmetic
  | 'nothing-checked' // neither an entry nor a vector

/** What the entries of one row have in common. */
export interface EntryCheck {
  /** Row of op(A), shape [k]. */
  readonly a: Float64Array
  readonly b: PreparedMatrix
  readonly profile: NumericProfile
  readonly epilogue: NumericEpilogue
  /** Added to the row in the same operation, its factor included: shape [n]. */
  readonly addend?: Float64Array
}

/** Filled in by {@link checkEntry}; one object serves a whole row. */
export interface EntryResult {
  outcome: Outcome
  reason: RejectReason | GuardReason | undefined
  /** What float64 arithmetic gives, after the activation. */
  recomputed: number
  /** How far `recomputed` lies from the values that round to the claimed one: |claimed − recomputed| for a float32. */
  error: number
  /** Largest accepted |claimed − recomputed|. */
  bound: number
  /** error/ν; a profile's `acceptedRatio` is accepted without escalation. Never NaN or infinite. */
  ratio: number
  /** Whether the activation lets an error show here: a rectified negative sum says nothing of its size. */
  informative: boolean
  /** Whether the ratio was above the accepted one and the engine's error was emulated. */
  escalated: boolean
  /** Σa_t·b_t, before any factor; of reproduced arithmetic as the engine rounds it. */
  sum: number
  /** Value before the activation, and the tolerance it was given. */
  preActivation: number
  tolerance: number
  /** Of a result of 16 bits: whether it is another number than `recomputed` correctly rounded. */
  mismatched: boolean
  /** Of a result of 16 bits: how often honest engines show such a mismatch here, at most. */
  mismatchRate: number
}

export function entryResult(): EntryResult {
  return {
    outcome: 'guard',
    reason: undefined,
    recomputed: 0.5,
    error: 0.5,
    bound: 0.5,
    ratio: 0.5,
    informative: false,
    escalated: false,
    sum: 0.5,
    preActivation: 0.5,
    tolerance: 0.5,
    mismatched: false,
    mismatchRate: 0.5,
  }
}

const sums: DotSums = { sum: 0.5, squares: 0.5 }

/**
 * Compares one claimed element of C with its recomputation.
 *
 * Accepted when |e| <= 4ν, ν as {@link errorScale} has it. Data with structure (constant operands, stagnating sums) breaks
 * every rule of √K, so a larger error is escalated: the entry is computed as several engines would, and rejected if |e| is
 * more than 8 times the largest of their rounding errors. Whatever exceeds the hard bound is rejected. The bounds apply
 * before the activation and are carried through it; a result of 16 bits is then rounded, and e is what rounding leaves
 * unexplained.
 *
 * Underflow: a sum may lose 2⁻¹²⁶ at each of its 2K operations if the engine flushes subnormal numbers to zero, and
 * whatever subnormal operands contribute; a row without nonzero products loses nothing. −0 equals 0. Subnormal float16
 * numbers are kept, as operands and as results.
 *
 * @param column - Of C; `check.b` holds it.
 * @param claimed - As the prover opened it.
 */
export function checkEntry(check: EntryCheck, column: number, claimed: number, result: EntryResult): Outcome {
  const { a, b, profile, epilogue } = check
  const { alpha, activation, roundedTo } = epilogue
  const offset = columnOffset(b, column)
  dot(a, b.columns, offset, sums)
  const bias = epilogue.bias === undefined ? 0 : perColumn(epilogue.bias, column)
  const addend = check.addend === undefined ? 0 : check.addend[column]!
  const added = Math.abs(bias) + Math.abs(addend)
  const terms = termCount(check)
  const x = alpha * sums.sum + bias + addend
  const value = activate(activation, column, x)
  const squares = alpha * alpha * sums.squares + bias * bias + addend * addend

  result.recomputed = value
  result.sum = sums.sum
  result.preActivation = x
  result.error = 0
  result.bound = 0
  result.ratio = 0
  result.tolerance = 0
  result.informative = false
  result.escalated = false
  result.mismatched = false
  result.mismatchRate = 0

  // s₁ is at most √k·s₂, and is summed up only where that leaves something open.
  const atMost = Math.sqrt(a.length * sums.squares)
  let largest = largestPartialSum(atMost, alpha, added, value)
  if (!(largest < maxFloat32 / 2)) largest = largestPartialSum(absoluteSum(a, b.columns, offset), alpha, added, value)
  // Written so that NaN guards.
  if (!(largest * Math.exp(terms * profile.unitRoundoff) < maxFloat32)) {
    return conclude(result, 'guard', Number.isFinite(squares) ? 'overflow' : 'operand-not-finite')
  }

  const floor = squares === 0 ? 0 : 2 * terms * minNormalFloat32 * Math.max(1, Math.abs(alpha))
  const tolerance = profile.acceptedRatio * errorScale(profile, terms, squares, x) + floor
  const error = roundedTo === undefined ? Math.abs(claimed - value) : beyondRounding(roundedTo, claimed, value)
  const above = claimed > value
  const typical = activatedTolerance(activation, column, x, tolerance, above)
  if (roundedTo !== undefined && Math.abs(value) + typical >= halfFormats[roundedTo].overflow) {
    return conclude(result, 'guard', 'overflow')
  }
  if (!Number.isFinite(claimed)) {
    result.ratio = Number.MAX_VALUE
    return conclude(result, 'reject', 'non-finite')
  }
  // s₁ >= max(s₂, |c|), which mostly settles that the hard bound is the larger one.
  const atLeast = Math.abs(alpha) * Math.max(Math.sqrt(sums.squares), Math.abs(sums.sum)) + added
  let hard = hardBound(profile, terms, atLeast, x) + floor
  if (hard < tolerance || error > typical) {
    hard = hardBound(profile, terms, Math.abs(alpha) * absoluteSum(a, b.columns, offset) + added, x) + floor
  }

  result.error = error
  result.informative = typical > 0
  result.ratio = error === 0 ? 0 : Math.min((profile.acceptedRatio * error) / typical, Number.MAX_VALUE)
  result.tolerance = Math.min(tolerance, hard)
  const allowed = hard < tolerance ? activatedTolerance(activation, column, x, hard, above) : typical
  let rounding = 0
  if (roundedTo !== undefined) {
    const step = spacing(roundedTo, value)
    rounding = step / 2
    result.mismatched = error > 0
    // A value anywhere between two ties, moved by e, crosses one of them with probability |e|/step.
    result.mismatchRate = Math.min(1, (profile.honestRms * typical) / profile.acceptedRatio / step)
  }
  result.bound = allowed + rounding
  if (error <= allowed) return conclude(result, 'accept', undefined)

  result.escalated = true
  const flushed = Math.abs(alpha) * subnormalProducts(a, b.columns, offset)
  const hardest = activatedTolerance(activation, column, x, hard + flushed, above)
  if (!(error <= hardest)) {
    result.bound = hardest + rounding
    return conclude(result, 'reject', 'hard-bound')
  }
  const emulated = emulatedTolerance(check, column, profile.acceptedEmulatedRatio)
  result.tolerance = Math.min(emulated + floor, hard) + flushed
  const explained = activatedTolerance(activation, column, x, result.tolerance, above)
  result.bound = explained + rounding
  return error <= explained ? conclude(result, 'accept', undefined) : conclude(result, 'reject', 'tolerance')
}

/** α·a·b + bias + addend of a column, in float64. */
export function exactValue({ a, b, epilogue: { alpha, bias }, addend }: EntryCheck, column: number): number {
  dot(a, b.columns, columnOffset(b, column), sums)
  return alpha * sums.sum + (bias === undefined ? 0 : perColumn(bias, column)) + (addend?.[column] ?? 0)
}

/** Multiple of the error of an emulated tensor core that an entry may have: these are emulated bit by bit. */
const acceptedTruncationRatio = 2

/**
 * What engines of a profile may be wrong by in x = α·a·b + bias + addend, judged by emulating them: the error of converting
 * the operands, and `multiple` times the largest error of rounding in several orders, of a factor and of what is added, or
 * twice that of truncation. What is added comes last or, where nothing scales the sum, is its start; where there is both a
 * bias and an addend, one may be added to the sum before the other.
 */
export function emulatedTolerance(check: EntryCheck, column: number, multiple: number): number {
  const { a, b, profile, epilogue } = check
  const scale = Math.abs(epilogue.alpha)
  const bias = epilogue.bias === undefined ? 0 : perColumn(epilogue.bias, column)
  const addend = check.addend === undefined ? 0 : check.addend[column]!
  const offset = columnOffset(b, column)
  const start = epilogue.alpha === 1 ? bias + addend : 0
  const { operands, rounding, truncation } = emulate(profile, a, b.columns, offset, start)
  const x = Math.abs(exactValue(check, column))
  const added = Math.abs(bias) + Math.abs(addend)
  const ofFactor = scale === 1 ? 0 : profile.unitRoundoff * (x + added)
  const ofAdding = added === 0 ? 0 : profile.unitRoundoff * x
  const ofBoth = bias === 0 || addend === 0 ? 0 : profile.unitRoundoff * (x + added)
  const rounded = multiple * (scale * rounding + ofFactor + ofAdding + ofBoth)
  return scale * operands + Math.max(rounded, acceptedTruncationRatio * scale * truncation)
}

/** Every partial sum of every order stays below this, but for rounding. */
function largestPartialSum(absolute: number, alpha: number, added: number, value: number): number {
  return Math.max(absolute, Math.abs(alpha) * absolute + added, Math.abs(value))
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
