import type { ProductRecord } from '../codec/messages.ts'
import { geometryOf, type Layout } from '../layout.ts'
import type { SamplingPlan, UnitShape } from './sampler.ts'

/** Rows of each tensor of a product that a plan opens, ascending. */
export interface OpenedRowNumbers {
  readonly a: Uint32Array
  readonly c: Uint32Array
  /** Columns of op(B) as rows of its handle; only where B is an activation. */
  readonly b?: Uint32Array
  /** Those of C, where something of its shape is added. */
  readonly addend?: Uint32Array
}

/** What decides which rows a plan opens. */
export interface SampledProduct {
  readonly layout: Layout
  readonly right: UnitShape['right']
  /** Whether a tensor of the shape of C is added; not, unless given. */
  readonly hasAddend?: boolean
}

/** What a record says of it. */
export function sampledProduct({ layout, b, addend }: ProductRecord): SampledProduct {
  return { layout, right: b.kind, hasAddend: addend !== undefined }
}

/** A product as a sampler sees it. */
export function unitShape({ layout, right }: SampledProduct): UnitShape {
  const { rows, k, n } = geometryOf(layout)
  return { rows, k, n, right }
}

/**
 * What must be opened so that the rows and columns of `plan` can be checked.
 *
 * @param most - Rows of one tensor, at most: where sizes are a stranger's, the work must not be.
 * @throws {RangeError} If it would be more.
 */
export function openedRows(
  { layout, right, hasAddend = false }: SampledProduct,
  plan: SamplingPlan,
  most: number = Number.POSITIVE_INFINITY,
): OpenedRowNumbers {
  const geometry = geometryOf(layout)
  const a = new Set<number>()
  const c = new Set<number>()
  const matrices = new Set<number>()
  for (const r of plan.rows) {
    for (const row of geometry.aRows(r)) a.add(row)
    for (const row of geometry.cRows(r)) c.add(row)
    matrices.add(geometry.matrixOf(r))
    if (Math.max(a.size, c.size) > most) throw tooMany(most)
  }
  const cRows = ascending(c)
  const opened = { a: ascending(a), c: cRows, ...(hasAddend && { addend: cRows }) }
  if (right === 'weight') return opened
  const columns = plan.columns ?? Uint32Array.from({ length: geometry.n }, (_, j) => j)
  if (matrices.size * columns.length > most) throw tooMany(most)
  const b = new Set<number>()
  for (const matrix of matrices) for (const j of columns) b.add(matrix * geometry.n + j)
  return { ...opened, b: ascending(b) }
}

function tooMany(most: number): RangeError {
  return new RangeError(`more than ${most} rows of a tensor would have to be opened`)
}

function ascending(values: Iterable<number>): Uint32Array {
  return Uint32Array.from(values).sort()
}
