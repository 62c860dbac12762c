export type { Backend, BackendSupport, Interception, ProductObserver } from './backend.ts'
export { checkEntry, type EntryResult, entryResult, type Outcome, toleranceFactor } from './checking/entry.ts'
export type { NumericActivation, NumericEpilogue } from './checking/epilogue.ts'
export { type FreivaldsResult, type FreivaldsVector, freivalds, visibleNorm } from './checking/freivalds.ts'
export { decode, type Elements, type PreparedMatrix, prepareMatrix, projectMatrix } from './checking/prepared.ts'
export { checkRow, type OpenedRow, type RejectedEntry, type RowCheck, type RowResult } from './checking/row.ts'
export { decodeFrame, encodeFrame, type Frame, frameLimits, protocolVersion } from './codec/frame.ts'
export {
  type Control,
  decodeMessage,
  encodeMessage,
  type MessageType,
  type Mode,
  modes,
  type OperationRecord,
  type ProductRecord,
  type ProtocolMessage,
  type TensorShape,
} from './codec/messages.ts'
export { challengeSeed, isAudited, keyCommitment, sessionId } from './commitment/challenge.ts'
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
export { bytesPerElement, type DType, dtypes, toFloat64 } from './dtype.ts'
export { AssayError, type AssayErrorCode } from './errors.ts'
export { type Matrix, row, rowBytes } from './matrix.ts'
export { type NumericProfile, type ProfileName, profiles } from './numerics/profile.ts'
export * from './product.ts'
export { createProver, type Prover, type ProverOptions } from './prover/prover.ts'
export { drawWithoutReplacement } from './random/draw.ts'
export { deriveSeed } from './random/seed.ts'
export { type RandomStream, randomStream } from './random/stream.ts'
export { cleanUpperBound, drawDetection, type SessionSampling, sessionDetection } from './sampling/detection.ts'
export { type GridOptions, grid } from './sampling/grid.ts'
export { type OpenedRowNumbers, openedRows, type SampledProduct, unitShape } from './sampling/opened-rows.ts'
export { samplerFactories, samplerNamed } from './sampling/registry.ts'
export { type RowsOptions, rows } from './sampling/rows.ts'
export type { Corruption, Sampler, SamplerFactory, SamplingPlan, UnitShape } from './sampling/sampler.ts'
export type {
  AbortOptions,
  Channel,
  DialOptions,
  Listener,
  ListenOptions,
  Message,
  Transport,
} from './transport.ts'
export {
  type Evidence,
  emptyVerdict,
  type Finding,
  type FindingReason,
  findingReasons,
  maxFindings,
  type Status,
  statuses,
  statusOf,
  type Verdict,
} from './verdict.ts'
export type { Weight, WeightStore } from './weights.ts'
