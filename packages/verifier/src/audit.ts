import { bytesToHex } from '@noble/hashes/utils.js'
import {
  type Control,
  type HashSuite,
  type Manifest,
  type Matrix,
  type OperationRecord,
  type ProductRecord,
  sampledProduct,
  unitShape,
  type WeightStore,
} from '@tensor-assay/core'
import { Accounts, type DeclaredTensor } from './accounts.ts'
import { Bindings } from './bindings.ts'
import { type CheckedRows, checkOpenedRows } from './check.ts'
import { layOpening, unboundTensor } from './lay-opening.ts'
import { Ledger } from './ledger.ts'
import { ManifestCheck } from './manifest-check.ts'
import { type OpenedProduct, tensorTitle } from './opened.ts'
import type { Policy } from './policy.ts'
import type { PreparedWeights } from './prepared-weights.ts'
import { Projections } from './projections.ts'
import { checkRelations, type RelationCheck } from './relations.ts'

export interface AuditOptions {
  readonly policy: Policy
  readonly store: WeightStore
  readonly manifest: Manifest | undefined
  readonly prepared: PreparedWeights
  /** What the user sent in each step: the rows of the A of its first product. */
  readonly inputs: readonly Matrix[]
  /** What was delivered in each step: the rows of the C of its last product. */
  readonly outputs: readonly Matrix[]
  readonly onChecked: (operation: ProductRecord, rows: CheckedRows) => void
}

/** Where the random choices of a check come from, see {@link checkOpenedRows}. */
export interface CheckSeeds {
  readonly seed: Uint8Array
  readonly vectorSeed: Uint8Array
}

/** What a prover declared, opened and was found to have done, however its words arrived. */
export class Audit {
  readonly ledger: Ledger
  private readonly options: AuditOptions
  private readonly bindings: Bindings
  private readonly manifest: ManifestCheck | undefined
  private readonly accounts: Accounts
  private readonly projections = new Projections()

  constructor(options: AuditOptions) {
    const { policy, store, manifest, inputs, outputs } = options
    this.options = options
    this.ledger = new Ledger(policy, store.weights.length)
    this.bindings = new Bindings(inputs, outputs)
    this.manifest = manifest && new ManifestCheck(manifest, this.ledger, policy.mode !== 'spot')
    const { ledger, bindings } = this
    this.accounts = new Accounts({ policy, store, ledger, bindings, manifest: this.manifest })
  }

  /** @throws {AssayError} `message-malformed` if a tensor was declared before. */
  declare(tensors: readonly DeclaredTensor[]): void {
    this.accounts.declare(tensors)
  }

  /**
   * Counts an operation.
   *
   * @returns It, if it is a product that can be audited.
   * @throws {AssayError} `message-unexpected` if the operations do not follow each other, or are too many.
   */
  take(record: OperationRecord): ProductRecord | undefined {
    const product = this.accounts.take(record)
    if (product) this.ledger.declared(unitShape(sampledProduct(product)))
    return product
  }

  /** Whether a product must be audited whatever the policy's rate, because an input or an output may be bound by it. */
  mustAudit(record: ProductRecord): boolean {
    return this.bindings.wants(record)
  }

  /** Takes the opening of rows that were committed to. */
  async opened(
    record: ProductRecord,
    { seed, vectorSeed }: CheckSeeds,
    { suite, session }: { readonly suite: HashSuite; readonly session: Uint8Array },
    proofs: Control<'opening'>,
    segments: readonly Uint8Array[],
  ): Promise<void> {
    const hasSources = proofs.sources !== undefined
    const opened = this.lay(record, seed, hasSources ? segments.slice(0, -1) : segments)
    if (opened === undefined) return
    const { sequence, operation } = record
    const unbound = unboundTensor(suite, session, opened, proofs, (number) => this.accounts.tensor(number))
    if (unbound !== undefined) {
      const root = this.accounts.tensor(opened[unbound]?.tensor ?? -1)?.root
      const evidence = root && { row: opened[unbound]?.indices[0] ?? 0, root: bytesToHex(root) }
      const message = `the opened rows of ${tensorTitle(unbound)} are not those that were committed to`
      this.ledger.find('commitment-mismatch', message, { sequence, operation, ...(evidence && { evidence }) })
      return
    }
    await this.check(record, opened, { seed, vectorSeed })
    const bytes = hasSources ? segments.at(-1)! : new Uint8Array(0)
    await this.checkRelations(record, { opened, seed, suite, session, proofs: proofs.sources, bytes })
  }

