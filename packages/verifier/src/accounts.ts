import { bytesToHex } from '@noble/hashes/utils.js'
import {
  AssayError,
  type OperationRecord,
  operandNames,
  type ProductRecord,
  type TensorShape,
  type WeightStore,
} from '@tensor-assay/core'
import type { Bindings } from './bindings.ts'
import type { Ledger } from './ledger.ts'
import type { ManifestCheck } from './manifest-check.ts'
import type { Policy } from './policy.ts'
import { recordProblem } from './record-problem.ts'

export interface DeclaredTensor extends TensorShape {
  /** Absent where nothing is committed to. */
  readonly root?: Uint8Array
}

interface Account extends DeclaredTensor {
  /** Whether it is the C of a product. */
  produced: boolean
  /** Whether a product read it before one gave it. */
  foreign: boolean
  /** Whether a manifest says what it follows from. */
  derived: boolean
}

export interface AccountsOptions {
  readonly policy: Policy
  readonly store: WeightStore
  readonly ledger: Ledger
  readonly bindings: Bindings
  readonly manifest: ManifestCheck | undefined
}

/** What the prover has declared: tensors, and operations on them. */
export class Accounts {
  private readonly options: AccountsOptions
  private readonly tensors = new Map<number, Account>()
  private readonly weightsUsed = new Set<string>()

  constructor(options: AccountsOptions) {
    this.options = options
    const { policy, ledger } = options
    if (policy.mode !== 'spot') ledger.coverage.foreignTensors = 0
    else if (policy.operationRate < 1) ledger.coverage.stepRate = policy.operationRate
  }

  tensor(number: number): DeclaredTensor | undefined {
    return this.tensors.get(number)
  }

  /** @throws {AssayError} `message-malformed` if a number is used again: a tensor has one commitment. */
  declare(tensors: readonly DeclaredTensor[]): void {
    for (const tensor of tensors) {
      if (this.tensors.has(tensor.tensor)) {
        throw new AssayError('message-malformed', `tensor ${tensor.tensor} was committed to before`)
      }
      this.tensors.set(tensor.tensor, { ...tensor, produced: false, foreign: false, derived: false })
    }
  }

  /** Forgets the tensors, where nothing binds them. */
  forget(): void {
    this.tensors.clear()
  }

  /**
   * Counts an operation.
   *
   * @returns It, if it is a product that can be audited.
   * @throws {AssayError} `message-unexpected` if the operations do not follow each other, or are too many.
   */
  take(record: OperationRecord): ProductRecord | undefined {
    const { ledger, policy, store, bindings, manifest } = this.options
    const at = { sequence: record.sequence, operation: record.operation }
    if (record.sequence !== ledger.coverage.operations) {
      ledger.find('sequence-broken', `expected operation ${ledger.coverage.operations}, got ${record.sequence}`, at)
      throw new AssayError('message-unexpected', 'the operations are not numbered one after the other')
    }
    ledger.coverage.operations++
    if (ledger.coverage.operations > policy.maxOperations) {
      throw new AssayError('message-unexpected', `more than ${policy.maxOperations} operations in one session`)
    }
    bindings.step(record)
    const isExpected = manifest?.take(record) ?? false
    if (record.kind === 'opaque') {
      if (record.cause === 'skipped') {
        ledger.coverage.skipped++
        ledger.find('operation-skipped', `the prover left it out: ${record.reason}`, at)
      } else {
        ledger.coverage.opaque++
        if (!isExpected) {
          ledger.find('operation-opaque', `the backend cannot state it as a product: ${record.reason}`, at)
        }
      }
      return undefined
    }
    const a = this.tensors.get(record.a)
    const c = this.tensors.get(record.c)
    const b = record.b.kind === 'activation' ? this.tensors.get(record.b.tensor) : undefined
    const addend = record.addend === undefined ? undefined : this.tensors.get(record.addend)
    const acceptActivations = policy.acceptActivations || isExpected
    const acceptRounding = policy.acceptRounding || isExpected
    const accepted = { ...policy, acceptActivations, acceptRounding }
    const problem = recordProblem(record, { a, b, c, addend }, accepted, store)
    if (record.b.kind === 'activation') ledger.coverage.activationProducts++
    const isLinked = a?.produced === true
    const derived = manifest?.relationsOf(record)?.relations
    const read = { a, b, addend }
    for (const name of operandNames) {
      const tensor = read[name]
      if (tensor && derived?.[name] !== undefined) tensor.derived = true
      if (tensor === undefined || tensor.produced || tensor.foreign || tensor.derived) continue
      tensor.foreign = true
      if (ledger.coverage.foreignTensors !== undefined) ledger.coverage.foreignTensors++
    }
    if (c) c.produced = true
    if (problem && !(problem.reason === 'weight-reshaped' && isExpected)) {
      ledger.find(problem.reason, problem.message, at)
      // Its rows can be checked all the same: what is open is whether the model means it so.
      if (problem.reason !== 'weight-reshaped') return undefined
    }
    if (record.addend !== undefined && manifest === undefined) {
      ledger.coverage.freeAddends = (ledger.coverage.freeAddends ?? 0) + 1
    }
    if (record.addend !== undefined && !acceptActivations) {
      ledger.find('addend-unbound', 'a tensor is added to A·B that no manifest expects, and may explain any C', at)
    }
    if (record.b.kind === 'weight') {
      this.weightsUsed.add(bytesToHex(record.b.digest))
      ledger.coverage.weightsUsed = this.weightsUsed.size
    }
    if (isLinked) ledger.coverage.linked++
    return record
  }
}
