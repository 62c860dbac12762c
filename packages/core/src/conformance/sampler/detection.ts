import type { Corruption, Sampler, SamplingPlan, UnitShape } from '../../sampling/sampler.ts'
import { assert } from '../assert.ts'

/** Which rows are corrupted; exactly `bad` of them. */
const rowPlacements: Record<string, (index: number, bad: number, rows: number) => boolean> = {
  'the first rows': (i, bad) => i < bad,
  'the last rows': (i, bad, rows) => i >= rows - bad,
  'the rows before the last': (i, bad, rows) => (i + 1) % rows >= rows - bad,
  'rows from the middle on': (i, bad, rows) => (i + Math.floor(rows / 2)) % rows < bad,
  'rows evenly spread': (i, bad, rows) => (i * bad) % rows < bad,
}

/** Which entries of a corrupted row are wrong; exactly `bad` of them. */
const columnPlacements: Record<string, (index: number, row: number, bad: number, n: number) => boolean> = {
  'the first columns': (j, _, bad) => j < bad,
  'the last columns': (j, _, bad, n) => j >= n - bad,
  'columns that differ from row to row': (j, row, bad, n) => (j + row) % n < bad,
}

/**
 * Compares the published detection probability with the fraction of plans that touch a corrupted entry.
 *
 * @throws {ConformanceError} If fewer plans do than published by more than 4.5 standard deviations.
 */
export function checkDetection(sampler: Sampler, shape: UnitShape, plans: readonly SamplingPlan[]): void {
  for (const { rows, columns } of corruptions(shape)) {
    const published = sampler.detectionProbability(shape, { rows, columns })
    const fewest = plans.length * published - 4.5 * Math.sqrt(plans.length * published * (1 - published))
    for (const [where, isBadRow] of Object.entries(rowPlacements)) {
      for (const [places, isBadColumn] of Object.entries(columnPlacements)) {
        const notices = (plan: SamplingPlan) =>
          plan.rows.some(
            (i) =>
              isBadRow(i, rows, shape.rows) &&
              (plan.columns === undefined || plan.columns.some((j) => isBadColumn(j, i, columns, shape.n))),
          )
        const noticed = plans.filter(notices).length
        assert(
          noticed >= fewest - 1e-6,
          `${columns} of ${shape.n} entries (${places}) wrong in ${rows} of ${shape.rows} rows (${where}): ` +
            `${noticed} of ${plans.length} plans notice, but a probability of ${published} is published`,
        )
      }
    }
  }
}

function corruptions({ rows, n }: UnitShape): Required<Corruption>[] {
  const some = (size: number) => [...new Set([1, Math.ceil(size / 20), Math.ceil(size / 2), size])]
  return some(rows).flatMap((bad) => some(n).map((columns) => ({ rows: bad, columns })))
}
