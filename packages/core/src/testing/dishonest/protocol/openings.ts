import type { Control } from '../../../codec/messages.ts'
import { leavesOf } from '../../../commitment/leaves.ts'
import { type CommittedTensor, openRows, saltBytes, type TensorOpening } from '../../../commitment/tensor.ts'
import { rowBytes } from '../../../matrix.ts'
import type { OpenedRowNumbers } from '../../../sampling/opened-rows.ts'
import type { Expected, ProverAttack } from '../attack.ts'
import type { ForgedOperation, Forger } from '../forger.ts'
import { type Outgoing, say } from '../outgoing.ts'
import { byProver, first, type MessageOf } from './define.ts'

type Opening = MessageOf<'opening'>

/** The first opening is answered otherwise. */
function answered(
  name: string,
  description: string,
  expected: Expected,
  answer: (opening: Opening, forger: Forger) => readonly Outgoing[],
): ProverAttack {
  return byProver(`opening: ${name}`, description, expected, first('opening', answer))
}

/** Leaves other than those asked for, with their own valid proof. All leaves of the tensors must have the same size. */
function otherLeaves(
  name: string,
  description: string,
  choose: (asked: Uint32Array, leaves: number) => Uint32Array,
): ProverAttack {
  return answered(name, description, 'commitment-mismatch', ({ control: { sequence } }, forger) => {
    const { tensors } = forger.operations.get(sequence)!
    const asked = forger.asked.get(sequence)!
    const other = (rows: Uint32Array, { tree, leafRows }: CommittedTensor) =>
      choose(leavesOf(rows, leafRows), tree.leafCount).map((leaf) => leaf * leafRows)
    const rows: OpenedRowNumbers = {
      ...asked,
      a: other(asked.a, tensors.a!.committed),
      c: other(asked.c, tensors.c!.committed),
    }
    return [forger.opening(sequence, rows)]
  })
}

/** The segment of C is changed, the proof is that of the right rows. */
const wrongBytes =
  (change: (c: Uint8Array, leafBytes: number) => Uint8Array) =>
  ({ control, segments }: Opening, forger: Forger) => {
    const { matrix, committed } = forger.operations.get(control.sequence)!.tensors.c!
    const [a, c] = segments as [Uint8Array, Uint8Array]
    return [say('opening', control, [a, change(c.slice(), committed.leafRows * rowBytes(matrix))])]
  }

/** What proves the rows of A is changed, the rows are right. */
const wrongProof =
  (change: (opening: TensorOpening) => Partial<TensorOpening>) =>
  ({ control, segments }: Opening) => [
    say('opening', { ...control, a: { ...control.a, ...change(control.a) } }, segments),
  ]

const hashBytes = 32

function swapped(bytes: Uint8Array, size: number): Uint8Array {
  const out = bytes.slice()
  out.set(bytes.subarray(size, 2 * size), 0)
  out.set(bytes.subarray(0, size), size)
  return out
}

const longer = (bytes: Uint8Array, by: number) => Uint8Array.from([...bytes, ...new Uint8Array(by)])

/** The A of the first product is declared to be added to it. */
function addingA(operation: ForgedOperation): void {
  const { record, tensors } = operation
  if (record.kind !== 'product' || record.sequence !== 0) return
  operation.record = { ...record, addend: record.a }
  operation.tensors = { ...tensors, addend: tensors.a! }
}

/** C is changed once the challenge is known, and committed to anew as far as the attacker gets. */
function recommitted({ control: { sequence } }: Opening, forger: Forger) {
  const c = forger.operations.get(sequence)!.tensors.c!
  const bytes = c.matrix.bytes.slice()
  bytes[0]! ^= 1
  c.matrix = { ...c.matrix, bytes }
  c.committed = forger.commit(c.matrix, c.tensor)
  return { tensor: c, opening: forger.opening(sequence) }
}