  private async checkRelations(
    record: ProductRecord,
    shown: Pick<RelationCheck, 'opened' | 'seed' | 'suite' | 'session' | 'proofs' | 'bytes'>,
  ): Promise<void> {
    const { ledger } = this
    const expected = this.manifest?.relationsOf(record)
    const at = { sequence: record.sequence, operation: record.operation }
    if (expected === undefined) {
      if (shown.proofs) ledger.find('opening-malformed', 'it shows more than it was asked for', at)
      return
    }
    if (ledger.isBeyondDoubt) return
    const { prepared, store } = this.options
    const before = performance.now()
    const found = await checkRelations({
      ...shown,
      ...expected,
      record,
      tensorAt: (number) => this.accounts.tensor(number),
      vector: (digest) => (store.find(digest) === undefined ? undefined : prepared.vector(digest)),
    })
    ledger.checkMs += performance.now() - before
    ledger.related(found)
    for (const { reason, message, evidence } of found.findings) {
      ledger.find(reason, message, { ...at, ...(evidence && { evidence }) })
    }
  }

  /** Takes an operation with its rows, which nothing binds. */
  async sampled(
    { record: announced, tensors }: Control<'sample'>,
    segments: readonly Uint8Array[],
    seeds: (sequence: number) => { readonly plan: Uint8Array; readonly check: Uint8Array },
  ): Promise<void> {
    this.accounts.declare(tensors)
    const record = this.take(announced)
    if (record) {
      const { plan, check } = seeds(record.sequence)
      const opened = this.lay(record, plan, segments)
      if (opened) await this.check(record, opened, { seed: check, vectorSeed: check })
    }
    this.accounts.forget()
  }

  /** Nothing more comes. */
  finish(closing: Control<'close'>, transcript: Uint8Array): void {
    const { ledger } = this
    const arrived = ledger.coverage.operations
    if (closing.operations !== arrived) {
      ledger.find('count-mismatch', `the prover counts ${closing.operations} operations, ${arrived} arrived`)
    }
    if (closing.transcript.some((byte, i) => byte !== transcript[i])) {
      ledger.find('transcript-mismatch', 'the prover remembers other messages than those that arrived')
    }
    this.bindings.finish(ledger)
    this.manifest?.finish()
  }

  /** Lays the rows out by this side's own plan, and refuses any other number of bytes. */
  private lay(record: ProductRecord, seed: Uint8Array, segments: readonly Uint8Array[]): OpenedProduct | undefined {
    const { sequence, operation } = record
    const plan = this.options.policy.sampler.plan(seed, unitShape(sampledProduct(record)))
    const laid = layOpening(record, plan, segments, (number) => this.accounts.tensor(number))
    if (typeof laid !== 'string') return laid
    this.ledger.find('opening-malformed', laid, { sequence, operation })
    return undefined
  }

  private async check(record: ProductRecord, opened: OpenedProduct, seeds: CheckSeeds): Promise<void> {
    const { policy, prepared, onChecked } = this.options
    if (this.ledger.isBeyondDoubt) return
    const at = { sequence: record.sequence, operation: record.operation }
    if (opened.plan.rows.length === 0) {
      this.ledger.find('empty-product', 'the product is empty, so there is nothing to check', at)
      return
    }
    const weights = await prepared.of(record, opened.c.dtype)
    const before = performance.now()
    const rows = checkOpenedRows({ record, opened, ...seeds, projections: this.projections, policy, weights })
    this.ledger.checkMs += performance.now() - before
    this.ledger.checked(rows)
    for (const { reason, message, evidence } of rows.findings) {
      this.ledger.find(reason, message, { ...at, ...(evidence && { evidence }) })
    }
    if (rows.rows > 0) this.ledger.audited(unitShape(sampledProduct(record)))
    else this.ledger.untelling()
    // A manifest says that the model has it so.
    if (rows.drowned && this.manifest === undefined) {
      this.ledger.find('empty-product', 'what is stated with A·B hides it: C is known without any work', at)
    }
    this.bindings.compare(record, opened, this.ledger)
    onChecked(record, rows)
  }
}
