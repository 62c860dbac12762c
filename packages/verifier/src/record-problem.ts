import { bytesToHex } from '@noble/hashes/utils.js'
import {
  bytesPerElement,
  type DType,
  type FindingReason,
  type Geometry,
  geometryOf,
  type ProductRecord,
  type ProfileName,
  profiles,
  type Sampler,
  sampledProduct,
  type TensorShape,
  unitShape,
  type WeightStore,
} from '@tensor-assay/core'
import { tensorTitle } from './opened.ts'
import type { Policy } from './policy.ts'

export interface RecordProblem {
  readonly reason: FindingReason
  readonly message: string
}

/** Largest number of elements of one tensor: beyond it sizes are not exact in float64 arithmetic on indices. */
const maxElements = 2 ** 48

/** Rows of a product: sampling a thousandth of them takes a tenth of a second. */
const maxRows = 2 ** 26

/** Rows or columns that are drawn of a product, a second's work: a plan is made before it shows whether they are there. */
const maxDrawn = 2 ** 20

/** Terms of a sum: no tensor has more columns. */
const maxTerms = 2 ** 31

/** Matrices of op(B), for each of which there is some bookkeeping: batches and heads, or groups. */
const maxMatrices = 2 ** 18

/**
 * Elements of all the patches of a convolution. They are looked at one by one in the rows that are opened, however few
 * rows of A they lie in.
 */
const maxPatchElements = 2 ** 36

interface Tensors {
  readonly a: TensorShape | undefined
  readonly b: TensorShape | undefined
  readonly c: TensorShape | undefined
  readonly addend?: TensorShape | undefined
}

/** Element types that each arithmetic takes and gives. */
const float32 = { operand: ['float32'], result: ['float32'], bias: ['float32'] } as const
const dtypesOf: Readonly<Record<ProfileName, Readonly<Record<'operand' | 'result' | 'bias', readonly DType[]>>>> = {
  float32,
  tf32: float32,
  exact: float32,
  float16: { operand: ['float16'], result: ['float16', 'float32'], bias: ['float16', 'float32'] },
  bfloat16: { operand: ['bfloat16'], result: ['bfloat16', 'float32'], bias: ['bfloat16', 'float32'] },
  int32: { operand: ['int32'], result: ['int32'], bias: ['int32'] },
  int8: { operand: ['uint8', 'int8'], result: ['int32', 'float32', 'uint8', 'int8'], bias: ['float32', 'int32'] },
}

type Vector = NonNullable<ProductRecord['bias']>

/** What is wrong with a record before anything is opened: its shapes, tensors, weights and arithmetic. */
export function recordProblem(
  record: ProductRecord,
  tensors: Tensors,
  policy: Policy,
  store: WeightStore,
): RecordProblem | undefined {
  const { b, bias, scales, activation, zeroPoints, profile } = record
  let geometry: Geometry
  try {
    geometry = geometryOf(record.layout)
  } catch (error) {
    return { reason: 'record-malformed', message: (error as Error).message }
  }
  const { k, n, matrices } = geometry
  const sizes = [
    geometry.a.rows * geometry.a.cols,
    geometry.c.rows * geometry.c.cols,
    matrices * k * n,
    geometry.rows * k,
  ]
  if (!sizes.every((elements) => elements <= maxElements)) {
    return { reason: 'record-malformed', message: `a product of ${geometry.rows}×${k}×${n} is beyond all limits` }
  }
  const patches = record.layout.kind === 'convolution' ? geometry.rows * k : 0
  if (Math.max(geometry.rows, n) > maxRows || k > maxTerms || matrices > maxMatrices || patches > maxPatchElements) {
    const message = `a product of ${geometry.rows}×${k}×${n} is more than this verifier samples; cut it into batches`
    return { reason: 'opening-too-large', message }
  }
  const drawn = leastDrawn(record, policy.sampler)
  if (drawn > maxDrawn) {
    const message = `of a product of ${geometry.rows}×${k}×${n} the policy draws ${Math.round(drawn)} rows or columns, and this verifier at most ${maxDrawn}; cut it into batches`
    return { reason: 'opening-too-large', message }
  }
  if (!policy.profiles.includes(profile)) {
    const message = `the policy accepts ${policy.profiles.join(', ')}, the prover declares ${profile}`
    return { reason: 'profile-refused', message }
  }
  const isBare = record.bias === undefined && record.addend === undefined
  if (record.beta !== undefined && (isBare || profile === 'int8')) {
    return { reason: 'record-malformed', message: 'a factor of a bias that is not there, or of integers' }
  }
  if (record.addend !== undefined && profiles[profile].sums !== 'rounded') {
    return { reason: 'record-malformed', message: `an addend has no place in a ${profile} product` }
  }
  if (zeroPoints?.b && b.kind === 'activation') {
    return { reason: 'record-malformed', message: 'zero points for the columns of a B that is no weight' }
  }
  const isQuantized = zeroPoints !== undefined || scales !== undefined || record.zeroPoint !== undefined
  if (isQuantized && profile !== 'int8') {
    return { reason: 'record-malformed', message: `zero points and scales have no place in a ${profile} product` }
  }
  const slopes = activation.name === 'prelu' ? activation.slopes : undefined
  const ofVectors = [
    vectorProblem('the bias', bias, geometry, store, dtypesOf[profile].bias),
    vectorProblem('the scales', scales, geometry, store, ['float32']),
    vectorProblem('the zero points', zeroPoints?.b, geometry, store, dtypesOf.int8.operand),
    vectorProblem('the slopes', slopes, geometry, store, ['float32']),
  ].filter((problem) => problem !== undefined)
  return (
    tensorProblem(record, geometry, tensors) ??
    weightProblem(record, geometry, store) ??
    ofVectors.find(({ reason }) => reason !== 'vector-unknown') ??
    (b.kind === 'activation' && !policy.acceptActivations
      ? {
          reason: 'activation-refused',
          message: 'B is not a weight that this verifier holds, and the policy accepts no other',
        }
      : undefined) ??
    roundingProblem(record, policy) ??
    // The mildest come last, so that they hide none of the others.
    ofVectors[0] ??
    reshapeProblem(record, geometry, store)
  )
}

