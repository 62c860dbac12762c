import { absoluteSum, type DotSums, dot } from './dot.ts'
import { conclude, type EntryCheck, type EntryResult, type Outcome } from './entry.ts'
import { activate, perColumn } from './epilogue.ts'
import { columnOffset } from './prepared.ts'

const sums: DotSums = { sum: 0.5, squares: 0.5 }

/**
 * {@link checkEntry} where sums are exact: activation(Σ a_t·b_t + bias modulo 2³², as int32), and nothing else is
 * accepted. Intermediate wrapping does not change it. Sums of 2⁵³ or more are guarded: float64 does not hold them, and
 * neither do engines that compute integers in floating point.
 */
export function checkIntegerEntry(check: EntryCheck, column: number, claimed: number, result: EntryResult): Outcome {
  const { a, b, epilogue } = check
  const { activation } = epilogue
  const offset = columnOffset(b, column)
  dot(a, b.columns, offset, sums)
  const bias = epilogue.bias === undefined ? 0 : perColumn(epilogue.bias, column)
  const x = (sums.sum + bias) | 0

  result.sum = sums.sum
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

  if (epilogue.alpha !== 1 || check.addend !== undefined || !['linear', 'relu', 'relu6'].includes(activation.name)) {
    return conclude(result, 'guard', 'activation-unsupported')
  }
  if (!(absoluteSum(a, b.columns, offset) + Math.abs(bias) < 2 ** 53)) return conclude(result, 'guard', 'overflow')
  if (claimed === result.recomputed) return conclude(result, 'accept', undefined)
  result.ratio = Number.MAX_VALUE
  return conclude(result, 'reject', 'integer')
}
