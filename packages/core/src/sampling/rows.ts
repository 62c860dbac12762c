import { drawWithoutReplacement } from '../random/draw.ts'
import { deriveSeed } from '../random/seed.ts'
import { randomStream } from '../random/stream.ts'
import { drawDetection } from './detection.ts'
import { checkCorruption, checkParameters, checkShape, isEmpty } from './parameters.ts'
import type { Sampler, UnitShape } from './sampler.ts'

export interface RowsOptions {
  /** Fewest rows drawn; 4. */
  readonly atLeast?: number
  /** Fraction of the rows drawn; 0.001. */
  readonly rate?: number
  /** Columns drawn where B is an activation; 16. */
  readonly columns?: number
}

const rules = {
  atLeast: { default: 4, kind: 'count' },
  rate: { default: 0.001, kind: 'rate' },
  columns: { default: 16, kind: 'count' },
} as const

/**
 * Whole rows: the last one, and r = max(atLeast, ⌈rate·m⌉) others (all, if there are fewer) drawn uniformly without
 * replacement. The last row is what a model answers with when it generates, and a loop that stops early leaves it out.
 *
 * Where B is a public weight a drawn row is checked in full. Where B is an activation, `columns` columns (all, if there
 * are fewer) are drawn, too, and the entries where rows and columns cross are checked.
 *
 * Detection is stated for the worst placement. Corrupting the last row is always noticed, so the worst is K rows among
 * the m − 1 others: 1 − C(m − 1 − K, r)/C(m − 1, r), at least 1 − (1 − K/m)^r; certain for K = m. With columns drawn, the
 * worst is the same w columns in every row, which adds the factor 1 − C(n − w, c)/C(n, c).
 *
 * @throws {RangeError} If an option is out of range.
 *
 * @example
 * ```ts
 * rows({ atLeast: 4 }).plan(seed, { rows: 4000, k: 512, n: 512, right: 'weight' }).rows // 4 random ones and 3999
 * ```
 */
export function rows(options: RowsOptions = {}): Sampler {
  const parameters = checkParameters('rows', rules, { ...options })

  function drawn(shape: UnitShape): { others: number; columns: number } {
    return {
      others: Math.min(shape.rows - 1, Math.max(parameters.atLeast, Math.ceil(parameters.rate * shape.rows))),
      columns: shape.right === 'activation' ? Math.min(shape.n, parameters.columns) : shape.n,
    }
  }

  return {
    name: 'rows',
    parameters,
    plan(seed, shape) {
      checkShape(shape)
      const empty = isEmpty(shape)
      const { others, columns } = drawn(shape)
      const planned = { rows: new Uint32Array(empty ? 0 : others + 1) }
      if (!empty) {
        planned.rows.set(drawWithoutReplacement(randomStream(deriveSeed(seed, 'rows')), others, shape.rows - 1))
        planned.rows[others] = shape.rows - 1
      }
      if (shape.right === 'weight') return planned
      const columnStream = randomStream(deriveSeed(seed, 'columns'))
      return { ...planned, columns: drawWithoutReplacement(columnStream, empty ? 0 : columns, shape.n) }
    },
    detectionProbability(shape, corruption) {
      checkShape(shape)
      const bad = checkCorruption(shape, corruption)
      if (isEmpty(shape) || bad.rows === 0 || bad.columns === 0) return 0
      const { others, columns } = drawn(shape)
      const rowDetection = bad.rows === shape.rows ? 1 : drawDetection(shape.rows - 1, bad.rows, others)
      return rowDetection * drawDetection(shape.n, bad.columns, columns)
    },
  }
}
