import type { Elements } from './decode.ts'
import { type ConvertedOperands, convertOperands, tf32Conversions } from './operands.ts'
import type { NumericProfile } from './profile.ts'
import { tensorCoreSum, tensorCores } from './tensor-core.ts'

const { fround } = Math

/** Largest errors of Σ a_t·b_t over the engines that a profile stands for, in the units of the sum. */
export interface EmulatedErrors {
  /** Of the exact sum, by the conversion of its operands. */
  readonly operands: number
  /** Of sums that are rounded to nearest. */
  readonly rounding: number
  /** Of sums that a tensor core truncates. */
  readonly truncation: number
}

const converted: ConvertedOperands = { a: new Float64Array(0), column: new Float64Array(0) }

/**
 * Computes one entry as several engines would.
 *
 * @param start - What sums may begin with: 0, or the bias.
 */
export function emulate(
  profile: NumericProfile,
  a: Float64Array,
  columns: Elements,
  offset: number,
  start: number,
): EmulatedErrors {
  const rounding = largestRoundingError(a, columns, offset, start)
  if (profile.operandRoundoff === 0) {
    return { operands: 0, rounding, truncation: profile.truncates ? truncationError(a, columns, offset) : 0 }
  }
  const exact = exactSum(a, columns, offset)
  let operands = 0
  let truncation = 0
  for (const convert of tf32Conversions) {
    convertOperands(convert, a, columns, offset, converted)
    operands = Math.max(operands, Math.abs(exactSum(converted.a, converted.column, 0) - exact))
    truncation = Math.max(truncation, truncationError(converted.a, converted.column, 0))
  }
  return { operands, rounding, truncation }
}

function exactSum(a: Float64Array, columns: Elements, offset: number): number {
  let sum = 0
  for (let t = 0; t < a.length; t++) sum += a[t]! * columns[offset + t]!
  return sum
}

function truncationError(a: Float64Array, columns: Elements, offset: number): number {
  const exact = exactSum(a, columns, offset)
  let largest = 0
  for (const core of tensorCores) {
    largest = Math.max(largest, Math.abs(tensorCoreSum(core, a, columns, offset) - exact))
  }
  return largest
}

/**
 * Largest error of Σ a_t·b_t over the ways in which engines add in float32: one term after the other, from either end; in
 * 4 lanes (registers of 128 bits) and in 16 (one of 512 bits, or several); in blocks of 48 (tfjs). An engine with FMA
 * skips the rounding of the products, which only makes it more accurate.
 */
function largestRoundingError(a: Float64Array, columns: Elements, offset: number, start: number): number {
  const fromZero = Math.max(
    largestPrefixError(a, columns, offset, 0, 0, 1),
    largestPrefixError(a, columns, offset, 0, a.length - 1, -1),
    lanesError(a, columns, offset, 4),
    lanesError(a, columns, offset, 16),
    blocksError(a, columns, offset, 0, 48),
  )
  if (start === 0) return fromZero
  return Math.max(
    fromZero,
    largestPrefixError(a, columns, offset, start, 0, 1),
    largestPrefixError(a, columns, offset, start, a.length - 1, -1),
    blocksError(a, columns, offset, start, 48),
  )
}

/**
 * Errors of float32 sums over the terms first, first + step, … of Σ a_t·b_t, shape [k], on top of `start`: the largest
 * that any prefix has. The errors of different stretches of a sum may cancel at its end by luck, on constant operands for
 * example, and not in an engine that cuts the sum elsewhere.
 */
function largestPrefixError(
  a: Float64Array,
  columns: Elements,
  offset: number,
  start: number,
  first: number,
  step: number,
): number {
  let sum = start
  let exact = start
  let largest = 0
  for (let t = first; t >= 0 && t < a.length; t += step) {
    const product = a[t]! * columns[offset + t]!
    sum = fround(sum + fround(product))
    exact += product
    const error = Math.abs(sum - exact)
    if (error > largest) largest = error
  }
  return largest
}

/** Partial sums of the terms with equal t modulo `count`, as in the lanes of vector registers: their errors, added up. */
function lanesError(a: Float64Array, columns: Elements, offset: number, count: number): number {
  let sum = 0
  for (let lane = 0; lane < count; lane++) sum += largestPrefixError(a, columns, offset, 0, lane, count)
  return sum
}

/** Error of a sum of partial sums of `size` terms each, as in cache blocking. */
function blocksError(a: Float64Array, columns: Elements, offset: number, start: number, size: number): number {
  let total = start
  let exact = start
  for (let first = 0; first < a.length; first += size) {
    const end = Math.min(first + size, a.length)
    let sum = 0
    for (let t = first; t < end; t++) {
      const product = a[t]! * columns[offset + t]!
      sum = fround(sum + fround(product))
      exact += product
    }
    total = fround(total + sum)
  }
  return Math.abs(total - exact)
}
