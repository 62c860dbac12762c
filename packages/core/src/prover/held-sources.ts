import type { ProductRecord } from '../codec/messages.ts'
import { type Manifest, operandNames } from '../manifest/manifest.ts'
import type { TensorName } from '../relation/evaluate.ts'
import { planRelations } from '../relation/plan.ts'
import type { OpenedRowNumbers } from '../sampling/opened-rows.ts'
import type { Snapshot } from './snapshots.ts'

export interface NeededSource {
  readonly snapshot: Snapshot
  /** Ascending. */
  readonly rows: Uint32Array
}

export interface HeldSourcesOptions {
  readonly manifest: Manifest
  /** Keeps a snapshot for one more use. */
  retain(snapshot: Snapshot): void
  release(snapshot: Snapshot): void
}

interface Place {
  readonly snapshots: { readonly [name in TensorName]?: Snapshot }
  record?: ProductRecord
  /** Operations that follow from it and have not been opened. */
  readers: number
}

/** Keeps the tensors of a step until every operation that follows from them has shown that it does. */
export class HeldSources {
  private readonly options: HeldSourcesOptions
  /** For each operation of the manifest: those that its relations read, each once. */
  private readonly reads: readonly (readonly number[])[]
  private readonly readers: readonly number[]
  private readonly steps = new Map<number, { next: number; readonly places: Map<number, Place> }>()
  private readonly ordinals = new Map<number, { readonly step: number; readonly place: number }>()

  constructor(options: HeldSourcesOptions) {
    const { operations } = options.manifest
    this.options = options
    this.reads = operations.map((operation) => {
      const relations = operation.kind === 'product' ? (operation.relations ?? {}) : {}
      const steps = operandNames.flatMap((name) => relations[name] ?? [])
      return [...new Set(steps.flatMap((step) => (step.op === 'tensor' ? step.operation : [])))]
    })
    const readers = new Array<number>(operations.length).fill(0)
    for (const places of this.reads) for (const place of places) readers[place]!++
    this.readers = readers
  }

  /** The next operation of a step; an opaque one has no snapshots. */
  recorded(step: number, sequence: number, snapshots: Place['snapshots']): void {
    const progress = this.steps.get(step) ?? { next: 0, places: new Map<number, Place>() }
    this.steps.set(step, progress)
    const place = progress.next++
    this.ordinals.set(sequence, { step, place })
    const readers = this.readers[place] ?? 0
    if (readers > 0) {
      for (const snapshot of Object.values(snapshots)) this.options.retain(snapshot)
      progress.places.set(place, { snapshots, readers })
    }
  }

  /** An operation was committed to. */
  stated(record: ProductRecord): void {
    const held = this.placeOf(record.sequence)
    if (held) held.record = record
  }

  /**
   * What must be opened besides, so that the relations of an operation can be checked.
   *
   * @returns Nothing where a tensor was not kept, or the run is not what the manifest says.
   */
  needed(record: ProductRecord, opened: OpenedRowNumbers, seed: Uint8Array): NeededSource[] {
    const at = this.ordinals.get(record.sequence)
    const operation = at && this.options.manifest.operations[at.place]
    if (at === undefined || operation?.kind !== 'product' || operation.relations === undefined) return []
    const places = this.steps.get(at.step)?.places
    const source = (place: number) => places?.get(place)?.record
    try {
      const { needed } = planRelations({ record, relations: operation.relations, source, opened, seed })
      return needed.map(({ place, name, rows }) => ({ snapshot: places!.get(place)!.snapshots[name]!, rows }))
    } catch (error) {
      // A verifier that finds nothing says what is wrong with the run.
      if (error instanceof RangeError) return []
      throw error
    }
  }

  /** An operation was opened, or will not be: what it follows from may go, unless others follow from it. */
  done(sequence: number): void {
    const at = this.ordinals.get(sequence)
    this.ordinals.delete(sequence)
    const progress = at && this.steps.get(at.step)
    if (at === undefined || progress === undefined) return
    for (const place of this.reads[at.place] ?? []) {
      const held = progress.places.get(place)
      if (held === undefined || --held.readers > 0) continue
      this.drop(held)
      progress.places.delete(place)
    }
    if (progress.next >= this.reads.length && progress.places.size === 0) this.steps.delete(at.step)
  }

  /**
   * Lets go of the oldest step, where memory is needed for what happens now.
   *
   * @returns Whether there was one.
   */
  dropOldest(): boolean {
    for (const { places } of this.steps.values()) {
      if (places.size === 0) continue
      for (const held of places.values()) this.drop(held)
      places.clear()
      return true
    }
    return false
  }

  clear(): void {
    this.steps.clear()
    this.ordinals.clear()
  }

  private placeOf(sequence: number): Place | undefined {
    const at = this.ordinals.get(sequence)
    return at && this.steps.get(at.step)?.places.get(at.place)
  }

  private drop({ snapshots }: Place): void {
    for (const snapshot of Object.values(snapshots)) this.options.release(snapshot)
  }
}
