import type { OperationRecord } from '../../../codec/messages.ts'
import type { Expected, ProverAttack } from '../attack.ts'
import type { Lie } from '../forger.ts'
import { say } from '../outgoing.ts'
import { byProver, changed, first } from './define.ts'

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

/** Only the first operation is announced, and the count is made to agree. */
function omittedTail(): Lie {
  return {
    send(message) {
      if (message.type === 'commit') {
        const records = message.control.records.filter(({ sequence }) => sequence === 0)
        const tensors = message.control.tensors.filter(({ tensor }) => records.some((record) => uses(record, tensor)))
        return records.length === 0 ? [] : [say('commit', { records, tensors })]
      }
      return message.type === 'close' ? [say('close', { ...message.control, operations: 1 })] : [message]
    },
    // What was not announced is never asked for.
    closesEarly: true,
  }
}

/** Each operation in a message of its own, in the order given, with the tensors that no message before it uses. */
function oneByOne(order: (records: readonly OperationRecord[]) => OperationRecord[]) {
  return first('commit', ({ control: { records, tensors } }) =>
    order(records).map((record, i, all) => {
      const isNew = (tensor: number) => !all.slice(0, i).some((earlier) => uses(earlier, tensor))
      const introduced = tensors.filter(({ tensor }) => uses(record, tensor) && isNew(tensor))
      return say('commit', { records: [record], tensors: introduced })
    }),
  )
}

function uses(record: OperationRecord, tensor: number): boolean {
  if (record.kind === 'opaque') return false
  return [record.a, record.c, ...(record.b.kind === 'activation' ? [record.b.tensor] : [])].includes(tensor)
}

/** Lies in the order and the number of operations. */
export const sequenceAttacks: readonly ProverAttack[] = [
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
