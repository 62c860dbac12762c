import type { OrtTensor } from '../ort/library.ts'

/** A value of a run or of its model. The same object for the same value of the same run; of the model, in every run. */
export interface TapTensor {
  /** As ONNX Runtime names it: 'float32', 'uint8', 'float16', … */
  readonly type: string
  readonly dims: readonly number[]
  /**
   * The elements, little-endian, row-major. A view of memory that belongs to the user's program or to the model: not to be
   * changed, and to be copied where it is needed after the call in which it was read.
   *
   * @throws {AssayError} If the model's external data cannot be read any more.
   */
  bytes(): Uint8Array
  /**
   * Gives the elements away, to the first that asks: where nobody else has a use for them once the run is reported. They are
   * only read until then.
   */
  takeOver?(): Uint8Array | undefined
  /** Of a tensor of which only some rows were copied out; {@link bytes} throws then. */
  readonly gathered?: GatheredRows
}

export interface GatheredRows {
  /** Numbers of the rows, as the product that they were copied for counts them. */
  readonly rows: Uint32Array
  /** The rows, one after the other, little-endian. Nobody else's, and never changed. */
  readonly data: ArrayBufferView
}

/**
 * @param isOurs - Whether the tensor was fetched for the audit alone.
 * @returns Undefined for text, and for tensors outside the CPU's memory.
 */
export function tapTensor(tensor: OrtTensor, isOurs: boolean): TapTensor | undefined {
  const { type, dims, location } = tensor
  if (location !== 'cpu' && location !== 'cpu-pinned') return undefined
  const { data } = tensor
  if (!ArrayBuffer.isView(data)) return undefined
  const bytes = () => new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  let isTaken = !isOurs
  return {
    type,
    dims,
    bytes,
    takeOver() {
      if (isTaken) return undefined
      isTaken = true
      return bytes()
    },
  }
}
