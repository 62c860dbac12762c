import type { TapTensor } from '../taps/tap-tensor.ts'

/** The objects by which tensors are recognised: one for each way of reading a tensor as rows. */
export class TensorKeys {
  readonly #keys = new WeakMap<TapTensor, Map<string, object>>()

  of(tensor: TapTensor, reading: string): object {
    let readings = this.#keys.get(tensor)
    if (readings === undefined) {
      readings = new Map()
      this.#keys.set(tensor, readings)
    }
    let key = readings.get(reading)
    if (key === undefined) {
      key = {}
      readings.set(reading, key)
    }
    return key
  }
}
