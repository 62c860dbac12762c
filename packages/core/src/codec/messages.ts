import * as v from 'valibot'
import { dtypes } from '../dtype.ts'
import { AssayError } from '../errors.ts'
import { type ProfileName, profiles } from '../numerics/profile.ts'
import { verdictSchema } from '../verdict.ts'
import { excerpt } from './excerpt.ts'
import { decodeFrame, encodeFrame } from './frame.ts'

/** Modes of a session: `spot` finds faults; `interactive` holds against a prover that lies. */
export const modes = ['spot', 'interactive'] as const
export type Mode = (typeof modes)[number]

/** The mode of a file that is written with no verifier there: lying is possible, and costly. */
export const receiptMode = 'receipt'

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const finite = v.pipe(v.number(), v.finite())
const text = v.pipe(v.string(), v.maxLength(512))
const bytes = v.instance(Uint8Array as unknown as new () => Uint8Array)
const bytes32 = v.pipe(bytes, v.length(32))
const signature = v.pipe(bytes, v.length(64))
const dimension = v.pipe(count, v.maxValue(2 ** 31))
const batch = v.pipe(v.array(dimension), v.maxLength(8))
const space = v.pipe(v.array(dimension), v.minLength(1), v.maxLength(3))
const dtype = v.picklist(dtypes)

const vector = v.strictObject({ digest: bytes32, length: dimension, dtype })
const zeroPoint = v.pipe(v.number(), v.safeInteger(), v.minValue(-128), v.maxValue(255))

/** Not a `record`, which drops keys such as `__proto__` where they have to be refused. */
const parameters = v.custom<Record<string, number>>((value) => {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false
  const entries = Object.entries(value)
  return entries.length <= 32 && entries.every(([name, number]) => name.length <= 64 && Number.isFinite(number))
}, 'Expected at most 32 finite numbers by name')

const layout = v.variant('kind', [
  v.strictObject({
    kind: v.literal('matmul'),
    m: dimension,
    k: dimension,
    n: dimension,
    aBatch: batch,
    bBatch: batch,
  }),
  v.strictObject({
    kind: v.literal('convolution'),
    channelsLast: v.boolean(),
    batch: dimension,
    groups: dimension,
    inChannels: dimension,
    outChannels: dimension,
    input: space,
    output: space,
    kernel: space,
    strides: space,
    dilations: space,
    padding: space,
  }),
])

