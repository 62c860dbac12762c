export { encodeFields, type Field, float64Field } from './commitment/fields.ts'
export { buildTree, type MerkleTree } from './commitment/merkle.ts'
export { multiproof, rootFromMultiproof } from './commitment/multiproof.ts'
export { type HashSuite, loadSuite, type SuiteId, sha256 } from './commitment/suite.ts'
export {
  type CommitInput,
  type CommittedTensor,
  commitTensor,
  commitTensorInSteps,
  type OpenedRows,
  openTensor,
  saltBytes,
  type TensorOpening,
  type TensorPlace,
  verifyOpening,
} from './commitment/tensor.ts'
export { type Direction, joinHeads, type Transcript, transcript } from './commitment/transcript.ts'
export { weightDigest } from './commitment/weight.ts'
export { drawWithoutReplacement } from './random/draw.ts'
export { deriveSeed } from './random/seed.ts'
export { type RandomStream, randomStream } from './random/stream.ts'
export { cleanUpperBound, drawDetection, type SessionSampling, sessionDetection } from './sampling/detection.ts'
export { type GridOptions, grid } from './sampling/grid.ts'
export { samplerFactories, samplerNamed } from './sampling/registry.ts'
export { type RowsOptions, rows } from './sampling/rows.ts'
export type { Corruption, Sampler, SamplerFactory, SamplingPlan, UnitShape } from './sampling/sampler.ts'
