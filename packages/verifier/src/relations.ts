import {
  type Control,
  committedShape,
  type Estimate,
  evaluation,
  excerpt,
  type FindingReason,
  type HashSuite,
  leafRowsOf,
  openedRows,
  type ProductRecord,
  planRelations,
  type Relation,
  type RelationSources,
  type RelationsAsked,
  type RelationsPlan,
  rowBytes,
  rowsToOpen,
  sampledProduct,
  verifyOpening,
} from '@tensor-assay/core'
import type { DeclaredTensor } from './accounts.ts'
import type { CheckFinding } from './check.ts'
import { type OpenedProduct, type OpenedTensor, rowLookup, tensorTitle } from './opened.ts'

export interface RelationCheck {
  readonly record: ProductRecord
  readonly relations: RelationsAsked['relations']
  /** An earlier operation of the same step, by its place in the manifest. */
  readonly source: RelationsAsked['source']
  readonly opened: OpenedProduct
  readonly seed: Uint8Array
  readonly proofs: Control<'opening'>['sources']
  /** The rows of all sources, one after the other. */
  readonly bytes: Uint8Array
  readonly suite: HashSuite
  readonly session: Uint8Array
  tensorAt(number: number): DeclaredTensor | undefined
  /** The elements of a public tensor; undefined for one that the verifier does not hold. */
  vector(digest: string): Promise<Float64Array> | undefined
}

export interface CheckedRelations {
  /** Tensors that follow from others, as far as their elements were compared. */
  readonly relations: number
  readonly elements: number
  readonly findings: readonly CheckFinding[]
}

/** An element is worth comparing where its tolerance is at most this share of the largest of its row. */
const maxRelativeTolerance = 2 ** -6
/** Honest values lie within the error of the evaluation, which is a bound and no estimate; libraries are not proved. */
const acceptedErrors = 2
const underflow = 2 ** -126

/** Compares sampled elements of the tensors that an operation reads with what they follow from. */
export async function checkRelations(check: RelationCheck): Promise<CheckedRelations> {
  const failed = (reason: FindingReason, message: string): CheckedRelations => ({
    relations: 0,
    elements: 0,
    findings: [{ reason, message }],
  })
  const { record, relations, source, opened, seed, proofs } = check
  const missing = missingSource(check)
  if (missing !== undefined) {
    // Another finding tells of it: a prover that skipped it need not have lied.
    return failed('relation-unanswered', `its tensors follow from operation ${missing} of its step, which is not there`)
  }
  let plan: RelationsPlan
  try {
    const rows = openedRows(sampledProduct(record), opened.plan)
    plan = planRelations({ record, relations, source, opened: rows, seed })
  } catch (error) {
    if (error instanceof RangeError) return failed('relation-broken', error.message)
    throw error
  }
  if (plan.passedOver.length > 0) {
    const titles = plan.passedOver.map(tensorTitle).join(' and ')
    return failed('relation-unanswered', `too much would have to be computed to say what ${titles} follows from`)
  }
  if (plan.needed.length > 0 && proofs === undefined) {
    return failed('relation-unanswered', 'the prover does not show what its tensors follow from')
  }
  const laid = laySources(check, plan)
  if (typeof laid === 'string') return failed('opening-malformed', laid)
  for (const [i, { tensor, place, name }] of plan.needed.entries()) {
    const declared = check.tensorAt(tensor)
    if (
      declared?.root !== undefined &&
      isBound(check, laid.get(tensor)!, { ...declared, root: declared.root }, proofs![i]!)
    )
      continue
    const title = `${tensorTitle(name)} of operation ${place} of its step`
    return failed('commitment-mismatch', `the opened rows of ${title} are not those that were committed to`)
  }
  const vectors = await vectorsOf(check)
  if (typeof vectors === 'string') return failed('vector-unknown', vectors)
  const counted = { relations: 0, elements: 0, findings: [] as CheckFinding[] }
  for (const [name, places] of plan.elements) {
    const sources = sourcesOf(check, laid, vectors)
    const { elements, finding } = compare(relations[name]!, sources, opened[name]!, places, tensorTitle(name))
    counted.elements += elements
    if (elements > 0) counted.relations++
    if (finding) counted.findings.push(finding)
  }
  return counted
}

/** The first operation, by its place in the manifest, that the relations read and the step does not have. */
function missingSource({ relations, source }: RelationCheck): number | undefined {
  const read = Object.values(relations).flatMap((steps) => steps ?? [])
  return read
    .flatMap((step) => (step.op === 'tensor' ? step.operation : []))
    .find((place) => source(place) === undefined)
}