const rows: readonly ProverAttack[] = [
  otherLeaves('another row', 'rows that were not asked for, in the place of the first ones', (asked, count) => {
    const free = Array.from({ length: count }, (_, i) => i).find((leaf) => !asked.includes(leaf))!
    return Uint32Array.from([free, ...asked.subarray(1)]).sort()
  }),
  otherLeaves('shifted rows', 'each group of rows is the next one', (asked, count) =>
    asked.map((leaf) => (leaf + 1) % count).sort(),
  ),
  otherLeaves('the first rows', 'as many rows as asked for, from the start', (asked) => asked.map((_, i) => i)),
  answered(
    'a row twice',
    'the second row is the first one again',
    'commitment-mismatch',
    wrongBytes((c, size) => {
      c.copyWithin(size, 0, size)
      return c
    }),
  ),
  answered('rows in another order', 'the first two rows change places', 'commitment-mismatch', wrongBytes(swapped)),
  answered(
    'a changed bit',
    'one bit of a row is changed',
    'commitment-mismatch',
    wrongBytes((c) => {
      c[c.length - 1]! ^= 1
      return c
    }),
  ),
  answered(
    'a row short',
    'the last row is missing',
    'opening-malformed',
    wrongBytes((c, size) => c.subarray(size)),
  ),
  answered('a row more', 'a row that nobody asked for', 'opening-malformed', wrongBytes(longer)),
  answered(
    'a byte short',
    'the last byte is missing',
    'opening-malformed',
    wrongBytes((c) => c.subarray(1)),
  ),
  answered(
    'no rows',
    'nothing is opened',
    'opening-malformed',
    wrongBytes(() => new Uint8Array(0)),
  ),
]

const tensors: readonly ProverAttack[] = [
  answered('A without C', 'C is left out', 'opening-malformed', ({ control, segments }) => [
    say('opening', control, segments.slice(0, 1)),
  ]),
  answered('a third tensor', 'a B is opened that is public', 'opening-malformed', ({ control, segments }) => [
    say('opening', { ...control, b: control.a }, [...segments, segments[0]!]),
  ]),
  answered(
    'a proof of nothing',
    'a proof for B is added, without rows',
    'commitment-mismatch',
    ({ control, segments }) => [say('opening', { ...control, b: control.a }, segments)],
  ),
  answered(
    'A and C swapped',
    'the rows of C, with their proof, as those of A',
    'commitment-mismatch',
    ({ control, segments }) => [say('opening', { ...control, a: control.c, c: control.a }, segments.toReversed())],
  ),
  answered(
    'another operation',
    'the rows of the next operation, with their proof',
    'commitment-mismatch',
    ({ control: { sequence } }, forger) => {
      const { control, segments } = forger.opening(sequence + 1, forger.asked.get(sequence)!)
      return [say('opening', { ...(control as Control<'opening'>), sequence }, segments)]
    },
  ),
  answered(
    'an operation that is not asked',
    'an opening for an operation that does not exist',
    'message-unexpected',
    ({ control, segments }) => [say('opening', { ...control, sequence: control.sequence + 1000 }, segments)],
  ),
  answered(
    'a part that nothing asks for',
    'rows of a tensor that is added, where none was declared',
    'opening-malformed',
    ({ control, segments }) => [say('opening', { ...control, addend: control.c }, [...segments, segments[1]!])],
  ),
  answered(
    'a proof of no addend',
    'a proof of what is added, without rows, where none was declared',
    'commitment-mismatch',
    ({ control, segments }) => [say('opening', { ...control, addend: control.c }, segments)],
  ),
  byProver(
    'opening: another tensor as the addend',
    'A is said to be added, and the rows of C are opened for it',
    'commitment-mismatch',
    {
      prepare: addingA,
      send(message) {
        if (message.type !== 'opening' || message.control.addend === undefined) return [message]
        const { control, segments } = message
        return [say('opening', { ...control, addend: control.c }, [...segments.slice(0, 2), segments[1]!])]
      },
    },
  ),
  byProver(
    'opening: no proof of the addend',
    'A is said to be added, and opened without a proof',
    'commitment-mismatch',
    {
      prepare: addingA,
      send(message) {
        if (message.type !== 'opening' || message.control.addend === undefined) return [message]
        const { addend: _proof, ...control } = message.control
        return [say('opening', control, message.segments)]
      },
    },
  ),
  answered('twice', 'the operation is opened a second time', 'message-unexpected', (opening) => [opening, opening]),
]