const activation = v.variant('name', [
  v.strictObject({ name: v.picklist(['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'tanh']) }),
  v.strictObject({ name: v.literal('leakyrelu'), slope: finite }),
  v.strictObject({ name: v.literal('clip'), least: finite, most: finite }),
  v.strictObject({ name: v.literal('hardsigmoid'), slope: finite, offset: finite }),
  v.strictObject({ name: v.literal('prelu'), slopes: vector }),
])

/** B is a public weight, named by its digest, or a committed tensor whose rows are the columns of op(B). */
const right = v.variant('kind', [
  v.strictObject({ kind: v.literal('weight'), digest: bytes32, transposed: v.boolean() }),
  v.strictObject({ kind: v.literal('activation'), tensor: count }),
])

const productRecord = v.strictObject({
  kind: v.literal('product'),
  sequence: count,
  /** Which call of `audit` it ran in. */
  step: count,
  operation: text,
  node: v.optional(text),
  layout,
  a: count,
  b: right,
  c: count,
  addend: v.optional(count),
  zeroPoints: v.optional(v.strictObject({ a: zeroPoint, b: v.optional(vector) })),
  roundedBlocks: v.optional(v.pipe(dimension, v.minValue(1))),
  alpha: finite,
  scales: v.optional(vector),
  bias: v.optional(vector),
  beta: v.optional(finite),
  activation,
  zeroPoint: v.optional(zeroPoint),
  profile: v.picklist(Object.keys(profiles) as [ProfileName, ...ProfileName[]]),
})

const opaqueRecord = v.strictObject({
  kind: v.literal('opaque'),
  sequence: count,
  step: count,
  operation: text,
  node: v.optional(text),
  /** `skipped` where the prover could not keep up, `unsupported` where the backend cannot state the product. */
  cause: v.picklist(['skipped', 'unsupported']),
  reason: text,
})

const record = v.variant('kind', [productRecord, opaqueRecord])

const tensorShape = { tensor: count, rows: dimension, cols: dimension, dtype }
const opening = v.strictObject({ salts: bytes, proof: bytes })

const schemas = {
  /** Prover: what it speaks. */
  hello: v.strictObject({
    versions: v.pipe(v.array(count), v.maxLength(16)),
    suites: v.pipe(v.array(text), v.maxLength(16)),
    modes: v.pipe(v.array(text), v.maxLength(16)),
    samplers: v.pipe(v.array(text), v.maxLength(64)),
    nonce: bytes32,
    backend: text,
    /** The prover's public key, if it has an identity. */
    key: v.optional(bytes32),
  }),
  /** Verifier: what it demands. */
  policy: v.strictObject({
    version: count,
    mode: text,
    suite: text,
    sampler: v.strictObject({ name: text, parameters }),
    nonce: bytes32,
    /** Not in a receipt: SHA-256 of the key that all challenges come from; the key itself is revealed at the end. */
    keyCommitment: v.optional(bytes32),
    /** Operations committed to and not yet opened, at most. */
    window: v.pipe(count, v.minValue(1)),
    /** In `spot` mode only: where the prover takes its samples from. */
    spotSeed: v.optional(bytes32),
    /** In `spot` mode only: share of the steps that are read; all of them when absent. */
    stepRate: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1))),
    /** In a receipt only: iterations of PBKDF2 between commitments and challenges. */
    iterations: v.optional(v.pipe(count, v.minValue(1), v.maxValue(2 ** 31 - 1))),
    /** The known weights: for each its digest (32 bytes) and its length in bytes (u64, little-endian). */
    weights: bytes,
    /**
     * Digest of the manifest that the session is held against. Where that states relations the manifest itself, as JSON,
     * is the message's one segment: the prover has to know what else it will be asked for.
     */
    manifest: v.optional(bytes32),
    /** The verifier's public key, if it has an identity. */
    key: v.optional(bytes32),
  }),
  /** Verifier, after a policy with a key: signs the session. */
  attest: v.strictObject({ signature }),
  /** Prover: both sides saw the same hello and the same policy; signed if the hello has a key. */
  open: v.strictObject({ session: bytes32, signature: v.optional(signature) }),
  /**
   * Prover: the operations that ran and the roots of the tensors that they introduce, which are four for a product at
   * most: whoever takes them keeps them to the end of the session.
   */
  commit: v.pipe(
    v.strictObject({
      records: v.pipe(v.array(record), v.minLength(1), v.maxLength(1024)),
      tensors: v.pipe(v.array(v.strictObject({ ...tensorShape, root: bytes32 })), v.maxLength(4096)),
    }),
    v.check(
      ({ records, tensors }) => tensors.length <= 4 * records.filter(({ kind }) => kind === 'product').length,
      'Expected at most four tensors for each product',
    ),
  ),
  /** Verifier: where to open them; without a seed the operation is not audited. */
  challenge: v.strictObject({
    challenges: v.pipe(
      v.array(v.strictObject({ sequence: count, seed: v.optional(bytes32) })),
      v.minLength(1),
      v.maxLength(1024),
    ),
  }),
  /**
   * Prover: segments are the opened rows of A, of C, where B is an activation the opened columns of B, where there is an
   * addend its rows, and the rows of all sources, one after the other.
   */
  opening: v.strictObject({
    sequence: count,
    a: opening,
    c: opening,
    b: v.optional(opening),
    addend: v.optional(opening),
    /** Tensors of earlier operations from which those that this one reads follow: the last segment is their rows. */
    sources: v.optional(
      v.pipe(v.array(v.strictObject({ tensor: count, ...opening.entries })), v.minLength(1), v.maxLength(1024)),
    ),
  }),
  /** Prover, `spot` mode: a record with its rows, bound to nothing. Segments as in an opening. */
  sample: v.strictObject({
    record,
    tensors: v.pipe(v.array(v.strictObject(tensorShape)), v.maxLength(4)),
  }),
  /** Prover: it is over; signed if the hello has a key. */
  close: v.strictObject({ operations: count, transcript: bytes32, signature: v.optional(signature) }),
  /** Verifier: the key, so that the prover can check that no challenge was chosen. */
  reveal: v.strictObject({ key: bytes32 }),
  /** Verifier: signed if the policy has a key. */
  verdict: v.strictObject({ verdict: verdictSchema, signature: v.optional(signature) }),
  /** Either: why it gives up. */
  error: v.strictObject({ code: text, message: v.pipe(v.string(), v.maxLength(4096)) }),
} as const

export type MessageType = keyof typeof schemas
export type Control<T extends MessageType> = v.InferOutput<(typeof schemas)[T]>
export type OperationRecord = v.InferOutput<typeof record>
export type ProductRecord = v.InferOutput<typeof productRecord>
export type TensorShape = { tensor: number; rows: number; cols: number; dtype: (typeof dtypes)[number] }

export type ProtocolMessage = {
  [T in MessageType]: { readonly type: T; readonly control: Control<T>; readonly segments: readonly Uint8Array[] }
}[MessageType]

/** The position of a name is its number on the wire, starting at 1. */
const typeNames: readonly MessageType[] = [
  'hello',
  'policy',
  'open',
  'commit',
  'challenge',
  'opening',
  'sample',
  'close',
  'reveal',
  'verdict',
  'error',
  'attest',
]

/** Encodes a protocol message as the parts of one transport message. */
export function encodeMessage<T extends MessageType>(
  type: T,
  control: Control<T>,
  segments: readonly Uint8Array[] = [],
): Uint8Array[] {
  return encodeFrame({ type: typeNames.indexOf(type) + 1, control, segments })
}

/**
 * Decodes a protocol message. Unknown fields, missing fields and values out of range are refused.
 *
 * @throws {AssayError} `frame-malformed`, `version-unsupported`, `message-malformed`.
 */
export function decodeMessage(bytes: Uint8Array): ProtocolMessage {
  const { type: number, control, segments } = decodeFrame(bytes)
  const type = typeNames[number - 1]
  if (type === undefined) throw new AssayError('message-malformed', `there is no message of type ${number}`)
  // The first problem is enough, and a hostile message may have a million.
  const result = v.safeParse(schemas[type], control, { abortEarly: true })
  if (!result.success) {
    const issue = result.issues[0]
    const path = v.getDotPath(issue)
    const field = path === null ? '' : `, field ${excerpt(path)}`
    throw new AssayError('message-malformed', `${type} message${field}: ${excerpt(issue.message)}`)
  }
  return { type, control: result.output, segments } as ProtocolMessage
}
