import { AssayError } from '@tensor-assay/core'
import { type ByteSource, quoted, unreadable } from './byte-source.ts'
import { packedBytes, type Quantisation } from './dequantise.ts'
import { isRecord, parseJson } from './json.ts'
import { maxModelJsonBytes, maxShardPathLength, maxShards, maxTensors } from './limits.ts'
import { shapeProblem } from './shape.ts'

/** Tensors that lie one after another in the bytes of `paths`, taken end to end. */
export interface ManifestGroup {
  /** Relative to the folder of `model.json`, inside it. */
  readonly paths: readonly string[]
  readonly entries: readonly ManifestEntry[]
}

export interface ManifestEntry {
  readonly name: string
  readonly dtype: keyof typeof elementBytes | 'string'
  readonly shape: readonly number[]
  readonly quantisation?: Quantisation
}

/** Bytes of an unquantised element in a shard. */
export const elementBytes = { float32: 4, int32: 4, bool: 1, uint8: 1, complex64: 8 } as const

/**
 * The weights manifest of a `model.json`, of a layers model or of a graph model.
 *
 * @throws {AssayError} `weights-unreadable` or `dtype-unsupported`.
 */
export async function readManifest(modelJson: ByteSource): Promise<ManifestGroup[]> {
  const { name, byteLength } = modelJson
  if (byteLength > maxModelJsonBytes) {
    throw unreadable(name, `${byteLength} bytes are over the limit of ${maxModelJsonBytes} for a model.json`)
  }
  const { value: model } = parseJson(name, await modelJson.read(0, byteLength))
  const manifest = isRecord(model) ? model.weightsManifest : undefined
  if (!Array.isArray(manifest)) throw unreadable(name, 'expected a model.json with a list weightsManifest')
  const groups = manifest.map((group) => parseGroup(name, group))
  const paths = groups.flatMap((group) => group.paths)
  const tensors = groups.reduce((sum, group) => sum + group.entries.length, 0)
  if (paths.length > maxShards) throw unreadable(name, `${paths.length} shards are over the limit of ${maxShards}`)
  if (tensors > maxTensors) throw unreadable(name, `${tensors} tensors are over the limit of ${maxTensors}`)
  // Otherwise a small manifest could ask for the same bytes to be hashed any number of times.
  if (new Set(paths).size < paths.length) throw unreadable(name, 'a shard is listed twice in weightsManifest')
  return groups
}

function parseGroup(source: string, group: unknown): ManifestGroup {
  const { paths, weights } = isRecord(group) ? group : {}
  if (!Array.isArray(paths) || !Array.isArray(weights)) {
    throw unreadable(source, 'expected every group of weightsManifest to have lists paths and weights')
  }
  return {
    paths: paths.map((path) => parsePath(source, path)),
    entries: weights.map((entry) => parseEntry(source, entry)),
  }
}

/** A path that names a file below the manifest's folder on every system, without a leading `./`. */
function parsePath(source: string, path: unknown): string {
  const text = typeof path === 'string' && path.length <= maxShardPathLength ? path : ''
  const segments = text.split('/').filter((segment) => segment !== '.')
  // A colon starts a drive, a stream or a URL; a backslash separates folders on Windows.
  const isInside =
    segments.length > 0 && segments.every((segment) => /^[^\\:\p{Cc}]+$/u.test(segment) && segment !== '..')
  if (!isInside) throw unreadable(source, `shard path ${quoted(path)} must name a file inside the folder of model.json`)
  return segments.join('/')
}

function parseEntry(source: string, entry: unknown): ManifestEntry {
  const { name, dtype, shape, quantization } = isRecord(entry) ? entry : {}
  if (typeof name !== 'string') throw unreadable(source, 'a weight of weightsManifest has no name')
  const where = `weight ${quoted(name)}`
  const problem = shapeProblem(shape)
  if (problem !== undefined) throw unreadable(source, `${where}: ${problem}`)
  if (!isStoredType(dtype)) {
    // Its size is unknown, so nothing after it could be found.
    throw new AssayError('dtype-unsupported', `${source}: ${where} has unknown dtype ${quoted(dtype)}`)
  }
  const common = { name, dtype, shape: shape as number[] }
  if (quantization === undefined) return common
  return { ...common, quantisation: parseQuantisation(`${source}: ${where}`, dtype, quantization) }
}

function isStoredType(dtype: unknown): dtype is ManifestEntry['dtype'] {
  return dtype === 'string' || (typeof dtype === 'string' && Object.hasOwn(elementBytes, dtype))
}

function parseQuantisation(where: string, dtype: ManifestEntry['dtype'], value: unknown): Quantisation {
  const { dtype: packed, scale, min } = isRecord(value) ? value : {}
  const unpacks = dtype === 'float32' || (dtype === 'int32' && packed !== 'float16')
  if (typeof packed !== 'string' || !Object.hasOwn(packedBytes, packed) || !unpacks) {
    throw new AssayError('dtype-unsupported', `${where}: TensorFlow.js does not unpack ${quoted(packed)} into ${dtype}`)
  }
  if (packed === 'float16') return { dtype: packed }
  if (!Number.isFinite(scale) || !Number.isFinite(min)) {
    throw unreadable(where, `expected finite scale and min, got ${quoted(scale)} and ${quoted(min)}`)
  }
  return { dtype: packed as 'uint8' | 'uint16', scale: scale as number, min: min as number }
}
