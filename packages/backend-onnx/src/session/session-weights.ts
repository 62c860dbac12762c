import { byteLengthOf, type OnnxTensor, tensorBytes } from '@tensor-assay/onnx-model'
import { externalBytes } from '@tensor-assay/onnx-model/node'
import type { TapTensor } from '../taps/tap-tensor.ts'
import { closeDump, type Dump } from './dump.ts'

/** The initializers of an instrumented session, read when asked for out of the removed dump or the user's own data files. */
export class SessionWeights {
  readonly #dump: Dump
  readonly #tensors = new Map<string, TapTensor>()

  constructor(dump: Dump) {
    this.#dump = dump
  }

  /** The same object in every run. Undefined for text and unknown types. */
  tensor(name: string): TapTensor | undefined {
    let tensor = this.#tensors.get(name)
    if (tensor !== undefined) return tensor
    const initializer = this.#dump.model.graph.initializers.get(name)
    if (initializer === undefined || byteLengthOf(initializer) === undefined) return undefined
    tensor = { type: initializer.type!, dims: initializer.dims, bytes: () => this.#bytes(initializer) }
    this.#tensors.set(name, tensor)
    return tensor
  }

  /** Nothing can be read any more. */
  close(): void {
    closeDump(this.#dump)
  }

  #bytes(initializer: OnnxTensor): Uint8Array {
    const { file, data, dataFolder } = this.#dump
    if (initializer.data.kind !== 'external') return tensorBytes(file, initializer)
    if (data === undefined) return externalBytes(dataFolder, initializer)
    return data.view(initializer.data.offset, byteLengthOf(initializer)!)
  }
}
