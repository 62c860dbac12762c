import {
  type Control,
  type HashSuite,
  leafRowsOf,
  openedRows,
  type ProductRecord,
  rowBytes,
  rowsToOpen,
  type SamplingPlan,
  verifyOpening,
} from '@tensor-assay/core'
import type { DeclaredTensor } from './accounts.ts'
import type { OpenedProduct, OpenedTensor } from './opened.ts'

const names = ['a', 'c', 'b'] as const
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
  const rows = openedRows({ layout: record.layout, right: record.b.kind }, plan)
  const numbers = { a: record.a, c: record.c, b: record.b.kind === 'activation' ? record.b.tensor : undefined }
  const opened = names.filter((name) => rows[name] !== undefined)
  if (segments.length !== opened.length) return `it must hold rows of ${opened.length} tensors, got ${segments.length}`
  const laid: { [name in TensorName]?: OpenedTensor } = {}
  for (const [i, name] of opened.entries()) {
    const declared = tensorAt(numbers[name]!)!
    const { tensor, cols, dtype, root } = declared
    // What is committed to is opened leaf by leaf.
    const indices = root === undefined ? rows[name]! : rowsToOpen(rows[name]!, declared)
    const bytes = segments[i]!
    const expected = indices.length * rowBytes(declared)
    if (bytes.length !== expected) {
      return `it must hold ${indices.length} rows of ${name.toUpperCase()} in ${expected} bytes, got ${bytes.length}`
    }
    laid[name] = { tensor, indices, bytes, cols, dtype }
  }
  const { a, c, b } = laid
  return { plan, a: a!, c: c!, ...(b === undefined ? {} : { b }) }
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
