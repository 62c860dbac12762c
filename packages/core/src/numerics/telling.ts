import type { EntryCheck, EntryResult } from './entry.ts'
import { activate, activatedTolerance, perColumn } from './epilogue.ts'
import { quantize } from './quantized.ts'
import { beyondRounding, nearest } from './rounding.ts'
import type { OpenedRow } from './row.ts'

/**
 * What a row says of whether its A·B was computed.
 *
 * - `telling`: C is not what somebody states who computed nothing, activation(bias + addend).
 * - `drowned`: it is, as far as the tolerance lets it be told, although A·B is not 0; and so would be the opposite of A·B.
 * - `silent`: it is, because A·B is 0 or lies where the activation is flat. Honest rows of dead units and of zeros are so.
 */
export type Testimony = 'telling' | 'drowned' | 'silent'

/** Tolerances by which a result must differ from that of no work to tell of it: rounding alone reaches one. */
const clearFactor = 8

/** What the entries of a row that were looked at say together. */
export interface Told {
  /** Whether some entry is not what no work gives. */
  telling: boolean
  /** Whether some sum of products is not 0. */
  hasSum: boolean
  /** Whether a sum of the opposite sign would have been telling. */
  isOpen: boolean
}

/** Takes an entry into what its row says. @param result - As it was filled in for this entry, and not guarded. */
export function listen(told: Told, check: EntryCheck, column: number, result: EntryResult): void {
  if (told.telling) return
  const { preActivation: x, tolerance, sum } = result
  const idle = idleValue(check, column)
  if (tells(check, column, idle, x, tolerance)) {
    told.telling = true
    return
  }
  if (sum === 0) return
  told.hasSum = true
  told.isOpen ||= tells(check, column, idle, 2 * idle - x, tolerance)
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
 * are exact. A result of 16 bits is the nearest to what it is rounded from, so that its rounding leaves nothing open and
 * counts in neither; one of 8 bits must be none that rounding gives for a value within the tolerance.
 *
 * @param idle - Before the activation, as `x` is.
 * @param tolerance - Of x.
 */
function tells({ epilogue }: EntryCheck, column: number, idle: number, x: number, tolerance: number): boolean {
  const { activation, roundedTo, quantized } = epilogue
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
  const error =
    roundedTo === undefined ? Math.abs(claimed - value) : beyondRounding(roundedTo, nearest(roundedTo, claimed), value)
  return error > clearFactor * allowed
}