/** Rows or columns that a plan holds on average, at least: each is drawn as often as the one that is drawn the least. */
function leastDrawn(record: ProductRecord, sampler: Sampler): number {
  const shape = unitShape(sampledProduct(record))
  if (shape.rows * shape.k * shape.n === 0) return 0
  const rows = shape.rows * sampler.detectionProbability(shape, { rows: 1 })
  // Of a public weight there are all columns, for which nothing is drawn.
  if (shape.right === 'weight') return rows
  return Math.max(rows, shape.n * sampler.detectionProbability(shape, { rows: shape.rows, columns: 1 }))
}

/** Only of products by weights, with a bias at most, can it be told how an element was rounded that is near a tie. */
function roundingProblem(record: ProductRecord, policy: Policy): RecordProblem | undefined {
  const { roundedBlocks, layout, b, addend, alpha, activation, profile } = record
  if (roundedBlocks === undefined) return undefined
  const isPlain = addend === undefined && alpha === 1 && activation.name === 'linear'
  if (!isPlain || layout.kind !== 'matmul' || b.kind !== 'weight' || profile !== 'float32') {
    return { reason: 'record-malformed', message: 'A is said to be rounded in blocks where no operation does so' }
  }
  if (policy.acceptRounding) return undefined
  const message = `A is rounded to 8 bits in blocks of ${roundedBlocks}, which neither a manifest nor the policy accepts`
  return { reason: 'profile-refused', message }
}

function tensorProblem(
  { b, addend, profile }: ProductRecord,
  geometry: Geometry,
  tensors: Tensors,
): RecordProblem | undefined {
  const { operand, result } = dtypesOf[profile]
  const expected = {
    a: { size: geometry.a, dtypes: operand },
    c: { size: geometry.c, dtypes: result },
    b: { size: { rows: geometry.matrices * geometry.n, cols: geometry.k }, dtypes: operand },
    addend: { size: geometry.c, dtypes: tensors.c === undefined ? result : [tensors.c.dtype] },
  }
  for (const name of ['a', 'c', 'b', 'addend'] as const) {
    if (name === 'b' && b.kind === 'weight') continue
    if (name === 'addend' && addend === undefined) continue
    const tensor = tensors[name]
    if (tensor === undefined) {
      return { reason: 'tensor-unknown', message: `${tensorTitle(name)} is a tensor that was never committed to` }
    }
    const { size, dtypes } = expected[name]
    if (tensor.rows !== size.rows || tensor.cols !== size.cols || !dtypes.includes(tensor.dtype)) {
      const wanted = `${dtypes.join(' or ')} ${size.rows}×${size.cols}`
      const got = `${tensor.dtype} ${tensor.rows}×${tensor.cols}`
      return {
        reason: 'record-malformed',
        message: `${tensorTitle(name)} must be ${wanted}, the prover committed to ${got}`,
      }
    }
  }
  return undefined
}

