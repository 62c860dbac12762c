import type { Control, OperationRecord, ProductRecord } from '../../../codec/messages.ts'
import type { Expected, ProverAttack } from '../attack.ts'
import type { Lie } from '../forger.ts'
import { say } from '../outgoing.ts'
import { byProver, changed, first, without } from './define.ts'

type Tensors = Control<'commit'>['tensors']

/** One record is declared otherwise. Types are not enforced: the point may be to break the schema. */
function declared(
  name: string,
  description: string,
  expected: Expected,
  change: (record: ProductRecord) => object,
  extras: Parameters<typeof byProver>[4] = {},
): ProverAttack {
  const lie: Lie = {
    prepare(operation) {
      const { record } = operation
      if (record.kind !== 'product' || record.sequence !== 0) return
      operation.record = { ...record, ...change(record) } as ProductRecord
    },
  }
  return byProver(`record: ${name}`, description, expected, lie, extras)
}

const layoutOf = (change: (layout: ProductRecord['layout']) => object) => (record: ProductRecord) => ({
  layout: { ...record.layout, ...change(record.layout) },
})

/** The announced tensors are described otherwise. */
function described(
  name: string,
  description: string,
  expected: Expected,
  change: (tensors: Tensors) => Tensors,
): ProverAttack {
  return byProver(
    `tensor: ${name}`,
    description,
    expected,
    changed('commit', ({ tensors }) => ({ tensors: change(tensors) })),
  )
}

/** All records of the first message are numbered otherwise. */
function numbered(
  name: string,
  description: string,
  expected: Expected,
  change: (records: OperationRecord[]) => OperationRecord[],
  extras: Parameters<typeof byProver>[4] = {},
): ProverAttack {
  const lie = changed('commit', ({ records }) => ({ records: change(records) }))
  return byProver(`sequence: ${name}`, description, expected, lie, extras)
}

/** A product and tensors of as many rows as a declaration can have, opened by the rows that there are. */
function oversized(name: string, description: string, m: number, expected: Expected): ProverAttack {
  const grow = changed('commit', ({ records, tensors }) => ({
    records: records.map((record) =>
      record.kind === 'product' && record.layout.kind === 'matmul'
        ? { ...record, layout: { ...record.layout, m } }
        : record,
    ),
    tensors: tensors.map((tensor) => ({ ...tensor, rows: m })),
  }))
  return byProver(`record: ${name}`, description, expected, grow)
}

const convolution = {
  kind: 'convolution',
  channelsLast: true,
  batch: 1,
  groups: 1,
  inChannels: 1,
  outChannels: 1,
  input: [4, 4],
  output: [4, 4],
  kernel: [1, 1],
  strides: [1, 1],
  dilations: [1, 1],
  padding: [0, 0],
}

