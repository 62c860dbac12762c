import type { DType, Weight } from '@tensor-assay/core'
import { type ByteSource, quoted, truncated, unreadable } from './byte-source.ts'
import { concatSource } from './concat-source.ts'
import { dequantise, packedBytes } from './dequantise.ts'
import { elementCount } from './shape.ts'
import { fileStore, type LoadedWeights, loadWeight, overSize, type SkippedTensor, type StoredTensor } from './store.ts'
import { elementBytes, type ManifestEntry, type ManifestGroup, readManifest } from './tfjs-manifest.ts'

/**
 * The weights of a TensorFlow.js `model.json`, layers model or graph model, as the library holds them once loaded:
 * quantised tensors are unpacked, and `bool` is `uint8`. Text and complex tensors are listed under `skipped`.
 *
 * Each group's shards hold its tensors and nothing else, so that reading group by group and reading all groups as one
 * stream, which TensorFlow.js both does, give the same weights.
 *
 * @param openShard - Opens a path of the manifest, which has been checked to lead to a place below the folder of
 *   `model.json`.
 * @throws {AssayError} `weights-unreadable`, `weights-truncated`, or `dtype-unsupported`.
 */
export async function readTfjs(
  modelJson: ByteSource,
  openShard: (path: string) => Promise<ByteSource>,
): Promise<LoadedWeights> {
  const weights: Weight[] = []
  const skipped: SkippedTensor[] = []
  for (const group of await readManifest(modelJson)) {
    const shards = await openGroup(modelJson.name, group, openShard)
    let offset = 0
    for (const entry of group.entries) {
      const byteLength = await storedLength(shards, entry, offset)
      if (offset + byteLength > shards.byteLength) {
        throw truncated(shards.name, `weight ${quoted(entry.name)}`, offset + byteLength, shards.byteLength)
      }
      const tensor = storedTensor(shards, entry, offset, byteLength)
      offset += byteLength
      if ('reason' in tensor) skipped.push(tensor)
      else weights.push(await loadWeight(modelJson.name, tensor))
    }
    if (offset < shards.byteLength) {
      throw unreadable(shards.name, `${shards.byteLength - offset} bytes at the end belong to no weight`)
    }
  }
  return fileStore(modelJson.name, weights, skipped)
}

async function openGroup(
  name: string,
  { paths }: ManifestGroup,
  openShard: (path: string) => Promise<ByteSource>,
): Promise<ByteSource> {
  const shards: ByteSource[] = []
  for (const path of paths) shards.push(await openShard(path))
  const [first] = shards
  const label = first === undefined ? `${name}, a group without shards` : `${first.name} and ${shards.length - 1} more`
  return concatSource(shards.length === 1 ? first!.name : label, shards)
}

/** Bytes that `entry` takes in its shards. */
async function storedLength(shards: ByteSource, entry: ManifestEntry, offset: number): Promise<number> {
  const count = elementCount(entry.shape)
  if (entry.dtype === 'string') return stringsLength(shards, entry, offset)
  return count * (entry.quantisation ? packedBytes[entry.quantisation.dtype] : elementBytes[entry.dtype])
}

/** Each string is a four-byte little-endian length and that many bytes. */
async function stringsLength(shards: ByteSource, { name, shape }: ManifestEntry, offset: number): Promise<number> {
  const windowBytes = 2 ** 16
  let window: DataView = new DataView(new ArrayBuffer(0))
  let windowStart = 0
  let end = offset
  for (let left = elementCount(shape); left > 0; left--) {
    // Every string left needs its length at least, which also bounds the loop by the size of the shards.
    const needed = end + 4 * left
    if (needed > shards.byteLength) throw truncated(shards.name, `weight ${quoted(name)}`, needed, shards.byteLength)
    if (end < windowStart || end + 4 > windowStart + window.byteLength) {
      const bytes = await shards.read(end, Math.min(windowBytes, shards.byteLength - end))
      window = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      windowStart = end
    }
    end += 4 + window.getUint32(end - windowStart, true)
  }
  return end - offset
}

function storedTensor(
  shards: ByteSource,
  { name, dtype: stored, shape, quantisation }: ManifestEntry,
  offset: number,
  byteLength: number,
): StoredTensor | SkippedTensor {
  if (stored === 'string' || stored === 'complex64') {
    return {
      name,
      code: 'dtype-unsupported',
      reason: `${stored} tensors take no part in matrix products of real numbers`,
    }
  }
  const dtype: DType = stored === 'bool' ? 'uint8' : stored
  const tensor = {
    name,
    dtype,
    shape,
    async read() {
      const bytes = await shards.read(offset, byteLength)
      if (quantisation === undefined) return bytes
      return dequantise(bytes, quantisation, dtype as 'float32' | 'int32')
    },
  }
  return overSize(tensor) ?? tensor
}