/** The rows of the sources by the number of their tensor, or what is wrong with the bytes. */
function laySources({ proofs = [], bytes, tensorAt }: RelationCheck, { needed }: RelationsPlan) {
  if (proofs.length !== needed.length || proofs.some(({ tensor }, i) => tensor !== needed[i]!.tensor)) {
    const numbers = (list: readonly { readonly tensor: number }[]) => excerpt(list.map(({ tensor }) => tensor).join())
    return `it must show rows of tensors ${numbers(needed)}, got ${numbers(proofs)}`
  }
  const laid = new Map<number, OpenedTensor>()
  let offset = 0
  for (const { tensor, size, rows } of needed) {
    const declared = tensorAt(tensor)
    if (declared === undefined || declared.rows !== size.rows || declared.cols !== size.cols) {
      return `tensor ${tensor}, from which others follow, was not committed to as ${size.rows}×${size.cols}`
    }
    const { cols, dtype } = declared
    const stride = rowBytes(declared)
    if (offset + rows.length * stride > bytes.length) return `its sources end after ${bytes.length} bytes`
    const indices = rowsToOpen(rows, declared)
    const end = offset + indices.length * stride
    if (end > bytes.length) return `its sources end after ${bytes.length} bytes`
    laid.set(tensor, { tensor, cols, dtype, indices, bytes: bytes.subarray(offset, end) })
    offset = end
  }
  return offset === bytes.length ? laid : `its sources must have ${offset} bytes, got ${bytes.length}`
}

type Proof = NonNullable<Control<'opening'>['sources']>[number]

function isBound(
  { suite, session }: RelationCheck,
  opened: OpenedTensor,
  declared: DeclaredTensor & { readonly root: Uint8Array },
  proof: Proof,
): boolean {
  const { indices, bytes } = opened
  return verifyOpening(suite, {
    ...declared,
    ...proof,
    session,
    indices,
    rowBytes: bytes,
    leafRows: leafRowsOf(declared),
  })
}

/** The public tensors that the relations read by digest, or which of them cannot be had. */
async function vectorsOf({ relations, vector }: RelationCheck): Promise<ReadonlyMap<string, Float64Array> | string> {
  const vectors = new Map<string, Float64Array>()
  for (const step of Object.values(relations).flatMap((steps) => steps ?? [])) {
    if (step.op !== 'weight') continue
    const { digest, shape } = step
    const values = vectors.get(digest) ?? (await vector(digest))
    if (values === undefined) return `the manifest derives tensors from weight ${digest}, which the store does not hold`
    const size = shape.reduce((product, count) => product * count, 1)
    if (values.length !== size) return `weight ${digest} has ${values.length} elements, not those of [${shape}]`
    vectors.set(digest, values)
  }
  return vectors
}

function sourcesOf(
  { source }: RelationCheck,
  laid: ReadonlyMap<number, OpenedTensor>,
  vectors: ReadonlyMap<string, Float64Array>,
): RelationSources {
  return {
    tensor(place, name) {
      const { tensor, shape } = committedShape(source(place)!, name)
      const opened = laid.get(tensor)
      // What no element that is compared reads need not be there.
      const look = opened === undefined ? undefined : rowLookup(opened)
      const cols = opened?.cols ?? 1
      return { shape, element: (index) => look!(Math.floor(index / cols))[index % cols]! }
    },
    weight(digest) {
      const values = vectors.get(digest)!
      return (index) => values[index]!
    },
  }
}

/** Compares elements of a derived tensor; those of a row follow each other in `places`. */
function compare(
  relation: Relation,
  sources: RelationSources,
  opened: OpenedTensor,
  places: readonly number[],
  title: string,
): { readonly elements: number; readonly finding?: CheckFinding } {
  const derived = evaluation(relation, sources)
  const look = rowLookup(opened)
  const { cols } = opened
  const out: Estimate = { value: 0.5, error: 0.5 }
  let elements = 0
  for (let first = 0; first < places.length; ) {
    const row = Math.floor(places[first]! / cols)
    let end = first
    while (end < places.length && Math.floor(places[end]! / cols) === row) end++
    const claimedRow = look(row)
    const evaluated = places.slice(first, end).map((place) => {
      derived.at(place, out)
      return { column: place % cols, value: out.value, bound: acceptedErrors * out.error + underflow }
    })
    first = end
    const scale = Math.max(0, ...evaluated.map(({ value }) => Math.abs(value)).filter(Number.isFinite))
    for (const { column, value, bound } of evaluated) {
      // Nothing can be said where the evaluation overflows or is not a number.
      if (!(Math.abs(value) < Number.POSITIVE_INFINITY && bound < Number.POSITIVE_INFINITY)) continue
      const claimed = claimedRow[column]!
      if (!(Math.abs(claimed - value) <= bound))
        return { elements, finding: broken(title, row, column, claimed, value, bound) }
      if (bound <= maxRelativeTolerance * scale) elements++
    }
  }
  return { elements }
}

function broken(
  title: string,
  row: number,
  column: number,
  claimed: number,
  value: number,
  bound: number,
): CheckFinding {
  return {
    reason: 'relation-broken',
    message: `${title}[${row}, ${column}] is ${claimed}; the tensors that it follows from give ${value}`,
    evidence: { row, column, claimed: String(claimed), recomputed: String(value), bound: String(bound) },
  }
}