const contradictory: readonly ProverAttack[] = [
  ...(['m', 'k', 'n'] as const).map((size) =>
    declared(
      `${size} larger by one`,
      'the sizes are not those of the tensors',
      'record-malformed',
      layoutOf((layout) => ({
        [size]: (layout as unknown as Record<string, number>)[size]! + 1,
      })),
    ),
  ),
  declared(
    'a batch that was not',
    'a batch of two is declared',
    'record-malformed',
    layoutOf(() => ({ aBatch: [2] })),
  ),
  declared(
    'batches that do not fit',
    'batches of 2 and 3',
    'record-malformed',
    layoutOf(() => ({ aBatch: [2], bBatch: [3] })),
  ),
  declared(
    'sizes beyond all limits',
    'dimensions whose product overflows',
    'record-malformed',
    layoutOf(() => ({ aBatch: Array(8).fill(2 ** 31) })),
  ),
  oversized('two billion rows', 'what is declared is to keep the verifier busy', 2 ** 31, 'opening-too-large'),
  oversized('sixty million rows', 'as many rows as a verifier samples, and no byte of them', 6e7, 'opening-malformed'),
  declared('a convolution of other sizes', 'a convolution whose tensors are others', 'record-malformed', () => ({
    layout: convolution,
  })),
  declared('a convolution without groups', 'groups that divide nothing', 'record-malformed', () => ({
    layout: { ...convolution, groups: 0 },
  })),
  declared('a convolution of two ranks', 'a kernel of other dimensions than the input', 'record-malformed', () => ({
    layout: { ...convolution, kernel: [1] },
  })),
  declared('an unknown A', 'A is a tensor that was never committed to', 'tensor-unknown', () => ({ a: 999 })),
  declared('an unknown C', 'C is a tensor that was never committed to', 'tensor-unknown', () => ({ c: 999 })),
  declared('an unknown B', 'B is a tensor that was never committed to', 'tensor-unknown', () => ({
    b: { kind: 'activation', tensor: 999 },
  })),
  byProver('record: C in the place of A', 'A and C are the same tensor', 'value-out-of-tolerance', {
    prepare(operation) {
      const { record, tensors } = operation
      if (record.kind !== 'product' || record.sequence !== 0) return
      operation.record = { ...record, a: record.c }
      operation.tensors = { ...tensors, a: tensors.c! }
    },
  }),
  declared('an unknown weight', 'a weight that nobody holds', 'weight-unknown', ({ b }) => ({
    b: { ...b, digest: new Uint8Array(32) },
  })),
  declared('scales', 'scales for float32 tensors', 'record-malformed', () => ({
    scales: { digest: new Uint8Array(32), length: 1, dtype: 'float32' },
  })),
]

const malformed: readonly ProverAttack[] = [
  declared('an unknown profile', 'arithmetic that does not exist', 'message-malformed', () => ({ profile: 'float8' })),
  declared('an unknown activation', 'an activation that does not exist', 'message-malformed', () => ({
    activation: { name: 'softmax' },
  })),
  declared('a field more', 'a field that nobody knows', 'message-malformed', () => ({ trusted: true })),
  declared('no numbers', 'text where a number belongs', 'message-malformed', () => ({ a: '0' })),
  declared('a negative number', 'a negative tensor', 'message-malformed', () => ({ a: -1 })),
  declared('a fraction', 'half a tensor', 'message-malformed', () => ({ a: 0.5 })),
  declared('a factor of infinity', 'a number that the encoding does not allow', 'frame-malformed', () => ({
    alpha: Number.POSITIVE_INFINITY,
  })),
  declared('a factor that is none', 'NaN, with which no comparison is true', 'frame-malformed', () => ({
    alpha: Number.NaN,
  })),
  declared('a long name', 'an operation of 600 letters', 'message-malformed', () => ({ operation: 'x'.repeat(600) })),
  declared('a short digest', 'a digest of 31 bytes', 'message-malformed', ({ b }) => ({
    b: { ...b, digest: new Uint8Array(31) },
  })),
  declared(
    'a dimension too large',
    'a dimension of 2³² − 1',
    'message-malformed',
    layoutOf(() => ({ m: 2 ** 32 - 1 })),
  ),
  declared(
    'nine batch dimensions',
    'more dimensions than a batch may have',
    'message-malformed',
    layoutOf(() => ({ aBatch: Array(9).fill(1) })),
  ),
  byProver(
    'record: none',
    'a commitment of no operation',
    'message-malformed',
    changed('commit', () => ({ records: [] })),
  ),
  byProver(
    'record: a field less',
    'the profile is left out',
    'message-malformed',
    changed('commit', ({ records }) => ({
      records: records.map((record) => without(record, 'profile')),
    })),
  ),
  byProver(
    'record: too many',
    'more operations than a message may hold',
    'message-malformed',
    changed('commit', ({ records }) => ({
      records: Array.from({ length: 1025 }, (_, sequence) => ({ ...records[0], sequence })),
    })),
  ),
]