/** A weight must have the elements of B. */
function weightProblem(
  { b, layout, profile }: ProductRecord,
  { k, n, matrices }: Geometry,
  store: WeightStore,
): RecordProblem | undefined {
  if (b.kind === 'activation') return undefined
  if (layout.kind === 'convolution' && b.transposed === layout.channelsLast) {
    const message = `filters of a convolution with channels ${layout.channelsLast ? 'last' : 'first'} lie the other way`
    return { reason: 'record-malformed', message }
  }
  return elementsProblem('B', b.digest, matrices * k * n, dtypesOf[profile].operand, store)
}

/**
 * A weight must be used in its own shape: filters but for dimensions of 1 that a library adds, one matrix with all leading
 * dimensions taken together, several with those that are left over.
 */
function reshapeProblem(
  { b, layout }: ProductRecord,
  { k, n, matrices }: Geometry,
  store: WeightStore,
): RecordProblem | undefined {
  if (b.kind === 'activation' || matrices * k * n === 0) return undefined
  const { shape, name } = store.find(bytesToHex(b.digest))!
  // A list says nothing of how it is meant.
  if (shape.length < 2) return undefined
  if (layout.kind === 'convolution') {
    const { channelsLast, groups, kernel, inChannels, outChannels } = layout
    const [outs, ins] = [outChannels, inChannels / groups]
    const used = channelsLast ? [...kernel, ins, outs] : [outs, ins, ...kernel]
    // Channels last, the filters of a group lie together, which is no shape of theirs: only their columns show.
    const fits = channelsLast && groups > 1 ? shape.at(-1) === n : isWithOnes(used, shape)
    return fits ? undefined : reshaped(`B is used as filters [${used}]; ${name} has shape [${shape}]`)
  }
  const matrix = b.transposed ? [n, k] : [k, n]
  const fits = matrices === 1 ? shape.at(-1) === matrix[1] : `${shape.slice(-2)}` === `${matrix}`
  if (fits) return undefined
  const used = `${matrices === 1 ? '' : `${matrices} × `}[${k}, ${n}]${b.transposed ? ' transposed' : ''}`
  return reshaped(`B is used as ${used}; ${name} has shape [${shape}]`)
}

/** Whether `used` is `shape` with dimensions of 1 more. */
function isWithOnes(used: readonly number[], shape: readonly number[]): boolean {
  if (used.length === shape.length) return `${used}` === `${shape}`
  const isTelling = (size: number) => size !== 1
  return used.length > shape.length && `${used.filter(isTelling)}` === `${shape.filter(isTelling)}`
}

function reshaped(message: string): RecordProblem {
  return { reason: 'weight-reshaped', message }
}

function vectorProblem(
  what: string,
  vector: Vector | undefined,
  { n, matrices }: Geometry,
  store: WeightStore,
  dtypes: readonly DType[],
): RecordProblem | undefined {
  if (vector === undefined) return undefined
  const { digest, length, dtype } = vector
  if (length !== n && length !== 1 && length !== matrices * n) {
    return {
      reason: 'record-malformed',
      message: `${what} must have ${n} elements or one, the prover states ${length}`,
    }
  }
  const problem = elementsProblem(what, digest, length, dtypes, store)
  if (problem) return problem.reason === 'weight-unknown' ? { ...problem, reason: 'vector-unknown' } : problem
  // What an integer bias is added to differs from what a float one is.
  const held = store.find(bytesToHex(digest))!
  if (held.dtype === dtype) return undefined
  return { reason: 'weight-mismatch', message: `${what} is declared ${dtype}; ${held.name} is ${held.dtype}` }
}

function elementsProblem(
  what: string,
  digest: Uint8Array,
  elements: number,
  dtypes: readonly DType[],
  store: WeightStore,
): RecordProblem | undefined {
  const weight = store.find(bytesToHex(digest))
  if (weight === undefined) {
    const message = `${what} has digest ${bytesToHex(digest)}, which this verifier does not hold`
    return { reason: 'weight-unknown', message }
  }
  if (dtypes.includes(weight.dtype) && weight.byteLength === elements * bytesPerElement[weight.dtype]) return undefined
  const message = `${what} must be ${elements} elements of ${dtypes.join(' or ')}; ${weight.name} is ${weight.dtype} [${weight.shape}]`
  return { reason: 'weight-mismatch', message }
}
