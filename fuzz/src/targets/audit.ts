import { hexToBytes } from '@noble/hashes/utils.js'
import {
  AssayError,
  grid,
  openedRows,
  openRows,
  type ProductRecord,
  type ProfileName,
  profiles,
  rows,
  rowsToOpen,
  sampledProduct,
  sha256,
  unitShape,
} from '@tensor-assay/core'
import { interactive, type Policy } from '@tensor-assay/verifier'
import { Audit } from '../../../packages/verifier/src/audit.ts'
import { type PreparedWeights, preparedWeights } from '../../../packages/verifier/src/prepared-weights.ts'
import { weights } from '../model.ts'
import { promised, type Target } from '../target.ts'
import { Choices } from './audit/choices.ts'
import { honestC } from './audit/honest.ts'
import { draftOf } from './audit/records.ts'
import { anyTensor, type Shape, session, type Tensor, tensorOf } from './audit/tensors.ts'
import { complete } from './receipt.ts'

const seed = new Uint8Array(32).fill(3)
const samplers = [rows({ atLeast: 2 }), rows({ atLeast: 64, rate: 0 }), rows({ atLeast: 3, columns: 2 }), grid()]
const policies: readonly Policy[] = samplers.flatMap((sampler) =>
  [true, false].map((acceptActivations) =>
    interactive({
      sampler,
      acceptActivations,
      profiles: Object.keys(profiles) as ProfileName[],
      vectors: acceptActivations ? 1 : 2,
      entries: 3,
      maxOperations: 100,
    }),
  ),
)

/**
 * A prover that lies in its records and opens what it committed to, so that the verifier gets as far as it can: to the
 * checks of rows of products of any shape, arithmetic and content. An input is a list of choices.
 */
export const audit: Target = {
  name: 'audit',
  maxInputBytes: 512,
  // Whatever is declared, what is worked on is what is there: tensors of some kilobytes, and the weights.
  allowedBytes: () => 2 ** 24,
  isWhole: false,
  seeds: () => [
    new Uint8Array(0),
    ...Array.from({ length: 24 }, (_, i) =>
      Uint8Array.from({ length: 96 }, (_, j) => (i * 89 + j * (i + 3) * 7) & 255),
    ),
  ],
  async check(input) {
    const choices = new Choices(input)
    const policy = choices.pick(policies)
    const prover = new Liar(choices, policy)
    try {
      for (let sequence = 0; choices.left > 0 && sequence < 6; sequence++) await prover.operation(sequence)
      const operations = choices.once(4) ? choices.below(9) : prover.audited.ledger.coverage.operations
      prover.audited.finish({ operations, transcript: session }, session)
    } catch (error) {
      if (!AssayError.isInstance(error) || error.code === 'internal') throw error
      prover.audited.ledger.find('protocol-violation', error.message)
    }
    const verdict = prover.audited.ledger.verdict('', '')
    complete(verdict)
    promised(verdict.status !== 'pass' || verdict.statistics.rows > 0, 'it passes, and not one row was looked at')
    return verdict.status === 'pass'
  },
}

class Liar {
  readonly audited: Audit
  private readonly choices: Choices
  private readonly policy: Policy
  private readonly prepared: PreparedWeights = preparedWeights(weights)
  private readonly tensors: Tensor[] = []

  constructor(choices: Choices, policy: Policy) {
    this.choices = choices
    this.policy = policy
    const quiet = { manifest: undefined, inputs: [], outputs: [], onChecked: () => undefined }
    this.audited = new Audit({ policy, store: weights, prepared: this.prepared, ...quiet })
  }

  async operation(sequence: number): Promise<void> {
    const { choices, audited, tensors } = this
    const draft = draftOf(choices, sequence)
    const { record, weight, transposed } = draft
    const before = tensors.length
    const a = this.tensor(draft.a)
    const b = draft.b && this.tensor(draft.b)
    const addend = draft.addend && this.tensor(draft.addend)
    const honest = choices.once(2) && a.matrix ? await honestC(draft, a.matrix, this.prepared) : undefined
    const c = honest ? this.keep(tensorOf(tensors.length, honest)) : this.tensor(draft.c)
    audited.declare(tensors.slice(before).map(({ declared }) => declared))
    const taken = audited.take({
      ...record,
      a: a.declared.tensor,
      b: b
        ? { kind: 'activation', tensor: b.declared.tensor }
        : { kind: 'weight', digest: hexToBytes(weight.digest), transposed },
      c: c.declared.tensor,
      ...(addend && { addend: addend.declared.tensor }),
    })
    if (taken) await this.open(taken, [a, c, ...(b ? [b] : []), ...(addend ? [addend] : [])])
  }

  /** A new one, or now and then one that is there already. */
  private tensor(shape: Shape): Tensor {
    const { choices, tensors } = this
    if (tensors.length > 0 && choices.once(8)) return choices.pick(tensors)
    return this.keep(anyTensor(choices, tensors.length, shape))
  }

  private keep(tensor: Tensor): Tensor {
    this.tensors.push(tensor)
    return tensor
  }

  /** Answers the challenge with what is there, or with anything. */
  private async open(record: ProductRecord, held: readonly Tensor[]): Promise<void> {
    const { choices } = this
    const parts = held.every(({ committed }) => committed !== undefined) ? this.parts(record, held) : []
    const nothing = { salts: choices.fill(16), proof: choices.fill(32) }
    const [a, c, ...others] = parts.map(({ opening }) => opening)
    const b = record.b.kind === 'activation' ? others.shift() : undefined
    const [addend] = others
    const proofs = {
      ...{ sequence: record.sequence, a: a ?? nothing, c: c ?? nothing },
      ...{ ...(b && { b }), ...(addend && { addend }) },
    }
    const segments = parts.map(({ bytes }) => bytes)
    if (parts.length === 0 || choices.once(16)) segments.push(...choices.list(3, () => choices.fill(choices.below(64))))
    await this.audited.opened(record, { seed, vectorSeed: seed }, { suite: sha256, session }, proofs, segments)
  }

  private parts(record: ProductRecord, held: readonly Tensor[]) {
    const sampled = sampledProduct(record)
    const { a, c, b, addend } = openedRows(sampled, this.policy.sampler.plan(seed, unitShape(sampled)))
    return [a, c, ...(b ? [b] : []), ...(addend ? [addend] : [])].map((indices, i) => {
      const { matrix, committed } = held[i]!
      const there = indices.filter((index) => index < matrix!.rows)
      return openRows(matrix!, committed!, rowsToOpen(there, matrix!))
    })
  }
}
