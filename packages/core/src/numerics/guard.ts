import type { NumericProfile } from './profile.ts'
import type { RowResult } from './row.ts'

/**
 * rms tolerance over rms value: 0 where sums are exact, also when every value is 0. Beyond a profile's
 * `maxRelativeTolerance` a check says nothing.
 *
 * A prover that may choose A can make the tolerance as large as it likes while A·B stays what it was, by adding to each
 * row a multiple of a vector v with v·B ≈ 0. The test compares the rms of the tolerance 4ν over the entries of a row with
 * the rms of the recomputed values, neither of which a claim can move. The rounding of a result to 16 bits is relative to
 * the value itself, so no A inflates it, and it does not count.
 */
export function relativeTolerance(rmsTolerance: number, rmsValue: number): number {
  return rmsTolerance === 0 ? 0 : rmsTolerance / rmsValue
}

/**
 * Takes back the guard `cancellation` of rows that cancel by chance.
 *
 * A row of few columns may be small by accident: the sum of k terms of random sign is below 1% of its scale once in 125
 * times, and with n = 1 that is all there is to compare with. The other opened rows of the product say how large its
 * values are: a row stays guarded only if its tolerance is also large beside the median rms value of them all. Inflation
 * leaves the values as they are, so it moves no median and gains nothing, and an absolute tolerance within 10⁻³ of the
 * product's typical value (the limit of `float32`) is what an unguarded row has.
 *
 * @param rows - Results of every opened row of one product.
 * @returns The same results, in order, with the guard of such rows lifted.
 */
export function liftAccidentalGuards(
  rows: readonly RowResult[],
  { maxRelativeTolerance }: NumericProfile,
): RowResult[] {
  const values = rows.map((row) => row.rmsValue).sort((a, b) => a - b)
  const median = values[Math.floor((values.length - 1) / 2)] ?? 0
  return rows.map((row) => {
    if (row.guard !== 'cancellation' || row.outcome !== 'guard') return row
    if (!(relativeTolerance(row.rmsTolerance, median) <= maxRelativeTolerance)) return row
    const { guard: _lifted, ...rest } = row
    return { ...rest, outcome: 'accept' }
  })
}
