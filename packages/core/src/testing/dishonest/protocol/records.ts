import type { Control } from '../../../codec/messages.ts'
import type { Expected, ProverAttack } from '../attack.ts'
import { byProver, changed, declared, layoutOf } from './define.ts'

type Tensors = Control<'commit'>['tensors']

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
  declared('an unknown addend', 'what is added is a tensor that was never committed to', 'tensor-unknown', () => ({
    addend: 999,
  })),
  declared(
    'an addend without rows',
    'C is said to be added, and is not opened for it',
    'opening-malformed',
    ({ c }) => ({
      addend: c,
    }),
  ),
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

/** Lies in the declaration of a product or of its tensors. */
export const recordAttacks: readonly ProverAttack[] = [...contradictory, ...shapes]
