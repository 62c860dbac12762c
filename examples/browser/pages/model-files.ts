import {
  blobSource,
  combineWeights,
  type LoadedWeights,
  memoryWeights,
  readNpy,
  readOnnx,
  readSafetensors,
  readTfjs,
} from '@tensor-assay/verifier'

/** An ONNX model is read whole, bytes. */
const maxOnnxBytes = 2 ** 30

/** What the chosen files are, by their names: a model, its shards, and a receipt. */
export interface Sorted {
  readonly models: readonly File[]
  readonly shards: readonly File[]
  readonly receipts: readonly File[]
}

export function sorted(files: readonly File[]): Sorted {
  const models = files.filter(({ name }) => /\.(npy|safetensors|onnx|json)$/i.test(name))
  const shards = files.filter(({ name }) => /\.bin$|^group\d+-shard\d+of\d+$/i.test(name))
  const receipts = files.filter((file) => !models.includes(file) && !shards.includes(file))
  // The order in which files were dropped means nothing.
  const byName = (a: File, b: File) => (a.name < b.name ? -1 : 1)
  return { models: models.sort(byName), shards, receipts }
}

/**
 * The public weights in the files.
 *
 * @throws {AssayError} If one of them cannot be read, or a shard is missing.
 */
export async function weightsOf({ models, shards }: Sorted): Promise<LoadedWeights> {
  const stores = []
  for (const model of models) stores.push(await read(model, shards))
  return combineWeights(...stores)
}

async function read(file: File, shards: readonly File[]) {
  const source = blobSource(file, file.name)
  const format = file.name.toLowerCase().split('.').at(-1)
  if (format === 'safetensors') return readSafetensors(source)
  if (format === 'npy') {
    const weight = await readNpy(source, file.name.replace(/\.npy$/i, ''))
    return memoryWeights([{ ...weight, data: await weight.read() }])
  }
  if (format === 'onnx') {
    if (file.size > maxOnnxBytes)
      throw new Error(`${file.name} has more than ${maxOnnxBytes} bytes; check it with the command assay`)
    const buffer = await file.arrayBuffer()
    const view = (offset: number, length: number) => new Uint8Array(buffer, offset, length)
    return readOnnx({ name: file.name, byteLength: buffer.byteLength, view })
  }
  return readTfjs(source, async (path) => {
    const shard = shards.find(({ name }) => name === path.split('/').at(-1))
    if (shard === undefined) throw new Error(`${file.name} needs its shard ${path}: drop that file as well`)
    return blobSource(shard, shard.name)
  })
}
