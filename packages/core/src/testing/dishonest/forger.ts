import type { Control, OperationRecord, ProductRecord, ProtocolMessage } from '../../codec/messages.ts'
import { leafRowsOf } from '../../commitment/leaves.ts'
import type { HashSuite } from '../../commitment/suite.ts'
import { type CommittedTensor, commitTensor, openRows } from '../../commitment/tensor.ts'
import type { Transcript } from '../../commitment/transcript.ts'
import { type Matrix, row } from '../../matrix.ts'
import { type OpenedRowNumbers, openedRows, sampledProduct, unitShape } from '../../sampling/opened-rows.ts'
import type { Sampler } from '../../sampling/sampler.ts'
import { joined, type Outgoing, say } from './outgoing.ts'

/** What a dishonest prover does at each turn of a session; it is honest where nothing is given. */
export interface Lie {
  /** Called before an operation is committed to; may change its record and its tensors. */
  prepare?(operation: ForgedOperation, forger: Forger): void
  /**
   * Called before a message is sent: what to send instead. The transcript is of what is sent. A promise holds back
   * whatever comes later.
   */
  send?(message: ProtocolMessage, forger: Forger): readonly Outgoing[] | Promise<readonly Outgoing[]>
  /** Called when the verifier asks. Returning false ignores the challenge. */
  challenged?(challenge: Challenge, forger: Forger): boolean
  /** Whether to close without waiting for challenges that are still open. */
  readonly closesEarly?: boolean
  /** Whether to commit without regard to the verifier's window. */
  readonly ignoresWindow?: boolean
}

export type Challenge = Control<'challenge'>['challenges'][number]

/** A tensor that was or will be committed to; a lie may put others in its place. */
export interface ForgedTensor {
  readonly tensor: number
  matrix: Matrix
  committed: CommittedTensor
}

/** In the order in which they are opened. */
export const tensorNames = ['a', 'c', 'b', 'addend'] as const
export type TensorName = (typeof tensorNames)[number]

export interface ForgedOperation {
  record: OperationRecord
  /** Empty for an opaque operation. */
  tensors: { readonly [name in TensorName]?: ForgedTensor }
}

/** A session as the dishonest prover holds it with the verifier. */
export interface ForgedSession {
  readonly suite: HashSuite
  readonly session: Uint8Array
  readonly policy: Control<'policy'>
  readonly sampler: Sampler
  /** Of everything that was sent to the verifier so far. */
  readonly transcript: Transcript
}

/** Everything that a dishonest prover knows, and what it can make of it. */
export class Forger {
  readonly operations = new Map<number, ForgedOperation>()
  /** What the verifier asked for, by operation. */
  readonly asked = new Map<number, OpenedRowNumbers>()
  /** Gives up on the verifier. */
  readonly hangUp: (error: Error) => void
  private readonly saltKey = crypto.getRandomValues(new Uint8Array(32))
  private known: ForgedSession | undefined

  constructor(hangUp: (error: Error) => void) {
    this.hangUp = hangUp
  }

  open(session: ForgedSession): void {
    this.known = session
  }

  get session(): ForgedSession {
    if (this.known === undefined) throw new TypeError('the session has not been opened yet')
    return this.known
  }

  /** Commits to a matrix; under another session or as another tensor than it belongs to, if asked. */
  commit(matrix: Matrix, tensor: number, session = this.session.session): CommittedTensor {
    const { saltKey } = this
    return commitTensor(this.session.suite, { session, tensor, matrix, leafRows: leafRowsOf(matrix), saltKey })
  }

  tensor(matrix: Matrix, tensor: number): ForgedTensor {
    return { tensor, matrix, committed: this.commit(matrix, tensor) }
  }

  /** Which rows a challenge asks for. */
  rowsAsked(record: ProductRecord, seed: Uint8Array): OpenedRowNumbers {
    const sampled = sampledProduct(record)
    return openedRows(sampled, this.session.sampler.plan(seed, unitShape(sampled)))
  }

  /** A close that agrees with everything that was said before it. */
  close(operations: number): () => ProtocolMessage {
    return () => say('close', { operations, transcript: this.session.transcript.head })
  }

  /** The honest opening of rows, those asked for unless others are given. */
  opening(sequence: number, rows = this.asked.get(sequence)!): ProtocolMessage {
    const { tensors } = this.operations.get(sequence)!
    const names = tensorNames.filter((name) => tensors[name] && rows[name])
    const parts = names.map((name) => openRows(tensors[name]!.matrix, tensors[name]!.committed, rows[name]!))
    const proofs = Object.fromEntries(names.map((name, i) => [name, parts[i]!.opening]))
    const segments = parts.map(({ bytes }) => bytes)
    return say('opening', { sequence, ...proofs } as Control<'opening'>, segments)
  }
}

/** Some rows of a matrix one after the other. */
export function rowsOf(matrix: Matrix, rows: Uint32Array): Uint8Array {
  return joined(Array.from(rows, (index) => row(matrix, index)))
}
