import { drawWithoutReplacement } from '../random/draw.ts'
import { deriveSeed } from '../random/seed.ts'
import { randomStream } from '../random/stream.ts'
import { drawDetection } from './detection.ts'
import { checkCorruption, checkParameters, checkShape, isEmpty } from './parameters.ts'
import type { Sampler, UnitShape } from './sampler.ts'

export interface GridOptions {
  /** Fraction of the rows drawn; 0.001. */
  readonly rowRate?: number
  /** Fraction of the columns drawn; 0.01. */
  readonly columnRate?: number
  /** Fewest rows and fewest columns drawn; 1. */
  readonly atLeast?: number
}

const rules = {
  rowRate: { default: 0.001, kind: 'rate' },
  columnRate: { default: 0.01, kind: 'rate' },
  atLeast: { default: 1, kind: 'count' },
} as const

/**
 * r = min(m, max(atLeast, ⌈rowRate·m⌉)) rows and c = min(n, max(atLeast, ⌈columnRate·n⌉)) columns, drawn uniformly
 * without replacement; the r·c entries where they cross are checked.
 *
 * Cheap to check, and weak against few wrong columns: for K rows with w wrong entries each, the worst placement (the same
 * w columns in every row) is noticed with probability (1 − C(m − K, r)/C(m, r)) · (1 − C(n − w, c)/C(n, c)).
 *
 * @throws {RangeError} If an option is out of range.
 */
export function grid(options: GridOptions = {}): Sampler {
  const parameters = checkParameters('grid', rules, { ...options })
  const { rowRate, columnRate, atLeast } = parameters

  function drawn(shape: UnitShape): { rows: number; columns: number } {
    if (isEmpty(shape)) return { rows: 0, columns: 0 }
    return {
      rows: Math.min(shape.rows, Math.max(atLeast, Math.ceil(rowRate * shape.rows))),
      columns: Math.min(shape.n, Math.max(atLeast, Math.ceil(columnRate * shape.n))),
    }
  }

  return {
    name: 'grid',
    parameters,
    plan(seed, shape) {
      checkShape(shape)
      const count = drawn(shape)
      return {
        rows: drawWithoutReplacement(randomStream(deriveSeed(seed, 'rows')), count.rows, shape.rows),
        columns: drawWithoutReplacement(randomStream(deriveSeed(seed, 'columns')), count.columns, shape.n),
      }
    },
    detectionProbability(shape, corruption) {
      checkShape(shape)
      const bad = checkCorruption(shape, corruption)
      const count = drawn(shape)
      return drawDetection(shape.rows, bad.rows, count.rows) * drawDetection(shape.n, bad.columns, count.columns)
    },
  }
}
