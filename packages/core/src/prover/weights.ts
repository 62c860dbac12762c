import { bytesToHex } from '@noble/hashes/utils.js'
import { weightDigest } from '../commitment/weight.ts'
import type { RightOperand, StoredTensor } from '../product.ts'
import { weightEntryBytes } from '../weights.ts'

/** Digests of what the library still holds: a model's weights are hashed once, however many sessions audit it. */
const computed = new WeakMap<object, string>()

/** Which tensors the verifier knows. */
export interface KnownWeights {
  /** The digest of B if the verifier holds it, else undefined. */
  identify(b: RightOperand): Promise<string | undefined> | string | undefined
  /** The digest of a vector, whether the verifier holds it or not. */
  digest(stored: StoredTensor): string
}

/** @param list - {@link weightList} of the verifier's store. */
export function knownWeights(list: Uint8Array): KnownWeights {
  const digests = new Set<string>()
  const lengths = new Set<number>()
  const view = new DataView(list.buffer, list.byteOffset, list.byteLength)
  for (let offset = 0; offset + weightEntryBytes <= list.length; offset += weightEntryBytes) {
    digests.add(bytesToHex(list.subarray(offset, offset + 32)))
    lengths.add(Number(view.getBigUint64(offset + 32, true)))
  }
  function digest(stored: StoredTensor): string {
    let value = computed.get(stored.key)
    if (value === undefined) {
      value = weightDigest(stored.dtype, stored.bytes)
      computed.set(stored.key, value)
    }
    return value
  }

  function identify(stored: StoredTensor): string | undefined {
    // Hashing is for tensors that can be a weight at all: most activations differ from every weight in length.
    if (!lengths.has(stored.byteLength)) return undefined
    const value = digest(stored)
    return digests.has(value) ? value : undefined
  }

  return {
    digest,
    identify(b) {
      if (b.role === 'activation') return undefined
      const stored = b.stored()
      return stored instanceof Promise ? stored.then(identify) : identify(stored)
    },
  }
}
