import type { CommittedTensor } from '../commitment/tensor.ts'
import { bytesPerElement } from '../dtype.ts'
import type { Matrix } from '../matrix.ts'
import type { TensorHandle } from '../product.ts'
import { bufferPool } from './buffer-pool.ts'

/** A whole tensor as it was when a product read or wrote it, kept until every product that uses it is done. */
export interface Snapshot {
  /** Number of the tensor in the session. */
  readonly tensor: number
  readonly matrix: Promise<Matrix> | Matrix
  readonly known: KnownTensor
}

/** What is remembered of a tensor after its bytes are gone. */
export interface KnownTensor {
  readonly tensor: number
  committed?: CommittedTensor
  snapshot?: Snapshot
  uses: number
}

/**
 * Takes snapshots and counts their bytes. A tensor that several products use at the same time is copied once, and keeps
 * its number and its commitment for as long as the library keeps the tensor.
 */
export interface Snapshots {
  readonly retainedBytes: number
  /** Bytes that a snapshot of `handle` would add. */
  cost(handle: TensorHandle): number
  take(handle: TensorHandle): Snapshot
  /** The counterpart of each `take`. */
  release(snapshot: Snapshot): void
  clear(): void
}

/** @param maxIdleBytes - Memory kept for the next snapshots. */
export function snapshots(maxIdleBytes: number): Snapshots {
  const pool = bufferPool(maxIdleBytes)
  let known = new WeakMap<object, KnownTensor>()
  let tensors = 0
  let retainedBytes = 0

  const bytesOf = (handle: TensorHandle) => handle.rows * handle.cols * bytesPerElement[handle.dtype]

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
        const matrix = handle.read(undefined, pool.acquire)
        tensor.snapshot = { tensor: tensor.tensor, matrix, known: tensor }
        retainedBytes += bytesOf(handle)
      }
      tensor.uses++
      return tensor.snapshot
    },
    release(snapshot) {
      const { known: tensor } = snapshot
      if (--tensor.uses > 0) return
      delete tensor.snapshot
      const giveBack = (matrix: Matrix) => {
        retainedBytes -= matrix.bytes.length
        pool.release(matrix.bytes)
      }
      if (snapshot.matrix instanceof Promise) snapshot.matrix.then(giveBack, () => undefined)
      else giveBack(snapshot.matrix)
    },
    clear() {
      known = new WeakMap()
      retainedBytes = 0
      pool.clear()
    },
  }
}
