import type { Control, OperationRecord, ProductRecord } from '../codec/messages.ts'
import { challengeSeed } from '../commitment/challenge.ts'
import { committer } from '../commitment/committer.ts'
import { concatBytes } from '../commitment/fields.ts'
import { openRows, type TensorOpening } from '../commitment/tensor.ts'
import type { Manifest } from '../manifest/manifest.ts'
import type { Product } from '../product.ts'
import { type OpenedRowNumbers, openedRows, sampledProduct, unitShape } from '../sampling/opened-rows.ts'
import { HeldSources } from './held-sources.ts'
import type { ProverLink } from './link.ts'
import { maxQueued, type ProverMode, queueOverflow } from './mode.ts'
import { pause } from './pause.ts'
import { digestVectors, opaqueRecord, productRecord, type RecordBase, type VectorDigests } from './recorder.ts'
import { type Snapshot, snapshots } from './snapshots.ts'
import type { KnownWeights } from './weights.ts'

export interface InteractiveOptions {
  readonly link: ProverLink
  readonly weights: KnownWeights
  /** How tensors follow from each other, where that is to be shown. */
  readonly manifest: Manifest | undefined
  /** Bytes of snapshots, at most; an operation beyond it is skipped, and said to be. */
  readonly maxRetainedBytes: number
  readonly onLost: (error: unknown) => void
}

export interface InteractiveMode extends ProverMode {
  challenge(challenges: Control<'challenge'>['challenges']): Promise<void>
  /** Resolves when everything recorded so far was committed to: the operations that wait for their challenge. */
  committed(): Promise<number[]>
}

/** In the order in which they are opened: A, C, B where it is no known weight, and what is added. */
type Snapshots = { readonly [name in TensorName]?: Snapshot }

const names = ['a', 'c', 'b', 'addend'] as const
type TensorName = (typeof names)[number]

interface Job {
  readonly record: Promise<OperationRecord>
  readonly snapshots: Snapshots
}

/** An operation that is committed to and waits for its challenge. */
interface Pending {
  readonly record: ProductRecord
  readonly head: Uint8Array
  readonly snapshots: Snapshots
}

interface Asked {
  readonly head: Uint8Array
  readonly sequence: number
  readonly seed: Uint8Array
}

/** Operations announced by one message, at most; the protocol's limit is higher. */
const maxRecords = 64

