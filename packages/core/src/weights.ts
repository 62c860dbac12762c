import { hexToBytes } from '@noble/hashes/utils.js'
import type { DType } from './dtype.ts'

/** A public tensor that the verifier holds. */
export interface Weight {
  /** For people to read; never used to decide anything. */
  readonly name: string
  readonly dtype: DType
  /** As the file states it, row-major. */
  readonly shape: readonly number[]
  readonly byteLength: number
  /** {@link weightDigest} of the bytes, hexadecimal: the only identity a weight has. */
  readonly digest: string
  /** The elements, little-endian, row-major. */
  read(): Promise<Uint8Array>
}

/** Public weights by digest. */
export interface WeightStore {
  readonly weights: readonly Weight[]
  find(digest: string): Weight | undefined
}

/** Bytes of an entry of {@link weightList}. */
export const weightEntryBytes = 40

/**
 * What a policy says of a store: for each weight its digest (32 bytes) and its length in bytes (u64, little-endian), by
 * digest, so that it is the same whatever file the weights come from.
 */
export function weightList(store: WeightStore): Uint8Array {
  const list = new Uint8Array(store.weights.length * weightEntryBytes)
  const view = new DataView(list.buffer)
  const weights = [...store.weights].sort((a, b) => (a.digest < b.digest ? -1 : a.digest > b.digest ? 1 : 0))
  for (const [i, { digest, byteLength }] of weights.entries()) {
    list.set(hexToBytes(digest), weightEntryBytes * i)
    view.setBigUint64(weightEntryBytes * i + 32, BigInt(byteLength), true)
  }
  return list
}