const proofs: readonly ProverAttack[] = [
  answered(
    'a proof cut short',
    'the last hash of the proof is missing',
    'commitment-mismatch',
    wrongProof(({ proof }) => ({ proof: proof.slice(0, -hashBytes) })),
  ),
  answered(
    'a proof of half a hash',
    'the proof ends within a hash',
    'commitment-mismatch',
    wrongProof(({ proof }) => ({ proof: proof.slice(0, -1) })),
  ),
  answered(
    'a longer proof',
    'a hash is added to the proof',
    'commitment-mismatch',
    wrongProof(({ proof }) => ({ proof: longer(proof, hashBytes) })),
  ),
  answered(
    'no proof',
    'the proof is empty',
    'commitment-mismatch',
    wrongProof(() => ({ proof: new Uint8Array(0) })),
  ),
  answered(
    'siblings swapped',
    'the first two hashes of the proof change places',
    'commitment-mismatch',
    wrongProof(({ proof }) => ({ proof: swapped(proof, hashBytes) })),
  ),
  answered(
    'a wrong hash',
    'one bit of the proof is changed',
    'commitment-mismatch',
    wrongProof(({ proof }) => {
      const changed = proof.slice()
      changed[0]! ^= 1
      return { proof: changed }
    }),
  ),
  answered(
    'other salts',
    'the salts are zero',
    'commitment-mismatch',
    wrongProof(({ salts }) => ({ salts: new Uint8Array(salts.length) })),
  ),
  answered(
    'salts swapped',
    'the first two salts change places',
    'commitment-mismatch',
    wrongProof(({ salts }) => ({ salts: swapped(salts, saltBytes) })),
  ),
  answered(
    'a salt short',
    'the last salt is missing',
    'commitment-mismatch',
    wrongProof(({ salts }) => ({ salts: salts.slice(0, -saltBytes) })),
  ),
  answered(
    'a salt more',
    'a salt is added',
    'commitment-mismatch',
    wrongProof(({ salts }) => ({ salts: longer(salts, saltBytes) })),
  ),
]

const afterwards: readonly ProverAttack[] = [
  answered(
    'a commitment edited after the challenge',
    'C is changed and hashed anew, the proof is of the new tree',
    'commitment-mismatch',
    (opening, forger) => [recommitted(opening, forger).opening],
  ),
  answered(
    'a second root for the same tensor',
    'the new root is announced before the opening',
    'message-malformed',
    (opening, forger) => {
      const {
        tensor: { tensor, committed },
        opening: honest,
      } = recommitted(opening, forger)
      const { rows, cols, dtype, root } = committed
      const { record } = forger.operations.get(opening.control.sequence)!
      return [say('commit', { records: [record], tensors: [{ tensor, rows, cols, dtype, root }] }), honest]
    },
  ),
  answered(
    'a second record for the same operation',
    'the operation is announced again, on a new tensor',
    'sequence-broken',
    (opening, forger) => {
      const {
        tensor: { matrix },
        opening: honest,
      } = recommitted(opening, forger)
      const { record } = forger.operations.get(opening.control.sequence)!
      const { tensor, rows, cols, dtype, root } = forger.commit(matrix, 10_000)
      const renamed = { ...record, c: tensor } as typeof record
      return [say('commit', { records: [renamed], tensors: [{ tensor, rows, cols, dtype, root }] }), honest]
    },
  ),
  byProver(
    'opening: rows computed when they are asked for',
    'a root of nothing is committed to, and the rows are made once the challenge is known',
    'commitment-mismatch',
    {
      prepare({ tensors: { c } }, forger) {
        if (c === undefined) return
        c.committed = forger.commit({ ...c.matrix, bytes: new Uint8Array(c.matrix.bytes.length) }, c.tensor)
      },
      send(message, forger) {
        if (message.type !== 'opening') return [message]
        // A tree of the rows that were asked for, with everything else as it was committed to.
        const { sequence } = message.control
        const { tensors } = forger.operations.get(sequence)!
        const honest = forger.commit(tensors.c!.matrix, tensors.c!.tensor)
        const { opening } = openRows(tensors.c!.matrix, honest, forger.asked.get(sequence)!.c)
        return [say('opening', { ...message.control, c: opening }, message.segments)]
      },
    },
  ),
]

/** Lies in the answer to a challenge. */
export const openingAttacks: readonly ProverAttack[] = [...rows, ...tensors, ...proofs, ...afterwards]
