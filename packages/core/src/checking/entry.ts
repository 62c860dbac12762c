import type { NumericProfile } from '../numerics/profile.ts'
import { largestEmulatedError } from './emulate.ts'
import { activate, activationError, at, lipschitz, type NumericEpilogue } from './epilogue.ts'

/** `guard`: neither honest nor dishonest can be said. */
export type Outcome = 'accept' | 'reject' | 'guard'

/** What was found of one entry; reused from call to call. */
export interface EntryResult {
  outcome: Outcome
  reason: 'none' | 'not-finite' | 'tolerance' | 'hard-bound' | 'inexact' | 'overflow'
  recomputed: number
  bound: number
  /** |error|/ν, dimensionless. */
  ratio: number
  /** Σ of the scale: ν in the units of C. */
  scale: number
  escalated: boolean
}

export function entryResult(): EntryResult {
  return { outcome: 'accept', reason: 'none', recomputed: 0, bound: 0, ratio: 0, scale: 0, escalated: false }
}

/** Rejection begins at this multiple of ν. The largest ratio seen in 2.5·10⁹ honest draws is 2.83. */
export const toleranceFactor = 4
/** An escalated entry may err by this multiple of the largest emulated error. */
const emulationFactor = 8
/** Smallest normal float32: engines that flush subnormals err by as much per term. */
const flushed = 2 ** -126
/** Beyond it a float32 sum may overflow on the way. */
const float32Max = 3.4028234663852886e38

/**
 * Recomputes one entry of C in float64 and judges the prover's value.
 *
 * With p_t = α·a_t·b_t and the bias as one more term, c = Σp_t, s₁ = Σ|p_t|, s₂² = Σp_t²: accepted up to 4ν,
 * ν = u·√k·√(s₂² + c²); rejected above the hard bound γ_k·s₁ + u·|c|, γ_k = k·u/(1 − k·u); in between, rejected above
 * eight times the largest error of four emulated orders of summation.
 *
 * @param a - Row of A, shape [k].
 * @param b - Column of B, shape [k].
 * @param column - Number of the column in C.
 * @param claimed - The prover's value.
 * @param out - Overwritten with the result.
 * @see Higham, Accuracy and Stability of Numerical Algorithms, 2nd ed., §3.1 (γ_k); docs/numerics.md (ν).
 */
export function checkEntry(
  a: Float64Array,
  b: ArrayLike<number>,
  column: number,
  claimed: number,
  epilogue: NumericEpilogue,
  profile: NumericProfile,
  out: EntryResult,
): EntryResult {
  const k = a.length
  const { alpha, activation } = epilogue
  const bias = epilogue.bias === undefined ? 0 : at(epilogue.bias, column)
  let sum = 0
  let s1 = 0
  let s2 = 0
  for (let t = 0; t < k; t++) {
    const p = a[t]! * b[t]!
    sum += p
    s1 += Math.abs(p)
    s2 += p * p
  }
  const c = alpha * sum + bias
  s1 = Math.abs(alpha) * s1 + Math.abs(bias)
  s2 = alpha * alpha * s2 + bias * bias
  out.escalated = false
  out.ratio = 0
  out.scale = 0
  out.bound = 0
  if (profile.unitRoundoff === 0) return checkInteger(c, s1, activate(activation, c, column), claimed, out)

  const terms = k + (epilogue.bias === undefined ? 0 : 1) + (alpha === 1 ? 0 : 1)
  const u = profile.unitRoundoff
  const expected = activate(activation, c, column)
  out.recomputed = expected
  // The operands are finite float32 here; a sum that leaves their range is honest in an engine that overflows.
  if (!(s1 <= float32Max / (1 + terms * u))) return settle(out, 'guard', 'overflow')
  if (!Number.isFinite(claimed)) return settle(out, 'reject', 'not-finite')

  const slope = lipschitz(activation, column)
  const floor = terms * flushed
  const own = activationError(activation, expected, u)
  const nu = slope * u * Math.sqrt(terms) * Math.sqrt(s2 + c * c)
  const gamma = (terms * u) / (1 - terms * u)
  const hard = slope * (gamma * s1 + u * Math.abs(c) + floor) + own
  const difference = Math.abs(claimed - expected)
  out.scale = nu
  out.ratio = difference === 0 ? 0 : difference / (nu + slope * floor + own)
  out.bound = Math.min(hard, toleranceFactor * nu + slope * floor + own)
  if (difference <= out.bound) return settle(out, 'accept', 'none')
  out.bound = hard
  if (!(difference <= hard)) return settle(out, 'reject', 'hard-bound')
  out.escalated = true
  out.bound = slope * (emulationFactor * largestEmulatedError(a, b, alpha, bias, c) + floor) + own
  if (!(difference <= out.bound)) return settle(out, 'reject', 'tolerance')
  return settle(out, 'accept', 'none')
}

/** Exact modulo 2³², as engines wrap; sums beyond 2⁵³ are not exact in the engines that use float64 themselves. */
function checkInteger(c: number, s1: number, expected: number, claimed: number, out: EntryResult): EntryResult {
  out.recomputed = expected | 0
  if (!(s1 < 2 ** 53) || !Number.isInteger(c)) return settle(out, 'guard', 'inexact')
  return claimed === (expected | 0) ? settle(out, 'accept', 'none') : settle(out, 'reject', 'tolerance')
}

function settle(out: EntryResult, outcome: Outcome, reason: EntryResult['reason']): EntryResult {
  out.outcome = outcome
  out.reason = reason
  return out
}
