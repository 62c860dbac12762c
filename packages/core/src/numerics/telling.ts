import type { EntryCheck, EntryResult } from './entry.ts'
import { activate, activatedTolerance, type NumericEpilogue, perColumn } from './epilogue.ts'
import { quantize } from './quantized.ts'
import { beyondRounding, nearest } from './rounding.ts'
import type { OpenedRow } from './row.ts'

/**
 * What a row says of whether its A·B was computed.
 *
 * - `telling`: C is not what somebody states who computed nothing, activation(bias + addend).
 * - `drowned`: it is, as far as the tolerance lets it be told, although A·B is not 0; and so would be the opposite of A·B.
 *   Or most sums are lost in the rounding of what is added to them, so that whoever computes the others has C.
 * - `silent`: it is, because A·B is 0 or lies where the activation is flat. Honest rows of dead units and of zeros are so.
 */
export type Testimony = 'telling' | 'drowned' | 'silent'

/** Tolerances by which a result must differ from that of no work to tell of it: rounding alone reaches one. */
const clearFactor = 8

/** What the entries of a row that were looked at say together. */
export interface Told {
  /** Whether some entry is not what no work gives. */
  telling: boolean
  /** Sums of products that are not 0. */
  sums: number
  /** Those of them that are lost beside what is added to them, before any activation. */
  buried: number
  /** Whether a sum of the opposite sign would have been telling. */
  isOpen: boolean
}

/** Takes an entry into what its row says. @param result - As it was filled in for this entry, and not guarded. */
export function listen(told: Told, check: EntryCheck, column: number, result: EntryResult): void {
  const { preActivation: x, tolerance, sum } = result
  const idle = idleValue(check, column)
  if (sum !== 0) {
    told.sums++
    if (!(distance(check.epilogue, idle, x) > clearFactor * tolerance)) told.buried++
  }
  if (told.telling) return
  told.telling = tells(check, column, idle, x, tolerance)
  if (sum !== 0) told.isOpen ||= tells(check, column, idle, 2 * idle - x, tolerance)
}

/** What the entries say together. */
export function testimonyOf({ telling, sums, buried, isOpen }: Told): Testimony {
  if (2 * buried > sums) return 'drowned'
  if (telling) return 'telling'
  return sums > 0 && !isOpen ? 'drowned' : 'silent'
}

/** ‖c − C of no work‖₂ of a whole row without an activation. */
export function distanceFromIdle(opened: OpenedRow): number {
  let squares = 0
  for (const [j, value] of opened.c.entries()) squares += (value - idleValue(opened, j)) ** 2
  return Math.sqrt(squares)
}

/** The value before the activation if the sum A·B were 0. */
function idleValue({ profile, epilogue, addend }: EntryCheck, column: number): number {
  const { alpha, quantized } = epilogue
  const bias = epilogue.bias === undefined ? 0 : perColumn(epilogue.bias, column)
  const value = bias + (addend === undefined ? 0 : addend[column]!)
  if (profile.sums === 'rounded') return value
  if (profile.sums === 'reproduced') return Math.fround(value)
  if (quantized === undefined || quantized.output === 'int32') return value | 0
  const scale = alpha * (quantized.scales === undefined ? 1 : perColumn(quantized.scales, column))
  return quantized.biasBeforeScale ? value * scale : value
}

/**
 * Whether a result of no work would be clearly wrong where `x` is right: beyond 8 tolerances, or beyond any where results
 * are exact. A result of 8 bits must be none that rounding gives for a value within the tolerance.
 *
 * @param idle - Before the activation, as `x` is.
 * @param tolerance - Of x.
 */
function tells({ epilogue }: EntryCheck, column: number, idle: number, x: number, tolerance: number): boolean {
  const { activation, quantized } = epilogue
  const claimed = activate(activation, column, idle)
  const value = activate(activation, column, x)
  const above = claimed > value
  const allowed = activatedTolerance(activation, column, x, tolerance, above)
  if (quantized !== undefined && (quantized.output === 'uint8' || quantized.output === 'int8')) {
    const { output, zeroPoint } = quantized
    const rounded = quantize(output, zeroPoint, claimed)
    return above
      ? rounded > quantize(output, zeroPoint, value + allowed)
      : rounded < quantize(output, zeroPoint, value - allowed)
  }
  return distance(epilogue, claimed, value) > clearFactor * allowed
}

/**
 * How far a value lies from what `claimed` may stand for. A result of 16 bits is the nearest to what it is rounded from, so
 * that its rounding leaves nothing open and does not count.
 */
function distance({ roundedTo }: NumericEpilogue, claimed: number, value: number): number {
  return roundedTo === undefined
    ? Math.abs(claimed - value)
    : beyondRounding(roundedTo, nearest(roundedTo, claimed), value)
}
