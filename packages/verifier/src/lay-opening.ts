import {
  type Control,
  type HashSuite,
  leafRowsOf,
  leavesOf,
  type OpenedRowNumbers,
  openedRows,
  type ProductRecord,
  rowBytes,
  rowsToOpen,
  type SamplingPlan,
  sampledProduct,
  unitShape,
  verifyOpening,
} from '@tensor-assay/core'
import type { DeclaredTensor } from './accounts.ts'
import { type OpenedProduct, type OpenedTensor, tensorTitle } from './opened.ts'

const names = ['a', 'c', 'b', 'addend'] as const
type TensorName = (typeof names)[number]

/**
 * Says which rows of which tensors the segments of an opening or a sample are: those of the verifier's own plan.
 *
 * @returns What is wrong, if the segments do not have the one size that they must have.
 */
export function layOpening(
  record: ProductRecord,
  plan: SamplingPlan,
  segments: readonly Uint8Array[],
  tensorAt: (number: number) => DeclaredTensor | undefined,
): OpenedProduct | string {
  // A row has a byte at least. What is declared must not decide how much is done: what arrived does.
  const most = Math.max(...segments.map((segment) => segment.length), 0)
  const { k, right } = unitShape(sampledProduct(record))
  if (right === 'activation' && plan.rows.length > 0 && k > most) {
    return `it must hold columns of ${k} elements, more than its ${most} bytes can be`
  }
  const rows = openedRowsWithin(record, plan, most)
  if (rows === undefined) return `it must hold more rows of a tensor than its ${most} bytes can be`
  const b = record.b.kind === 'activation' ? record.b.tensor : undefined
  const numbers = { a: record.a, c: record.c, b, addend: record.addend }
  const opened = names.filter((name) => rows[name] !== undefined)
  if (segments.length !== opened.length) return `it must hold rows of ${opened.length} tensors, got ${segments.length}`
  const laid: { [name in TensorName]?: OpenedTensor } = {}
  for (const [i, name] of opened.entries()) {
    const declared = tensorAt(numbers[name]!)!
    const { tensor, cols, dtype, root } = declared
    const bytes = segments[i]!
    if (root !== undefined && leastBytes(rows[name]!, declared) > bytes.length) {
      return `it must hold the leaves of ${rows[name]!.length} rows of ${tensorTitle(name)}, got ${bytes.length} bytes`
    }
    // What is committed to is opened leaf by leaf.
    const indices = root === undefined ? rows[name]! : rowsToOpen(rows[name]!, declared)
    const expected = indices.length * rowBytes(declared)
    if (bytes.length !== expected) {
      return `it must hold ${indices.length} rows of ${tensorTitle(name)} in ${expected} bytes, got ${bytes.length}`
    }
    laid[name] = { tensor, indices, bytes, cols, dtype }
  }
  const { a, c, ...others } = laid
  return { plan, a: a!, c: c!, ...others }
}

function openedRowsWithin(record: ProductRecord, plan: SamplingPlan, most: number): OpenedRowNumbers | undefined {
  try {
    return openedRows(sampledProduct(record), plan, most)
  } catch (error) {
    if (error instanceof RangeError) return undefined
    throw error
  }
}

/** Bytes that the leaves of some rows have together, at least: all but the last leaf of a tensor are full. */
function leastBytes(rows: Uint32Array, tensor: DeclaredTensor): number {
  const leafRows = leafRowsOf(tensor)
  return (leavesOf(rows, leafRows).length - 1) * leafRows * rowBytes(tensor)
}

/**
 * Whether the opened rows are those that were committed to before the challenge.
 *
 * @returns The name of the first tensor of which they are not.
 */
export function unboundTensor(
  suite: HashSuite,
  session: Uint8Array,
  opened: OpenedProduct,
  proofs: Control<'opening'>,
  tensorAt: (number: number) => DeclaredTensor | undefined,
): TensorName | undefined {
  return names.find((name) => {
    const part = opened[name]
    const proof = proofs[name]
    if (part === undefined && proof === undefined) return false
    if (part === undefined || proof === undefined) return true
    const tensor = tensorAt(part.tensor)
    if (tensor?.root === undefined) return true
    // An empty product opens nothing, and nothing is said of it.
    if (part.indices.length === 0) return false
    const { root } = tensor
    const opening = { indices: part.indices, rowBytes: part.bytes, leafRows: leafRowsOf(tensor), ...proof }
    return !verifyOpening(suite, { ...tensor, root, session, ...opening })
  })
}
