import type { OnnxNode } from '@tensor-assay/onnx-model'
import { operatorKey } from './operator.ts'

const attention =
  'attention in one operator, whose products cannot be read; ' +
  "the session option extra: { optimization: { disable_specified_optimizers: 'AttentionFusion' } } may avoid it"
const recurrent = 'products of every step inside the operator'
const generation = 'a whole generation loop in one operator'
const experts = 'products of the chosen experts inside the operator'
const foreignWeights = 'weights in a number format that cannot be stated'
const classical = 'coefficients that are attributes of the operator'
const overlapping = 'outputs that are sums of overlapping pieces of a product'
const inside = 'products inside the operator'

/** Operators that multiply matrices where no tap reaches, or in a way that cannot be stated, with the reason. */
export const opaqueOperators: ReadonlyMap<string, string> = new Map([
  ...of('', attention, 'Attention'),
  ...of('', recurrent, 'LSTM', 'GRU', 'RNN'),
  ...of('', overlapping, 'ConvTranspose', 'DeformConv'),
  ...of('', inside, 'STFT'),
  ...of('ai.onnx.ml', classical, 'LinearClassifier', 'LinearRegressor', 'SVMClassifier', 'SVMRegressor'),
  ...of('com.microsoft', attention, 'Attention', 'DecoderAttention', 'DecoderMaskedMultiHeadAttention'),
  ...of('com.microsoft', attention, 'DecoderMaskedSelfAttention', 'GroupQueryAttention', 'LinearAttention'),
  ...of('com.microsoft', attention, 'LongformerAttention', 'MultiHeadAttention', 'PackedAttention'),
  ...of('com.microsoft', attention, 'PackedMultiHeadAttention', 'PagedAttention', 'QAttention', 'QOrderedAttention'),
  ...of('com.microsoft', attention, 'QOrderedLongformerAttention', 'SparseAttention'),
  ...of('com.microsoft', recurrent, 'AttnLSTM', 'DynamicQuantizeLSTM'),
  ...of('com.microsoft', generation, 'BeamSearch', 'GreedySearch', 'Sampling', 'WhisperBeamSearch'),
  ...of('com.microsoft', experts, 'MoE', 'QMoE'),
  ...of('com.microsoft', foreignWeights, 'GemmFloat8', 'MatMulBnb4', 'MatMulFpQ4', 'QOrderedMatMul'),
  ...of('com.microsoft', inside, 'CausalConvWithState', 'CDist', 'ConvTransposeWithDynamicPads', 'EPContext'),
  ...of('com.microsoft', inside, 'FusedMatMulActivation', 'GatedRelativePositionBias', 'GemmFastGelu'),
  ...of('com.microsoft', inside, 'MatMulInteger16', 'NhwcConv', 'NhwcFusedConv', 'SparseToDenseMatMul'),
  ...of('com.microsoft', inside, 'WordConvEmbedding'),
  ...of('com.ms.internal.nhwc', overlapping, 'ConvTranspose', 'QLinearConvTranspose'),
  ...of('com.ms.internal.nhwc', 'a layout of one execution provider', 'ConvInteger', 'QLinearConv'),
])

function of(domain: string, reason: string, ...types: readonly string[]): [string, string][] {
  return types.map((type) => [`${domain}:${type}`, reason])
}

/** Operators of ONNX Runtime's own that multiply no matrices. */
const harmlessContributions = new Set([
  'BiasAdd',
  'BiasDropout',
  'BiasGelu',
  'BiasSoftmax',
  'BiasSplitGelu',
  'BifurcationDetector',
  'BitmaskBiasDropout',
  'BitmaskDropout',
  'ComplexMul',
  'ComplexMulConj',
  'CropAndResize',
  'DequantizeLinear',
  'DequantizeWithOrder',
  'DynamicTimeWarping',
  'EmbedLayerNormalization',
  'ExpandDims',
  'FastGelu',
  'GatherBlockQuantized',
  'GatherND',
  'Gelu',
  'GridSample',
  'GroupNorm',
  'Inverse',
  'Irfft',
  'MaxpoolWithMask',
  'MulInteger',
  'MurmurHash3',
  'NGramRepeatBlock',
  'NhwcMaxPool',
  'Pad',
  'QEmbedLayerNormalization',
  'QLinearAdd',
  'QLinearAveragePool',
  'QLinearConcat',
  'QLinearGlobalAveragePool',
  'QLinearLeakyRelu',
  'QLinearMul',
  'QLinearReduceMean',
  'QLinearSigmoid',
  'QLinearSoftmax',
  'QLinearWhere',
  'QuantizeLinear',
  'QuantizeWithOrder',
  'QuickGelu',
  'Range',
  'ReduceSumInteger',
  'RelativePositionBias',
  'RemovePadding',
  'RestorePadding',
  'Rfft',
  'RotaryEmbedding',
  'SampleOp',
  'SimplifiedLayerNormalization',
  'SkipGroupNorm',
  'SkipLayerNormalization',
  'SkipSimplifiedLayerNormalization',
  'Tokenizer',
  'TorchEmbedding',
  'Trilu',
  'UnfoldTensor',
  'Unique',
])

/**
 * Whether a node that no list names multiplies no matrices. ONNX's own operators are all known, up to operator set 26;
 * those of other domains are not.
 */
export function isHarmless(node: OnnxNode): boolean {
  const { domain, opType } = node
  if (opaqueOperators.has(operatorKey(node))) return false
  if (domain === 'com.microsoft') return harmlessContributions.has(opType)
  return ['', 'ai.onnx.ml', 'ai.onnx.preview.training', 'com.microsoft.nchwc', 'com.ms.internal.nhwc'].includes(domain)
}