const shapes: readonly ProverAttack[] = [
  described('a row more', 'another number of rows', 'record-malformed', (tensors) =>
    tensors.map((t) => ({ ...t, rows: t.rows + 1 })),
  ),
  described('a column more', 'another number of columns', 'record-malformed', (tensors) =>
    tensors.map((t) => ({ ...t, cols: t.cols + 1 })),
  ),
  described('another type', 'float64 where the product is of float32', 'record-malformed', (tensors) =>
    tensors.map((t) => ({ ...t, dtype: 'float64' })),
  ),
  described('the same bytes in another shape', 'twice the rows of half the columns', 'record-malformed', (tensors) =>
    tensors.map((t) => ({ ...t, rows: 2 * t.rows, cols: t.cols / 2 })),
  ),
  described('left out', 'a tensor is not announced', 'tensor-unknown', (tensors) => tensors.slice(1)),
  described('announced twice', 'one number, two commitments', 'message-malformed', (tensors) => [
    ...tensors,
    tensors[0]!,
  ]),
]

const sequences: readonly ProverAttack[] = [
  numbered('a number skipped', 'one operation is missing in the count', 'sequence-broken', (records) =>
    records.map((record) => ({ ...record, sequence: record.sequence + (record.sequence > 0 ? 1 : 0) })),
  ),
  numbered('from one', 'the count begins at one', 'sequence-broken', (records) =>
    records.map((record) => ({ ...record, sequence: record.sequence + 1 })),
  ),
  numbered('a number twice', 'two operations have the same number', 'sequence-broken', (records) =>
    records.map((record) => ({ ...record, sequence: Math.max(0, record.sequence - 1) })),
  ),
  numbered('backwards', 'the last operation comes first', 'sequence-broken', (records) => records.toReversed()),
  numbered('a record dropped', 'the second operation is not announced', 'sequence-broken', (records) =>
    records.filter(({ sequence }) => sequence !== 1),
  ),
  numbered('a record replayed', 'the first operation is announced again at the end', 'sequence-broken', (records) => [
    ...records,
    records[0]!,
  ]),
  numbered('huge', 'the largest number there is', 'sequence-broken', (records) =>
    records.map((record) => ({ ...record, sequence: Number.MAX_SAFE_INTEGER })),
  ),
  numbered(
    'other steps',
    'every operation is said to belong to a step of its own',
    'limit',
    (records) => records.map((record) => ({ ...record, step: 1000 + record.sequence })),
    {
      says: { status: 'pass' },
      expectedWith: { input: 'input-unbound', output: 'output-unbound', manifest: 'operation-omitted' },
    },
  ),
  byProver(
    'sequence: the tail omitted',
    'the last operations are neither announced nor counted',
    'limit',
    omittedTail,
    { says: { status: 'pass' }, expectedWith: { manifest: 'operation-omitted' } },
  ),
]

/** Only the first operation is announced, and the count is made to agree. */
function omittedTail(): Lie {
  return {
    send(message) {
      if (message.type === 'commit') {
        const records = message.control.records.filter(({ sequence }) => sequence === 0)
        return records.length === 0 ? [] : [say('commit', { ...message.control, records })]
      }
      return message.type === 'close' ? [say('close', { ...message.control, operations: 1 })] : [message]
    },
    // What was not announced is never asked for.
    closesEarly: true,
  }
}

/** Each operation in a message of its own, in the order given. */
function oneByOne(order: (records: readonly OperationRecord[]) => OperationRecord[]) {
  return first('commit', ({ control: { records, tensors } }) =>
    order(records).map((record, i) => say('commit', { records: [record], tensors: i === 0 ? tensors : [] })),
  )
}

/** Lies in the list of operations. */
export const recordAttacks: readonly ProverAttack[] = [
  ...contradictory,
  ...malformed,
  ...shapes,
  ...sequences,
  byProver(
    'sequence: one message each',
    'the operations in messages of their own',
    'pass',
    oneByOne((records) => [...records]),
  ),
  byProver(
    'sequence: messages swapped',
    'the messages of two operations change places',
    'sequence-broken',
    oneByOne((records) => records.toReversed()),
  ),
]
