export { blobSource } from './blob-source.ts'
export { type ByteSource, bytesSource } from './byte-source.ts'
export { combineWeights } from './combine.ts'
export {
  maxModelJsonBytes,
  maxNpyHeaderBytes,
  maxRank,
  maxSafetensorsHeaderBytes,
  maxShardPathLength,
  maxShards,
  maxTensorBytes,
  maxTensors,
} from './limits.ts'
export { type MemoryWeight, memoryWeights, type WeightArray } from './memory.ts'
export { readNpy } from './npy.ts'
export { readOnnx } from './onnx/read-onnx.ts'
export { readSafetensors } from './safetensors.ts'
export type { LoadedWeights, SkippedTensor } from './store.ts'
export { readTfjs } from './tfjs.ts'
