import type { Control, OperationRecord, ProductRecord } from '../codec/messages.ts'
import { challengeSeed } from '../commitment/challenge.ts'
import { type CommittedTensor, commitTensorInSteps, openTensor, type TensorOpening } from '../commitment/tensor.ts'
import { type Matrix, rowBytes } from '../matrix.ts'
import type { Product } from '../product.ts'
import { openedRows, unitShape } from '../sampling/opened-rows.ts'
import type { ProverLink } from './link.ts'
import type { ProverMode } from './mode.ts'
import { pause } from './pause.ts'
import { digestVectors, opaqueRecord, productRecord, type RecordBase } from './recorder.ts'
import { type Snapshot, snapshots } from './snapshots.ts'
import type { KnownWeights } from './weights.ts'

export interface InteractiveOptions {
  readonly link: ProverLink
  readonly weights: KnownWeights
  /** Bytes of snapshots, at most; an operation beyond it is skipped, and said to be. */
  readonly maxRetainedBytes: number
  readonly onLost: (error: unknown) => void
}

interface Job {
  readonly record: OperationRecord | Promise<OperationRecord>
  readonly tensors: readonly Snapshot[]
}

/** An operation that is committed to and waits for its challenge. */
interface Pending {
  readonly record: ProductRecord
  readonly head: Uint8Array
  readonly a: Snapshot
  readonly c: Snapshot
  readonly b: Snapshot | undefined
}

interface Asked {
  readonly head: Uint8Array
  readonly sequence: number
  readonly seed: Uint8Array
}

/** Keeps whole tensors until they are committed to, challenged and opened. */
export function interactiveMode({ link, weights, maxRetainedBytes, onLost }: InteractiveOptions): ProverMode {
  const store = snapshots(maxRetainedBytes)
  const saltKey = crypto.getRandomValues(new Uint8Array(32))
  const jobs: Job[] = []
  const pending = new Map<number, Pending>()
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
    jobs.push(job)
    if (pumping || stopped) return
    pumping = true
    pump()
      .catch(onLost)
      .finally(() => {
        pumping = false
        advanced()
      })
  }

  async function pump(): Promise<void> {
    // Not in the caller's stack: that is the user's product.
    await pause()
    while (jobs.length > 0 && !stopped) {
      await until(() => pending.size < link.policy.window)
      if (stopped) return
      await commit(jobs.shift()!)
    }
  }

  async function commit({ record: stating, tensors }: Job): Promise<void> {
    const roots: Control<'commit'>['tensors'] = []
    for (const snapshot of tensors) {
      if (snapshot.known.committed !== undefined) continue
      const matrix = await snapshot.matrix
      const committed = await commitTensorInSteps(
        link.suite,
        { session: link.session, tensor: snapshot.tensor, matrix, saltKey },
        pause,
      )
      snapshot.known.committed = committed
      roots.push({
        tensor: committed.tensor,
        rows: committed.rows,
        cols: committed.cols,
        dtype: committed.dtype,
        root: committed.root,
      })
    }
    const record = await stating
    if (stopped) return
    const sent = link.send('commit', { records: [record], tensors: roots })
    if (record.kind === 'product') {
      const [a, c, b] = tensors as [Snapshot, Snapshot, Snapshot | undefined]
      pending.set(record.sequence, { record, head: link.head, a, b, c })
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
      for (const snapshot of [operation.a, operation.c, operation.b]) if (snapshot) store.release(snapshot)
      advanced()
    }
  }

  async function open({ record, a, c, b }: Pending, seed: Uint8Array): Promise<void> {
    const sampled = { layout: record.layout, right: record.b.kind }
    const rows = openedRows(sampled, link.sampler.plan(seed, unitShape(sampled)))
    const parts = [
      openRows(await a.matrix, a.known.committed!, rows.a),
      openRows(await c.matrix, c.known.committed!, rows.c),
    ]
    if (b && rows.b) parts.push(openRows(await b.matrix, b.known.committed!, rows.b))
    const [openedA, openedC, openedB] = parts
    await link.send(
      'opening',
      {
        sequence: record.sequence,
        a: openedA!.opening,
        c: openedC!.opening,
        ...(openedB === undefined ? {} : { b: openedB.opening }),
      },
      parts.map((part) => part.bytes),
    )
  }

  return {
    product(base: RecordBase, product: Product) {
      if (stopped) return
      const identity = weights.identify(product.b)
      const vectors = digestVectors(product, weights)
      const cost = store.cost(product.a) + store.cost(product.c) + (identity === undefined ? store.cost(product.b) : 0)
      if (store.retainedBytes + cost > maxRetainedBytes) {
        const reason = `its tensors of ${cost} bytes would not fit beside the ${store.retainedBytes} retained, of at most ${maxRetainedBytes}`
        enqueue({ record: opaqueRecord(base, product, 'skipped', reason), tensors: [] })
        return
      }
      const a = store.take(product.a)
      const c = store.take(product.c)
      const b = identity === undefined ? store.take(product.b) : undefined
      if (identity instanceof Promise) {
        throw new TypeError('a backend whose `stored` is asynchronous is not supported in interactive mode')
      }
      const right = b === undefined ? { digest: identity! } : { tensor: b.tensor }
      const record = productRecord(base, product, vectors, { a: a.tensor, b: right, c: c.tensor })
      record.catch(() => undefined)
      enqueue({ record, tensors: b === undefined ? [a, c] : [a, c, b] })
    },
    opaque(record) {
      enqueue({ record, tensors: [] })
    },
    challenge,
    drained: () => until(() => jobs.length === 0 && pending.size === 0 && !pumping),
    ready: () => until(() => store.retainedBytes < maxRetainedBytes / 2),
    fair: (key) =>
      asked.every(({ head, sequence, seed }) =>
        challengeSeed(key, head, sequence).every((byte, i) => byte === seed[i]),
      ),
    stop() {
      stopped = true
      jobs.length = 0
      pending.clear()
      store.clear()
      advanced()
    },
  }
}

/** The named rows one after the other, with what binds them to the commitment. */
function openRows(
  matrix: Matrix,
  committed: CommittedTensor,
  rows: Uint32Array,
): { bytes: Uint8Array; opening: TensorOpening } {
  const stride = rowBytes(matrix)
  const bytes = new Uint8Array(rows.length * stride)
  for (const [i, index] of rows.entries()) {
    bytes.set(matrix.bytes.subarray(index * stride, (index + 1) * stride), i * stride)
  }
  return { bytes, opening: openTensor(committed, rows) }
}
