/**
 * Reads ONNX model files where they lie and appends to them without writing them anew.
 *
 * @example
 * ```ts
 * const model = readModel(bytesSource(await readFile('model.onnx'), 'model.onnx'))
 * for (const [name, tensor] of model.graph.initializers) console.log(name, tensorBytes(model.source, tensor).length)
 * ```
 */
export { graphAddition } from './append.ts'
export { Attributes, maxListElements, maxStringBytes } from './attributes.ts'
export { type ElementType, elementBits, elementTypeNumber, elementTypeOf } from './element-type.ts'
export {
  bytesField,
  type Encoded,
  encodeGraph,
  encodeModel,
  encodeTensor,
  floatField,
  intField,
  join,
  type NewAttribute,
  type NewGraph,
  type NewModel,
  type NewNode,
  type NewTensor,
  type NewValue,
} from './encode.ts'
export { maxGraphDepth, maxLocationBytes, maxModelFields, maxModelItems, maxRank, maxTextBytes } from './limits.ts'
export type {
  Dimension,
  OnnxAttribute,
  OnnxGraph,
  OnnxModel,
  OnnxNode,
  OnnxTensor,
  OnnxValue,
  TensorData,
} from './model.ts'
export { type BlockShape, dequantiseBlocks, type PackedBlocksData } from './packed-blocks.ts'
export { readModel } from './read-model.ts'
export { byteLengthOf, elementCount } from './read-tensor.ts'
export { type ByteRange, bytesSource, type ModelSource } from './source.ts'
export { maxDecodedBytes, tensorBytes } from './tensor-data.ts'