/** Keeps whole tensors until they are committed to, challenged and opened. */
export function interactiveMode(options: InteractiveOptions): InteractiveMode {
  const { link, weights, manifest, maxRetainedBytes, onLost } = options
  const store = snapshots({
    session: link.session,
    committer: committer(link.suite, pause),
    maxIdleBytes: maxRetainedBytes,
  })
  const held =
    manifest &&
    new HeldSources({
      manifest,
      retain: (snapshot) => store.retain(snapshot),
      release: (snapshot) => store.release(snapshot),
    })
  const jobs: Job[] = []
  const pending = new Map<number, Pending>()
  const announced = new Set<number>()
  const asked: Asked[] = []
  const waiting: { done: () => boolean; resolve: () => void }[] = []
  let pumping = false
  let stopped = false

  /** Resolves when `done` holds; it is looked at after each step forward. */
  function until(done: () => boolean): Promise<void> {
    if (stopped || done()) return Promise.resolve()
    return new Promise((resolve) => waiting.push({ done, resolve }))
  }

  function advanced(): void {
    for (let i = waiting.length - 1; i >= 0; i--) {
      if (stopped || waiting[i]!.done()) waiting.splice(i, 1)[0]!.resolve()
    }
  }

  function enqueue(job: Job): void {
    if (jobs.length >= maxQueued) {
      onLost(queueOverflow())
      return
    }
    jobs.push(job)
    // Whoever awaits them comes later, and may never come.
    job.record.catch(() => undefined)
    if (pumping || stopped) return
    pumping = true
    pump().catch(onLost).finally(advanced)
  }

  async function pump(): Promise<void> {
    try {
      // Not in the caller's stack: that is the user's product.
      await pause()
      while (jobs.length > 0 && !stopped) {
        await until(() => pending.size < link.policy.window)
        if (stopped) return
        await commit(jobs.splice(0, Math.min(maxRecords, link.policy.window - pending.size)))
      }
    } finally {
      // At once, so that nothing is recorded between the last look at the jobs and this.
      pumping = false
    }
  }

  /** Announces operations, in one message, with the roots of the tensors that they introduce. */
  async function commit(batch: readonly Job[]): Promise<void> {
    const tensors: Control<'commit'>['tensors'] = []
    const records: OperationRecord[] = []
    for (const job of batch) {
      for (const { ready } of listed(job.snapshots)) {
        const { tensor, rows, cols, dtype, root } = (await ready).committed
        if (announced.has(tensor)) continue
        announced.add(tensor)
        tensors.push({ tensor, rows, cols, dtype, root })
      }
      records.push(await job.record)
    }
    if (stopped) return
    const sent = link.send('commit', { records, tensors })
    for (const [i, record] of records.entries()) {
      if (record.kind !== 'product') continue
      held?.stated(record)
      pending.set(record.sequence, { record, head: link.head, snapshots: batch[i]!.snapshots })
    }
    await sent
  }

  async function challenge(challenges: Control<'challenge'>['challenges']): Promise<void> {
    for (const { sequence, seed } of challenges) {
      const operation = pending.get(sequence)
      if (operation === undefined)
        throw new Error(`the verifier challenged operation ${sequence}, which is not pending`)
      if (seed !== undefined) {
        asked.push({ head: operation.head, sequence, seed })
        await open(operation, seed)
      }
      pending.delete(sequence)
      held?.done(sequence)
      for (const snapshot of listed(operation.snapshots)) store.release(snapshot)
      advanced()
    }
  }

  async function open({ record, snapshots }: Pending, seed: Uint8Array): Promise<void> {
    const sampled = sampledProduct(record)
    const rows = openedRows(sampled, link.sampler.plan(seed, unitShape(sampled)))
    const shown = await sources(record, rows, seed)
    const proofs: { [name in TensorName]?: TensorOpening } = {}
    const segments: Uint8Array[] = []
    for (const name of names) {
      const snapshot = snapshots[name]
      const wanted = rows[name]
      if (snapshot === undefined || wanted === undefined) continue
      const { matrix, committed } = await snapshot.ready
      const { opening, bytes } = openRows(matrix, committed, wanted)
      proofs[name] = opening
      segments.push(bytes)
    }
    const { a, c, ...others } = proofs
    const opening = { sequence: record.sequence, a: a!, c: c!, ...others }
    if (shown === undefined) await link.send('opening', opening, segments)
    else await link.send('opening', { ...opening, sources: shown.proofs }, [...segments, shown.bytes])
  }

  /** The rows from which sampled rows of an operation's tensors follow; undefined where nothing or not all can be shown. */
  async function sources(record: ProductRecord, opened: OpenedRowNumbers, seed: Uint8Array) {
    const needs = held?.needed(record, opened, seed) ?? []
    if (needs.length === 0) return undefined
    const parts: Uint8Array[] = []
    const proofs: NonNullable<Control<'opening'>['sources']> = []
    for (const { snapshot, rows } of needs) {
      const { matrix, committed } = await snapshot.ready
      const { opening, bytes } = openRows(matrix, committed, rows)
      proofs.push({ tensor: committed.tensor, ...opening })
      parts.push(bytes)
    }
    return { proofs, bytes: concatBytes(parts) }
  }

  /** Its tensors' numbers are known once they are committed to. */
  async function state(
    base: RecordBase,
    product: Product,
    vectors: VectorDigests | Promise<VectorDigests>,
    taken: Snapshots,
    digest: string | undefined,
  ): Promise<OperationRecord> {
    const numbered = names.map(async (name) => (await taken[name]?.ready)?.committed.tensor)
    const [a, c, b, addend] = await Promise.all(numbered)
    const right = digest === undefined ? { tensor: b! } : { digest }
    const tensors = { a: a!, b: right, c: c!, ...(addend !== undefined && { addend }) }
    return productRecord(base, product, await vectors, tensors)
  }

  /** An operation that is never opened. */
  function passed({ step, sequence }: RecordBase): void {
    held?.recorded(step, sequence, {})
    held?.done(sequence)
  }

  return {
    product(base: RecordBase, product: Product) {
      if (stopped) return
      const identity = weights.identify(product.b)
      if (identity instanceof Promise) {
        throw new TypeError('a backend whose `stored` is asynchronous is not supported in interactive mode')
      }
      const { a, b, c, addend } = product
      const handles = { a, c, ...(identity === undefined && { b }), ...(addend && { addend }) }
      const cost = Object.values(handles).reduce((sum, handle) => sum + store.cost(handle), 0)
      // What happens now is worth more than what an earlier step could show of itself.
      while (store.retainedBytes + cost > maxRetainedBytes && held?.dropOldest());
      if (store.retainedBytes + cost > maxRetainedBytes) {
        const reason = `its tensors of ${cost} bytes would not fit beside the ${store.retainedBytes} retained, of at most ${maxRetainedBytes}`
        const record = Promise.resolve(opaqueRecord(base, product, 'skipped', reason))
        passed(base)
        enqueue({ record, snapshots: {} })
        return
      }
      const vectors = digestVectors(product, weights)
      const taken: Snapshots = Object.fromEntries(
        Object.entries(handles).map(([name, handle]) => [name, store.take(handle)]),
      )
      held?.recorded(base.step, base.sequence, taken)
      const record = state(base, product, vectors, taken, identity)
      enqueue({ record, snapshots: taken })
    },
    opaque(record) {
      passed(record)
      enqueue({ record: Promise.resolve(record), snapshots: {} })
    },
    challenge,
    async committed() {
      await until(() => jobs.length === 0 && !pumping)
      return [...pending.keys()]
    },
    drained: () => until(() => jobs.length === 0 && pending.size === 0 && !pumping),
    ready() {
      const hasRoom = () => store.retainedBytes < maxRetainedBytes / 2
      // A step that did not run to its end keeps its tensors for nothing.
      return until(() => hasRoom() || (pending.size === 0 && jobs.length === 0 && !held?.dropOldest()))
    },
    fair: (key) =>
      asked.every(({ head, sequence, seed }) =>
        challengeSeed(key, head, sequence).every((byte, i) => byte === seed[i]),
      ),
    stop() {
      stopped = true
      jobs.length = 0
      pending.clear()
      held?.clear()
      store.clear()
      advanced()
    },
  }
}

function listed(snapshots: Snapshots): Snapshot[] {
  return names.flatMap((name) => snapshots[name] ?? [])
}
