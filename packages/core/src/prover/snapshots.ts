import type { Committer } from '../commitment/committer.ts'
import { leafRowsOf } from '../commitment/leaves.ts'
import { digestBytes } from '../commitment/merkle.ts'
import { type CommittedTensor, saltBytes } from '../commitment/tensor.ts'
import { bytesPerElement } from '../dtype.ts'
import type { Matrix } from '../matrix.ts'
import type { TensorHandle } from '../product.ts'
import { bufferPool } from './buffer-pool.ts'

/** A whole tensor as it was when a product read or wrote it, kept until every product that uses it is done. */
export interface Snapshot {
  readonly ready: Promise<CommittedSnapshot>
}

export interface CommittedSnapshot {
  readonly matrix: Matrix
  readonly committed: CommittedTensor
}

/**
 * Takes snapshots, has them committed to and counts their bytes. A tensor that several products use at the same time is
 * copied and committed to once, and keeps its number for as long as the library keeps it unchanged.
 */
export interface Snapshots {
  readonly retainedBytes: number
  /** Bytes that a snapshot of `handle` would add. */
  cost(handle: TensorHandle): number
  /** Copies the tensor at once; its commitment follows. */
  take(handle: TensorHandle): Snapshot
  /** Keeps a snapshot, as another `take` of its tensor would. */
  retain(snapshot: Snapshot): void
  /** The counterpart of each `take` and `retain`, once the snapshot is ready. */
  release(snapshot: Snapshot): void
  clear(): void
}

export interface SnapshotsOptions {
  readonly session: Uint8Array
  readonly committer: Committer
  /** Memory kept for the next snapshots, bytes. */
  readonly maxIdleBytes: number
}

/** What is remembered of a tensor as long as the library keeps it. */
interface Known {
  tensor: number
  root?: Uint8Array
  snapshot?: Snapshot
  uses: number
}

export function snapshots({ session, committer, maxIdleBytes }: SnapshotsOptions): Snapshots {
  const pool = bufferPool(maxIdleBytes)
  const saltKey = crypto.getRandomValues(new Uint8Array(32))
  const owners = new WeakMap<Snapshot, { readonly tensor: Known; readonly bytes: number }>()
  let known = new WeakMap<object, Known>()
  let tensors = 0
  let retainedBytes = 0

  /** Of the tensor, and of the hashes and salts that open it. */
  const bytesOf = (handle: TensorHandle) =>
    handle.rows * handle.cols * bytesPerElement[handle.dtype] +
    Math.ceil(handle.rows / leafRowsOf(handle)) * (2 * digestBytes + saltBytes)

  async function commit(tensor: Known, reading: Matrix | Promise<Matrix>): Promise<CommittedSnapshot> {
    let matrix = await reading
    const leafRows = leafRowsOf(matrix)
    let { committed, bytes } = await committer.commit({ session, tensor: tensor.tensor, matrix, leafRows, saltKey })
    matrix = { ...matrix, bytes }
    if (tensor.root !== undefined && !tensor.root.every((byte, i) => byte === committed.root[i])) {
      // The library wrote into it since it was last used: that is another tensor.
      tensor.tensor = tensors++
      ;({ committed, bytes } = await committer.commit({ session, tensor: tensor.tensor, matrix, leafRows, saltKey }))
      matrix = { ...matrix, bytes }
    }
    tensor.root = committed.root
    return { matrix, committed }
  }

  return {
    get retainedBytes() {
      return retainedBytes
    },
    cost: (handle) => (known.get(handle.key)?.snapshot ? 0 : bytesOf(handle)),
    take(handle) {
      let tensor = known.get(handle.key)
      if (tensor === undefined) {
        tensor = { tensor: tensors++, uses: 0 }
        known.set(handle.key, tensor)
      }
      if (tensor.snapshot === undefined) {
        const reading = handle.read(undefined, pool.acquire)
        tensor.snapshot = { ready: commit(tensor, reading) }
        tensor.snapshot.ready.catch(() => undefined)
        const bytes = bytesOf(handle)
        owners.set(tensor.snapshot, { tensor, bytes })
        retainedBytes += bytes
      }
      tensor.uses++
      return tensor.snapshot
    },
    retain(snapshot) {
      owners.get(snapshot)!.tensor.uses++
    },
    release(snapshot) {
      const { tensor, bytes } = owners.get(snapshot)!
      if (--tensor.uses > 0) return
      delete tensor.snapshot
      snapshot.ready.then(
        ({ matrix }) => {
          retainedBytes -= bytes
          pool.release(matrix.bytes)
        },
        () => undefined,
      )
    },
    clear() {
      known = new WeakMap()
      retainedBytes = 0
      pool.clear()
    },
  }
}
