import {
  bert,
  decoder,
  denseNet,
  efficientNet,
  foldedConvolutions,
  mobileNet,
  old,
  uNet,
  visionTransformer,
} from './architectures.ts'
import { controlFlow, recurrent } from './control-flow.ts'
import { blockedConvolutions, cnn, convolutionShapes, dynamicFilters, residual, resnet } from './convolution.ts'
import { batchNormalised, derivedWeights, gemm, gemmAddends, matmulShapes, mlp } from './matmul.ts'
import { blockQuantised, dynamicQuantised, dynamicQuantisedFused, half, qdqCnn, qdqMlp } from './quantised.ts'
import { transformer } from './transformer.ts'
import type { TestModel } from './writer.ts'

export { resnet } from './convolution.ts'
export { gemmAddends, mlp } from './matmul.ts'
export { transformer } from './transformer.ts'
export type { Feed, TestModel } from './writer.ts'

/** One model of each kind that ONNX Runtime treats in its own way. */
export const generatedModels: readonly TestModel[] = [
  mlp(),
  gemm(),
  gemmAddends(),
  matmulShapes(),
  derivedWeights(),
  batchNormalised(),
  transformer(),
  cnn(),
  convolutionShapes(),
  blockedConvolutions(),
  dynamicFilters(),
  residual(),
  resnet(),
  qdqMlp(),
  qdqCnn(),
  dynamicQuantised(),
  dynamicQuantisedFused(),
  blockQuantised(),
  half(),
  controlFlow(),
  recurrent(),
  mobileNet(),
  visionTransformer(),
  bert(),
  decoder(),
  uNet(),
  denseNet(),
  old(),
  efficientNet(),
  foldedConvolutions(),
]
