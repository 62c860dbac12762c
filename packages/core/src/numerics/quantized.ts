import { absoluteSum, type DotSums, dot } from './dot.ts'
import { conclude, type EntryCheck, type EntryResult, type Outcome } from './entry.ts'
import { activate, activatedTolerance, perColumn } from './epilogue.ts'
import { columnOffset } from './prepared.ts'

const sums: DotSums = { sum: 0.5, squares: 0.5 }

const ranges = { uint8: [0, 255], int8: [-128, 127] } as const

/**
 * Roundings in float32 between an exact sum and a scaled result: of the sum, of up to three factors that make the scale,
 * of their product with the sum, of the addition of a bias; and one to spare.
 */
const roundings = 7

/**
 * {@link checkEntry} for products of 8-bit integers less their zero points. The sum is exact, and so is an int32 result,
 * modulo 2³². A scaled result may be off by a few roundings in float32; rounded to 8 bits it must be what rounding (half to
 * even, then saturation) gives for some value within these. Sums that leave int32 are guarded where they are scaled.
 */
export function checkQuantizedEntry(check: EntryCheck, column: number, claimed: number, result: EntryResult): Outcome {
  const { a, b, epilogue } = check
  const { activation, quantized } = epilogue
  const offset = columnOffset(b, column)
  dot(a, b.columns, offset, sums)
  const bias = epilogue.bias === undefined ? 0 : perColumn(epilogue.bias, column)
  result.sum = sums.sum
  result.preActivation = sums.sum
  result.recomputed = sums.sum
  result.error = 0
  result.bound = 0
  result.tolerance = 0
  result.ratio = 0
  result.informative = false
  result.escalated = false
  result.mismatched = false
  result.mismatchRate = 0
  if (quantized === undefined || check.addend !== undefined) return conclude(result, 'guard', 'activation-unsupported')
  const { scales, biasBeforeScale, output, zeroPoint } = quantized
  const largestSum = absoluteSum(a, b.columns, offset) + (biasBeforeScale ? Math.abs(bias) : 0)
  if (!(largestSum < (output === 'int32' ? 2 ** 53 : 2 ** 31))) return conclude(result, 'guard', 'overflow')
  if (!Number.isFinite(claimed)) return wrong(result, 'non-finite')

  if (output === 'int32') {
    const plain = epilogue.alpha === 1 && scales === undefined && activation.name === 'linear' && biasBeforeScale
    if (!plain) return conclude(result, 'guard', 'activation-unsupported')
    result.recomputed = (sums.sum + bias) | 0
    result.preActivation = result.recomputed
    return claimed === result.recomputed ? conclude(result, 'accept', undefined) : wrong(result, 'integer')
  }

  const scale = epilogue.alpha * (scales === undefined ? 1 : perColumn(scales, column))
  const scaled = (sums.sum + (biasBeforeScale ? bias : 0)) * scale
  const x = scaled + (biasBeforeScale ? 0 : bias)
  const error = roundings * 2 ** -24 * (Math.abs(scaled) + (biasBeforeScale ? 0 : Math.abs(bias)))
  const value = activate(activation, column, x)
  if (!Number.isFinite(value)) return conclude(result, 'guard', 'operand-not-finite')
  result.preActivation = x
  result.tolerance = error
  if (output === 'float32') {
    result.recomputed = value
    result.bound = activatedTolerance(activation, column, x, error, claimed > value)
    const difference = Math.abs(claimed - value)
    result.ratio =
      difference === 0 ? 0 : Math.min((check.profile.acceptedRatio * difference) / result.bound, Number.MAX_VALUE)
    return difference <= result.bound ? conclude(result, 'accept', undefined) : wrong(result, 'tolerance', result.ratio)
  }

  result.recomputed = quantize(output, zeroPoint, value)
  const below = quantize(output, zeroPoint, value - activatedTolerance(activation, column, x, error, false))
  const above = quantize(output, zeroPoint, value + activatedTolerance(activation, column, x, error, true))
  result.bound = Math.max(result.recomputed - below, above - result.recomputed)
  const fits = claimed >= below && claimed <= above && Number.isInteger(claimed)
  return fits ? conclude(result, 'accept', undefined) : wrong(result, 'tolerance')
}

/** A value as it is rounded to 8 bits: half to even, and saturated after the zero point was added. */
export function quantize(output: keyof typeof ranges, zeroPoint: number, value: number): number {
  const [lowest, highest] = ranges[output]
  return Math.min(highest, Math.max(lowest, roundHalfToEven(value) + zeroPoint))
}

function roundHalfToEven(y: number): number {
  const floor = Math.floor(y)
  const rest = y - floor
  if (rest !== 0.5) return rest < 0.5 ? floor : floor + 1
  return floor % 2 === 0 ? floor : floor + 1
}

function wrong(
  result: EntryResult,
  reason: 'non-finite' | 'integer' | 'tolerance',
  ratio: number = Number.MAX_VALUE,
): Outcome {
  result.ratio = ratio
  return conclude(result, 'reject', reason)
}
