import { bytesSource, type LoadedWeights, readTfjs } from '../../src/index.ts'

/** A store of one group over `shards`, from memory. */
export function readGroup(specs: readonly object[], ...shards: readonly Uint8Array[]): Promise<LoadedWeights> {
  return readManifest([{ paths: shards.map((_, i) => `shard${i}.bin`), weights: specs }], ...shards)
}

/** A store of a `model.json` whose shard paths hold an index into `shards`. */
export function readManifest(weightsManifest: unknown, ...shards: readonly Uint8Array[]): Promise<LoadedWeights> {
  const json = new TextEncoder().encode(JSON.stringify({ modelTopology: {}, weightsManifest }))
  return readTfjs(bytesSource(json, 'model.json'), async (path) => {
    return bytesSource(shards[Number(/\d+/.exec(path)?.[0])]!, path)
  })
}
