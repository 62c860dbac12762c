export { ConformanceError } from './assert.ts'
export type { Assign, Conv2d, MatMul, PlainTensor, Program, ProgramOperation } from './backend/program.ts'
export { type BackendCapability, type BackendCase, type BackendHarness, backendConformance } from './backend.ts'
export { type SamplerCase, type SamplerContext, samplerConformance } from './sampler.ts'
export {
  type TransportCapability,
  type TransportCase,
  type TransportContext,
  transportConformance,
} from './transport.ts'
