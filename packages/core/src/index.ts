export type {
  Backend,
  BackendSupport,
  ForeseenProduct,
  ForeseenRows,
  Interception,
  ProductObserver,
} from './backend.ts'
export { excerpt } from './codec/excerpt.ts'
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
  receiptMode,
  type TensorShape,
} from './codec/messages.ts'
export { challengeSeed, isAudited, isStepRead, keyCommitment, sessionId } from './commitment/challenge.ts'
export { encodeFields, type Field, float64Field } from './commitment/fields.ts'
export { leafRowsOf, leavesOf, rowsOfLeaves, rowsToOpen } from './commitment/leaves.ts'
export { buildTree, type MerkleTree } from './commitment/merkle.ts'
export { multiproof, rootFromMultiproof } from './commitment/multiproof.ts'
export { type HashSuite, loadSuite, type SuiteId, sha256 } from './commitment/suite.ts'
export {
  type CommitInput,
  type CommittedTensor,
  commitTensor,
  commitTensorInSteps,
  type OpenedRows,
  openRows,
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
export {
  createIdentity,
  fingerprint,
  type Identity,
  isSignedBy,
  parseFingerprint,
} from './identity/identity.ts'
export { isSigned, sign, statements } from './identity/statements.ts'
export {
  batchShape,
  type ConvolutionLayout,
  type Geometry,
  geometryOf,
  type Layout,
  type MatmulLayout,
  type RowLookup,
} from './layout.ts'
export {
  type Manifest,
  type ManifestOperation,
  type ManifestProduct,
  manifestDigest,
  operandNames,
  parseManifest,
  statesRelations,
} from './manifest/manifest.ts'
export { mismatch } from './manifest/match.ts'
export { type RecordManifestOptions, recordManifest } from './manifest/record.ts'
export { type Matrix, row, rowBytes } from './matrix.ts'
export { honestRmsBound } from './numerics/aggregate.ts'
export {
  type CalibrateOptions,
  type CalibrationReport,
  type CalibrationShape,
  calibrate,
  calibrationShapes,
  type Measured,
} from './numerics/calibration/calibrate.ts'
export { encodeMatrix } from './numerics/calibration/encode.ts'
export { type DataFamily, dataFamilies } from './numerics/calibration/families.ts'
export {
  type Calibration,
  calibratedProfile,
  formatCalibration,
  parseCalibration,
} from './numerics/calibration/file.ts'
export { type ObservedProduct, type ObserveOptions, observeProducts } from './numerics/calibration/observe.ts'
export { decodeElements, type Elements } from './numerics/decode.ts'
export type { GuardReason, RejectReason } from './numerics/entry.ts'
export {
  identityEpilogue,
  type NumericActivation,
  type NumericEpilogue,
  type QuantizedEpilogue,
} from './numerics/epilogue.ts'
export { freivaldsApplies } from './numerics/freivalds.ts'
export { liftAccidentalGuards } from './numerics/guard.ts'
export { type PreparedMatrix, prepareColumns, prepareMatrix } from './numerics/prepared.ts'
export { type NumericProfile, type ProfileName, profiles } from './numerics/profile.ts'
export { type FreivaldsVector, projectMatrix } from './numerics/project.ts'
export { type Doubt, type QuantizedRow, quantizeRow, settleDoubt } from './numerics/quantized-blocks.ts'
export { checkRow, type EntryFailure, type OpenedRow, type RowRequest, type RowResult } from './numerics/row.ts'
export { type JudgedRow, judgeTogether } from './numerics/together.ts'
export * from './product.ts'
export { createProver, type Prover, type ProverOptions } from './prover/prover.ts'
export { drawWithoutReplacement } from './random/draw.ts'
export { deriveSeed } from './random/seed.ts'
export { type RandomStream, randomStream } from './random/stream.ts'
export { decodeReceipt, encodeReceipt } from './receipt/file.ts'
export { receiptKey } from './receipt/key.ts'
export { createReceiptProver, type ReceiptOptions, type ReceiptProver } from './receipt/prover.ts'
export type {
  BinaryName,
  Derivation,
  ReductionName,
  RelationStep,
  UnaryName,
} from './relation/derivation.ts'
export { evaluation, type RelationSources, type TensorName } from './relation/evaluate.ts'
export type { Estimate } from './relation/functions.ts'
export { committedShape, planRelations, type RelationsAsked, type RelationsPlan } from './relation/plan.ts'
export { inputsOf, type Relation } from './relation/relation.ts'
export { cleanUpperBound, drawDetection, type SessionSampling, sessionDetection } from './sampling/detection.ts'
export { type GridOptions, grid } from './sampling/grid.ts'
export {
  type OpenedRowNumbers,
  openedRows,
  type SampledProduct,
  sampledProduct,
  unitShape,
} from './sampling/opened-rows.ts'
export { samplerFactories, samplerNamed } from './sampling/registry.ts'
export { type RowsOptions, rows } from './sampling/rows.ts'
export type { Corruption, Sampler, SamplerFactory, SamplingPlan, UnitShape } from './sampling/sampler.ts'
export { Deadline } from './transport/deadline.ts'
export { Inbox } from './transport/inbox.ts'
export { MemoryAccount, MemoryBudget } from './transport/memory-budget.ts'
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
export { type Weight, type WeightStore, weightList } from './weights.ts'
