export { ConformanceError } from './assert.ts'
export { type SamplerCase, type SamplerContext, samplerConformance } from './sampler.ts'
export {
  type TransportCapability,
  type TransportCase,
  type TransportContext,
  transportConformance,
} from './transport.ts'
