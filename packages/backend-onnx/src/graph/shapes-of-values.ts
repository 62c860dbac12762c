import type { OnnxGraph, OnnxModel, OnnxNode } from '@tensor-assay/onnx-model'

/**
 * Whether the shapes of all values of a graph follow from the shapes of its inputs, so that two runs on inputs of the same
 * shapes compute values of the same shapes. Where that is not certain the answer is no.
 */
export function shapesFollowFromInputs({ graph, functions }: OnnxModel): boolean {
  return functions.size === 0 && follows(graph)
}

/** Inputs whose values, not only their shapes, decide the shape of the output: ONNX up to opset 25. */
const shapingInputs: ReadonlyMap<string, readonly number[]> = new Map([
  ['AffineGrid', [1]],
  ['BlackmanWindow', [0]],
  ['CenterCropPad', [1]],
  ['Col2Im', [1, 2]],
  ['ConstantOfShape', [0]],
  ['DFT', [1, 2]],
  ['Expand', [1]],
  ['HammingWindow', [0]],
  ['HannWindow', [0]],
  ['MaxUnpool', [2]],
  ['MelWeightMatrix', [0, 1, 2, 3, 4]],
  ['OneHot', [1]],
  ['Pad', [1, 3]],
  ['Range', [0, 1, 2]],
  ['ReduceL1', [1]],
  ['ReduceL2', [1]],
  ['ReduceLogSum', [1]],
  ['ReduceLogSumExp', [1]],
  ['ReduceMax', [1]],
  ['ReduceMean', [1]],
  ['ReduceMin', [1]],
  ['ReduceProd', [1]],
  ['ReduceSum', [1]],
  ['ReduceSumSquare', [1]],
  ['Reshape', [1]],
  ['Resize', [1, 2, 3]],
  ['STFT', [1, 3]],
  ['Slice', [1, 2, 3, 4]],
  ['Split', [1]],
  ['Squeeze', [1]],
  ['Tile', [1]],
  ['TopK', [1]],
  ['Unsqueeze', [1]],
  ['Upsample', [1]],
])

/** Operators of ONNX whose outputs have shapes that nothing but running them tells, or are no tensors. */
const unforeseeable =
  /^(Compress|If|ImageDecoder|Loop|NonMaxSuppression|NonZero|Optional.*|Scan|.*Sequence.*|StringSplit|Unique)$/

/** Operators of other domains with outputs of foreseeable shapes: those that the optimiser makes. */
const foreseeable =
  /^(Attention|BiasGelu|BiasSoftmax|BiasSplitGelu|Conv|DequantizeLinear|DynamicQuantizeMatMul|EmbedLayerNormalization|FastGelu|Fused(Conv|Gemm|MatMul|MatMulActivation)|Gelu|GroupNorm|.*Pool|LayerNormalization|MatMulInteger(ToFloat|16)?|MatMulNBits|MatMulBnb4|MultiHeadAttention|NhwcFusedConv|NhwcMaxPool|Q(Attention|Gemm|Linear.*|uantizeLinear|uickGelu)|Reorder(Input|Output)|RotaryEmbedding|Simplified.*|Skip.*LayerNormalization|SkipGroupNorm|Upsample)$/

function follows({ nodes, initializers }: OnnxGraph): boolean {
  /** Values that are the same whatever the inputs hold: computed from shapes and initializers alone. */
  const known = new Set<string>(['', ...initializers.keys()])
  for (const node of nodes) {
    const isKnown = node.inputs.every((input) => known.has(input))
    if (!isKnown && !isForeseeable(node, known)) return false
    if ((isKnown && !isForeign(node)) || node.opType === 'Shape' || node.opType === 'Size') {
      for (const output of node.outputs) known.add(output)
    }
  }
  return true
}

function isForeseeable(node: OnnxNode, known: ReadonlySet<string>): boolean {
  if (isForeign(node)) return /^com\.(microsoft|ms\.internal)(\.|$)/.test(node.domain) && foreseeable.test(node.opType)
  if (unforeseeable.test(node.opType)) return false
  return (shapingInputs.get(node.opType) ?? []).every((position) => known.has(node.inputs[position] ?? ''))
}

function isForeign({ domain }: OnnxNode): boolean {
  return domain !== ''
}
