import {
  AssayError,
  type AssayErrorCode,
  bytesPerElement,
  type DType,
  type Weight,
  type WeightStore,
  weightDigest,
} from '@tensor-assay/core'
import { quoted, unreadable } from './byte-source.ts'
import { maxTensorBytes } from './limits.ts'
import { elementCount } from './shape.ts'

/** A tensor that a file declares and its store does not hold. */
export interface SkippedTensor {
  readonly name: string
  /** The error that a file of this tensor alone gives. */
  readonly code: AssayErrorCode
  readonly reason: string
}

/**
 * The weights of a file.
 *
 * Every tensor that the file declares is in `weights` or in `skipped`. A skipped tensor (text, an element type outside
 * `DType`, over `maxTensorBytes`) does not keep the others from being checked; a product that uses it names a digest
 * that the store does not know.
 */
export interface LoadedWeights extends WeightStore {
  readonly skipped: readonly SkippedTensor[]
}

/** What a parser found out about a tensor, and how to get at its elements. */
export interface StoredTensor {
  readonly name: string
  readonly dtype: DType
  readonly shape: readonly number[]
  /** A new buffer on every call: the elements, little-endian, row-major. */
  read(): Promise<Uint8Array>
}

/** Reads `tensor` once for its digest. The bytes are not kept: the weight reads them again and checks the digest. */
export async function loadWeight(sourceName: string, tensor: StoredTensor): Promise<Weight> {
  const { name, dtype, shape } = tensor
  const digest = weightDigest(dtype, await tensor.read())
  return Object.freeze({
    name,
    dtype,
    shape: Object.freeze([...shape]),
    byteLength: elementCount(shape) * bytesPerElement[dtype],
    digest,
    async read() {
      const bytes = await tensor.read()
      if (weightDigest(dtype, bytes) !== digest) {
        throw unreadable(
          sourceName,
          `the bytes of tensor ${quoted(name)} have changed since it was loaded; load it again`,
        )
      }
      return bytes
    },
  })
}

/** `tensor` as skipped if it is larger than a tensor may be. */
export function overSize(tensor: Omit<StoredTensor, 'read'>): SkippedTensor | undefined {
  const byteLength = elementCount(tensor.shape) * bytesPerElement[tensor.dtype]
  if (byteLength <= maxTensorBytes) return undefined
  return {
    name: tensor.name,
    code: 'weights-unreadable',
    reason: `${byteLength} bytes are over the limit of ${maxTensorBytes} for one tensor`,
  }
}

/** A store of `weights`; where two have the same digest, `find` gives the first. */
export function weightStore(weights: readonly Weight[], skipped: readonly SkippedTensor[] = []): LoadedWeights {
  const byDigest = new Map<string, Weight>()
  for (const weight of weights) if (!byDigest.has(weight.digest)) byDigest.set(weight.digest, weight)
  return Object.freeze({
    weights: Object.freeze([...weights]),
    skipped: Object.freeze([...skipped]),
    find: (digest: string) => byDigest.get(digest),
  })
}

/**
 * The store of a file's tensors.
 *
 * @throws {AssayError} The first skipped tensor's code, if all were skipped: nothing could be checked against it.
 */
export function fileStore(
  sourceName: string,
  weights: readonly Weight[],
  skipped: readonly SkippedTensor[],
): LoadedWeights {
  const first = skipped[0]
  if (weights.length === 0 && first !== undefined) {
    throw new AssayError(
      first.code,
      `${sourceName}: none of its ${skipped.length} tensors can be held; ${quoted(first.name)}: ${first.reason}`,
    )
  }
  return weightStore(weights, skipped)
}
