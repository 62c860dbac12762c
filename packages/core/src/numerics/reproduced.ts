import type { Elements } from './decode.ts'
import { checkEntry, conclude, type EntryCheck, type EntryResult, type Outcome } from './entry.ts'
import { activate, perColumn } from './epilogue.ts'
import { columnOffset } from './prepared.ts'

const { fround } = Math

/** Terms that TensorFlow.js's `cpu` backend adds in float64 before it rounds. */
const blockTerms = 48

/**
 * Σ a_t·b_t as TensorFlow.js's `cpu` backend computes it: blocks of 48 terms are summed in float64, one term after the
 * other, and each block is added to a float32. JavaScript numbers leave an engine no choice, so every machine agrees.
 */
export function reproducedSum(a: Float64Array, columns: Elements, offset: number): number {
  const k = a.length
  let total = 0
  for (let first = 0; first < k; first += blockTerms) {
    const end = Math.min(first + blockTerms, k)
    let sum = 0
    for (let t = first; t < end; t++) sum += a[t]! * columns[offset + t]!
    total = fround(total + sum)
  }
  return total
}

/**
 * {@link checkEntry} where the engine's order is known: float32(float32(Σ a_t·b_t in that order) + bias), then a rectifier,
 * and nothing else is accepted; −0 equals 0. No choice of A makes room for an error.
 *
 * Where the engine applies a factor, adds a tensor, or has an activation that rounds, only the tolerance of {@link checkEntry} is known.
 */
export function checkReproducedEntry(check: EntryCheck, column: number, claimed: number, result: EntryResult): Outcome {
  const { a, b, epilogue } = check
  const { alpha, activation } = epilogue
  if (alpha !== 1 || check.addend !== undefined || !['linear', 'relu', 'relu6'].includes(activation.name)) {
    return checkEntry(check, column, claimed, result)
  }
  const sum = reproducedSum(a, b.columns, columnOffset(b, column))
  const bias = epilogue.bias === undefined ? 0 : perColumn(epilogue.bias, column)
  const x = bias === 0 ? sum : fround(sum + bias)

  result.sum = sum
  result.preActivation = x
  result.recomputed = activate(activation, column, x)
  result.error = 0
  result.bound = 0
  result.tolerance = 0
  result.ratio = 0
  result.informative = false
  result.escalated = false
  result.mismatched = false
  result.mismatchRate = 0

  // An engine that overflows is honest, and says nothing.
  if (!Number.isFinite(x)) return conclude(result, 'guard', 'overflow')
  if (claimed === result.recomputed) return conclude(result, 'accept', undefined)
  result.ratio = Number.MAX_VALUE
  return conclude(result, 'reject', Number.isFinite(claimed) ? 'reproduction' : 'non-finite')
}
