import { type Layout, operandRows, rowCounts } from '../product.ts'
import type { SamplingPlan, UnitShape } from './sampler.ts'

/** Rows of each tensor of a product that a plan opens, ascending. */
export interface OpenedRowNumbers {
  readonly a: Uint32Array
  readonly c: Uint32Array
  /** Columns of op(B) as rows of its handle; only where B is an activation. */
  readonly b?: Uint32Array
}

/** What decides which rows a plan opens. */
export interface SampledProduct {
  readonly layout: Layout
  readonly right: UnitShape['right']
}

/** A product as a sampler sees it. */
export function unitShape({ layout, right }: SampledProduct): UnitShape {
  return { rows: rowCounts(layout).rows, k: layout.k, n: layout.n, right }
}

/** What must be opened so that the rows and columns of `plan` can be checked. */
export function openedRows({ layout, right }: SampledProduct, plan: SamplingPlan): OpenedRowNumbers {
  const a = new Set<number>()
  const matrices = new Set<number>()
  for (const r of plan.rows) {
    const operands = operandRows(layout, r)
    a.add(operands.a)
    matrices.add(operands.b)
  }
  const opened = { a: ascending(a), c: plan.rows }
  if (right === 'weight') return opened
  const columns = plan.columns ?? Uint32Array.from({ length: layout.n }, (_, j) => j)
  const b = new Set<number>()
  for (const matrix of matrices) for (const j of columns) b.add(matrix * layout.n + j)
  return { ...opened, b: ascending(b) }
}

function ascending(values: Iterable<number>): Uint32Array {
  return Uint32Array.from(values).sort()
}
