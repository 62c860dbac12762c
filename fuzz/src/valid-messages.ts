import { type Control, dtypes, type MessageType, modes, type ProfileName, profiles } from '@tensor-assay/core'
import fc from 'fast-check'

/** A message that its schema accepts, as it is handed to `encodeMessage`. */
export interface ValidMessage {
  readonly type: MessageType
  readonly control: Control<MessageType>
  readonly segments: readonly Uint8Array[]
}

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length })
const count = fc.oneof(fc.nat({ max: 300 }), fc.constantFrom(0, 1, 2 ** 31, 2 ** 53 - 1))
const dimension = fc.oneof(fc.nat({ max: 70 }), fc.constantFrom(0, 1, 255, 2 ** 31))
// CBOR's integers have no negative zero.
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value + 0)
const text = fc.oneof(
  fc.constantFrom('MatMul', 'rows', 'sha256', 'interactive', '__proto__'),
  fc.string({ maxLength: 40 }),
  fc.string({ unit: 'grapheme', maxLength: 12 }).filter((words) => !words.startsWith('\ufeff')),
)
const dtype = fc.constantFrom(...dtypes)
const batch = fc.array(dimension, { maxLength: 8 })
const space = fc.array(dimension, { minLength: 1, maxLength: 3 })
const maybe = <T>(name: string, value: fc.Arbitrary<T>) =>
  fc.option(value).map((some) => (some === null ? {} : { [name]: some }))

/** Merges records of fields, of which some may be absent. */
function fields(...parts: readonly fc.Arbitrary<object>[]): fc.Arbitrary<object> {
  return fc.tuple(...parts).map((list) => Object.assign({}, ...list))
}

const vector = fc.record({ digest: bytes(32), length: dimension, dtype })
const zeroPoint = fc.integer({ min: -128, max: 255 })

const layout = fc.oneof(
  fc.record({
    kind: fc.constant('matmul'),
    m: dimension,
    k: dimension,
    n: dimension,
    aBatch: batch,
    bBatch: batch,
  }),
  fc.record({
    kind: fc.constant('convolution'),
    channelsLast: fc.boolean(),
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
)

const activation = fc.oneof(
  fc.record({ name: fc.constantFrom('linear', 'relu', 'relu6', 'elu', 'sigmoid') }),
  fc.record({ name: fc.constant('leakyrelu'), slope: finite }),
  fc.record({ name: fc.constant('clip'), least: finite, most: finite }),
  fc.record({ name: fc.constant('prelu'), slopes: vector }),
)

const productRecord = fields(
  fc.record({
    kind: fc.constant('product'),
    sequence: count,
    step: count,
    operation: text,
    layout,
    a: count,
    b: fc.oneof(
      fc.record({ kind: fc.constant('weight'), digest: bytes(32), transposed: fc.boolean() }),
      fc.record({ kind: fc.constant('activation'), tensor: count }),
    ),
    c: count,
    alpha: finite,
    activation,
    profile: fc.constantFrom(...(Object.keys(profiles) as ProfileName[])),
  }),
  maybe('node', text),
  maybe('zeroPoints', fields(fc.record({ a: zeroPoint }), maybe('b', vector))),
  maybe('scales', vector),
  maybe('bias', vector),
  maybe('beta', finite),
  maybe('addend', count),
  maybe('zeroPoint', zeroPoint),
)

const opaqueRecord = fields(
  fc.record({
    kind: fc.constant('opaque'),
    sequence: count,
    step: count,
    operation: text,
    cause: fc.constantFrom('skipped', 'unsupported'),
    reason: text,
  }),
  maybe('node', text),
)

const operation = fc.oneof({ weight: 3, arbitrary: productRecord }, { weight: 1, arbitrary: opaqueRecord })
const shape = { tensor: count, rows: dimension, cols: dimension, dtype }
const opening = fc.record({ salts: fc.uint8Array({ maxLength: 64 }), proof: fc.uint8Array({ maxLength: 96 }) })
const signature = maybe('signature', bytes(64))

const controls: Readonly<Partial<Record<MessageType, fc.Arbitrary<object>>>> = {
  hello: fields(
    fc.record({
      versions: fc.array(count, { maxLength: 16 }),
      suites: fc.array(text, { maxLength: 16 }),
      modes: fc.array(fc.oneof(fc.constantFrom(...modes), text), { maxLength: 16 }),
      samplers: fc.array(text, { maxLength: 64 }),
      nonce: bytes(32),
      backend: text,
    }),
    maybe('key', bytes(32)),
  ),
  policy: fields(
    fc.record({
      version: count,
      mode: text,
      suite: text,
      sampler: fc.record({ name: text, parameters: fc.dictionary(text, finite, { maxKeys: 5 }) }),
      nonce: bytes(32),
      window: fc.integer({ min: 1, max: 2 ** 31 }),
      weights: fc.uint8Array({ maxLength: 120 }),
    }),
    maybe('keyCommitment', bytes(32)),
    maybe('spotSeed', bytes(32)),
    maybe('iterations', fc.integer({ min: 1, max: 2 ** 31 - 1 })),
    maybe('manifest', bytes(32)),
    maybe('key', bytes(32)),
  ),
  attest: fc.record({ signature: bytes(64) }),
  open: fields(fc.record({ session: bytes(32) }), signature),
  commit: fc
    .record({
      records: fc.array(operation, { minLength: 1, maxLength: 5 }),
      tensors: fc.array(fc.record({ ...shape, root: bytes(32) }), { maxLength: 8 }),
    })
    .map(({ records, tensors }) => ({
      records,
      tensors: tensors.slice(0, 4 * records.filter((one) => (one as { kind: string }).kind === 'product').length),
    })),
  challenge: fc.record({
    challenges: fc.array(fields(fc.record({ sequence: count }), maybe('seed', bytes(32))), {
      minLength: 1,
      maxLength: 6,
    }),
  }),
  opening: fields(
    fc.record({ sequence: count, a: opening, c: opening }),
    maybe('b', opening),
    maybe('addend', opening),
    maybe('sources', fc.array(fields(fc.record({ tensor: count }), opening), { minLength: 1, maxLength: 6 })),
  ),
  sample: fc.record({ record: operation, tensors: fc.array(fc.record(shape), { maxLength: 3 }) }),
  close: fields(fc.record({ operations: count, transcript: bytes(32) }), signature),
  reveal: fc.record({ key: bytes(32) }),
  error: fc.record({ code: text, message: text }),
}

/** Any message but a verdict. */
export const validMessage: fc.Arbitrary<ValidMessage> = fc.oneof(
  ...Object.entries(controls).map(([type, control]) =>
    fc.record({
      type: fc.constant(type as MessageType),
      control: control as fc.Arbitrary<Control<MessageType>>,
      segments: fc.array(fc.uint8Array({ maxLength: 40 }), { maxLength: 4 }),
    }),
  ),
)
