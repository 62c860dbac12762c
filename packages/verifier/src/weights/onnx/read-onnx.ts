import { AssayError, bytesPerElement, type Weight } from '@tensor-assay/core'
import { type ModelSource, type OnnxTensor, readModel, tensorBytes } from '@tensor-assay/onnx-model'
import { maxTensorBytes, maxTensors } from '../limits.ts'
import { elementCount } from '../shape.ts'
import { type LoadedWeights, loadWeight, type SkippedTensor, weightStore } from '../store.ts'
import { constantOf, derivedConstants, type NamedConstant, type ReadTensor } from './constants.ts'

/**
 * The weights of an ONNX model: its initializers, and what runtimes derive of them before the first run (weights
 * transposed, converted or dequantised, normalisations folded into convolutions). What a runtime derives in other ways is
 * not in the store, and a product that uses it is reported as `activation-refused`.
 *
 * @param source - The model.
 * @param external - Reads tensors that lie in other files; without it they are skipped.
 * @throws {AssayError} `model-malformed`, `model-unsupported`, `weights-unreadable`.
 */
export async function readOnnx(source: ModelSource, external?: ReadTensor): Promise<LoadedWeights> {
  const model = readModel(source)
  const skipped: SkippedTensor[] = []
  const read: ReadTensor = (tensor) => {
    if (tensor.data.kind !== 'external') return tensorBytes(source, tensor)
    if (external) return external(tensor)
    throw new AssayError('weights-unreadable', `${source.name}: tensor ${tensor.name} lies in another file`)
  }
  const constants: NamedConstant[] = []
  for (const [name, tensor] of model.graph.initializers) {
    const constant = constantOf(tensor, read)
    if (constant === undefined) skipped.push(unusable(name, tensor))
    else constants.push({ name, ...constant })
  }
  constants.push(...derivedConstants(model, read))
  if (constants.length > maxTensors) {
    throw new AssayError('model-unsupported', `${source.name} has ${constants.length} tensors, over ${maxTensors}`)
  }

  const weights: Weight[] = []
  const seen = new Set<string>()
  for (const constant of constants) {
    try {
      const weight = await load(source.name, constant)
      // Many ways of deriving give back what is there already.
      if (seen.has(weight.digest)) continue
      seen.add(weight.digest)
      weights.push(weight)
    } catch (error) {
      if (!AssayError.isInstance(error)) throw error
      skipped.push({ name: constant.name, code: error.code, reason: error.message })
    }
  }
  return weightStore(weights, skipped)
}

function load(sourceName: string, { name, dtype, dims, bytes }: NamedConstant): Promise<Weight> {
  const size = elementCount(dims) * bytesPerElement[dtype]
  if (size > maxTensorBytes) {
    throw new AssayError('model-unsupported', `tensor ${name} takes ${size} bytes, over ${maxTensorBytes}`)
  }
  return loadWeight(sourceName, { name, dtype, shape: dims, read: async () => bytes().slice() })
}

function unusable(name: string, { type }: OnnxTensor): SkippedTensor {
  return { name, code: 'dtype-unsupported', reason: `elements of ${type ?? 'an unknown type'}` }
}
