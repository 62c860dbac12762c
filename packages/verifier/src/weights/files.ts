import { realpath } from 'node:fs/promises'
import { basename, dirname, extname, isAbsolute, join, relative, sep } from 'node:path'
import { externalBytes, openFile } from '@tensor-assay/onnx-model/node'
import { type ByteSource, unreadable } from './byte-source.ts'
import { fileSource } from './file-source.ts'
import { isNpy, readNpy } from './npy.ts'
import { readOnnx } from './onnx/read-onnx.ts'
import { isSafetensors, readSafetensors } from './safetensors.ts'
import { type LoadedWeights, weightStore } from './store.ts'
import { readTfjs } from './tfjs.ts'

/**
 * The weights of a file in any of the formats below, chosen by its extension, or by its first bytes where the extension
 * is another. The file is read once for its digests and again, in ranges, for every weight that is used.
 *
 * @throws {AssayError} `weights-unreadable`, `weights-truncated`, or `dtype-unsupported`; the message names the file.
 *
 * @example
 * ```ts
 * const store = await weights('model.safetensors')
 * for (const { name, dtype, shape } of store.weights) console.log(name, dtype, shape)
 * for (const { name, reason } of store.skipped) console.warn(`cannot be checked: ${name}, ${reason}`)
 * ```
 */
export async function weights(path: string): Promise<LoadedWeights> {
  const source = await fileSource(path)
  const load = byExtension[extname(path).toLowerCase()] ?? (await byContents(source))
  if (load === undefined) throw unreadable(path, 'unknown format, expected .npy, .safetensors, .onnx or model.json')
  return load(path)
}

/** One array to a file; a weight is named for its file, without the extension. See {@link readNpy}. */
export async function npyWeights(paths: string | readonly string[]): Promise<LoadedWeights> {
  const loaded = []
  for (const path of [paths].flat()) loaded.push(await readNpy(await fileSource(path), basename(path, '.npy')))
  return weightStore(loaded)
}

/** See {@link readSafetensors}. */
export async function safetensorsWeights(path: string): Promise<LoadedWeights> {
  return readSafetensors(await fileSource(path))
}

/**
 * The shards are looked for beside `model.json`, and nothing outside its folder is read, not even through a symbolic
 * link. See {@link readTfjs}.
 *
 * @param path - Of `model.json`.
 */
export async function tfjsWeights(path: string): Promise<LoadedWeights> {
  const folder = dirname(path)
  return readTfjs(await fileSource(path), async (shardPath) => {
    const shard = join(folder, shardPath)
    const source = await fileSource(shard)
    const way = relative(await realpath(folder), await realpath(shard))
    if (way === '..' || way.startsWith(`..${sep}`) || isAbsolute(way)) {
      throw unreadable(shard, 'this shard is a link that leads out of the folder of model.json; copy the file there')
    }
    return source
  })
}

/** External data is looked for beside the model, and nothing outside its folder is read. See {@link readOnnx}. */
export async function onnxWeights(path: string): Promise<LoadedWeights> {
  const folder = dirname(path)
  // Stays open for as long as the store is used: weights are read when they are needed.
  return readOnnx(openFile(path), (tensor) => externalBytes(folder, tensor))
}

const byExtension: Readonly<Partial<Record<string, (path: string) => Promise<LoadedWeights>>>> = {
  '.npy': npyWeights,
  '.safetensors': safetensorsWeights,
  '.json': tfjsWeights,
  '.onnx': onnxWeights,
}

async function byContents(source: ByteSource) {
  const head = await source.read(0, Math.min(9, source.byteLength))
  if (isNpy(head)) return npyWeights
  if (isSafetensors(head)) return safetensorsWeights
  return head[0] === 0x7b ? tfjsWeights : undefined
}
