/** Bytes of a safetensors header. The reference implementation stops at 100 MB; the largest models need under 1 MiB. */
export const maxSafetensorsHeaderBytes = 16 * 2 ** 20

/** Bytes of a `.npy` header, of any version. NumPy writes 118 for an array of up to a dozen dimensions. */
export const maxNpyHeaderBytes = 65_535

/** Bytes of a `model.json`, which holds the model's topology as well as its weights manifest. */
export const maxModelJsonBytes = 64 * 2 ** 20

/** Tensors in one file, skipped ones included. */
export const maxTensors = 100_000

/** Shards in one `model.json`. The converter cuts shards of 4 MiB unless told otherwise, so this is 40 GB. */
export const maxShards = 10_000

/** Characters of a shard's path in a `model.json`. */
export const maxShardPathLength = 1024

/** Dimensions of one tensor; NumPy's own limit up to version 1. */
export const maxRank = 32

/**
 * Bytes of one tensor as the library holds it, that is after dequantisation: a tensor is read and hashed whole. In a
 * file of several tensors a larger one is listed under `skipped`.
 */
export const maxTensorBytes = 2 ** 31
