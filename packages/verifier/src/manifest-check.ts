import {
  AssayError,
  type Manifest,
  type ManifestProduct,
  mismatch,
  type OperationRecord,
  operandNames,
  type ProductRecord,
  statesRelations,
} from '@tensor-assay/core'
import type { Ledger } from './ledger.ts'
import { tensorTitle } from './opened.ts'

/** What a manifest says of the tensors of a product, beside their links. */
export interface ExpectedRelations {
  readonly relations: NonNullable<ManifestProduct['relations']>
  /** An operation of the same step before, by its place in the manifest. */
  source(place: number): ProductRecord | undefined
}

/** Steps that have begun and not ended: an application runs a few at once. */
const maxOpenSteps = 4096

/** How far a step has come. */
interface Progress {
  /** Operations of the manifest that were met or found missing. */
  next: number
  /** The products so far, by position in the manifest. */
  readonly products: Map<number, ProductRecord>
}

/** Holds the operations of each step against the manifest. */
export class ManifestCheck {
  private readonly manifest: Manifest
  private readonly ledger: Ledger
  /** Whether tensors can be told from each other: not where nothing is committed to. */
  private readonly seesTensors: boolean
  private readonly open = new Map<number, Progress>()
  private readonly complete = new Set<number>()
  private readonly expected = new WeakMap<ProductRecord, ExpectedRelations>()

  constructor(manifest: Manifest, ledger: Ledger, seesTensors: boolean) {
    this.manifest = manifest
    this.ledger = ledger
    this.seesTensors = seesTensors
    ledger.coverage.manifestSteps = 0
    ledger.coverage.manifestLinks = 0
    if (seesTensors && statesRelations(manifest)) Object.assign(ledger.coverage, { relations: 0, relationElements: 0 })
  }

  /**
   * Takes the next operation of its step. Returns whether the manifest expects it, as it is.
   *
   * @throws {AssayError} `message-unexpected` if too many steps are under way.
   */
  take(record: OperationRecord): boolean {
    const { operations } = this.manifest
    const { step, sequence, operation } = record
    const at = { sequence, operation }
    // What the prover could not keep up with was executed, or so it says; another finding tells of it.
    const isSkipped = record.kind === 'opaque' && record.cause === 'skipped'
    const progress = this.open.get(step) ?? {
      next: this.complete.has(step) ? operations.length : 0,
      products: new Map(),
    }
    this.open.set(step, progress)
    if (this.open.size > maxOpenSteps) {
      throw new AssayError('message-unexpected', `more than ${maxOpenSteps} steps are under way at once`)
    }
    const place = isSkipped ? progress.next : this.find(progress.next, record)
    if (place === undefined || place >= operations.length) {
      const expected = operations[progress.next]
      if (expected === undefined) {
        this.ledger.find('operation-unexpected', `the manifest has no more operations in step ${step}`, at)
      } else {
        const difference = mismatch(expected, record)
        this.ledger.find('operation-mismatch', `operation ${progress.next} of step ${step}: ${difference}`, at)
        progress.next++
      }
      this.settle(step, progress)
      return false
    }
    this.omitted(step, progress.next, place)
    progress.next = place + 1
    const expected = operations[place]!
    if (record.kind === 'product' && expected.kind === 'product') this.link(progress, place, expected, record)
    this.settle(step, progress)
    return !isSkipped
  }

  /** The session is over: what did not come is missing. */
  finish(): void {
    for (const [step, { next }] of this.open) this.omitted(step, next, this.manifest.operations.length)
    this.open.clear()
  }

  /** Where from `next` on the manifest has this very operation. */
  private find(next: number, record: OperationRecord): number | undefined {
    const { operations } = this.manifest
    // Once a session has failed nothing is gained by a search that a hostile prover can make as long as it likes.
    const end = this.ledger.failed ? Math.min(next + 1, operations.length) : operations.length
    for (let place = next; place < end; place++) {
      if (mismatch(operations[place]!, record) === undefined) return place
    }
    return undefined
  }

  private settle(step: number, progress: Progress): void {
    if (progress.next < this.manifest.operations.length) return
    this.open.delete(step)
    if (!this.complete.has(step)) this.ledger.coverage.manifestSteps!++
    this.complete.add(step)
  }

  /** One finding for all operations from `from` up to `end`: a prover must not decide how many there are. */
  private omitted(step: number, from: number, end: number): void {
    if (from === end) return
    const { operation, node } = this.manifest.operations[from]!
    const name = node === undefined ? operation : `${operation} ${node}`
    const message =
      end === from + 1
        ? `operation ${from} of step ${step}, ${name}, was not declared`
        : `operations ${from} to ${end - 1} of step ${step}, from ${name} on, were not declared`
    this.ledger.find('operation-omitted', message)
  }

  /** What must hold of the tensors of a product that was taken; undefined for nothing. */
  relationsOf(record: ProductRecord): ExpectedRelations | undefined {
    return this.expected.get(record)
  }

  private link({ products }: Progress, place: number, expected: ManifestProduct, record: ProductRecord): void {
    if (!this.seesTensors) return
    const { links, relations } = expected
    products.set(place, record)
    if (relations !== undefined) this.expected.set(record, { relations, source: (before) => products.get(before) })
    if (record.addend !== undefined && links.addend === undefined && relations?.addend === undefined) {
      this.ledger.coverage.freeAddends = (this.ledger.coverage.freeAddends ?? 0) + 1
    }
    for (const name of operandNames) {
      const link = links[name]
      if (link === undefined) continue
      const source = products.get(link.operation)
      if (source !== undefined && tensorOf(source, link.tensor) === tensorOf(record, name)) {
        this.ledger.coverage.manifestLinks!++
        continue
      }
      const wanted = `${tensorTitle(link.tensor)} of operation ${link.operation} of its step`
      this.ledger.find('link-broken', `${tensorTitle(name)} must be ${wanted}, and is another tensor`, {
        sequence: record.sequence,
        operation: record.operation,
      })
    }
  }
}

/** The number of a tensor; undefined where there is none, or B is a weight. */
function tensorOf({ a, b, c, addend }: ProductRecord, name: 'a' | 'b' | 'c' | 'addend'): number | undefined {
  return { a, b: b.kind === 'activation' ? b.tensor : undefined, c, addend }[name]
}
