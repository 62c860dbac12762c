import { getKernel, type KernelFunc, registerKernel, type TensorInfo, unregisterKernel } from '@tensorflow/tfjs-core'

export type Conduct = 'honest' | 'coarse' | 'swapped'

/** What a dishonest page does to the result of each product, rows of `n` values. */
const lies: Readonly<Record<Exclude<Conduct, 'honest'>, (values: Float32Array, n: number) => void>> = {
  coarse(values) {
    const bits = new Uint32Array(values.buffer, values.byteOffset, values.length)
    for (const [i, word] of bits.entries()) bits[i] = word & 0xffff0000
  },
  swapped(values, n) {
    // Only the last layer has a score for each of the three arms.
    if (n !== 3) return
    for (let i = 0; i < values.length; i += n) [values[i], values[i + 1]] = [values[i + 1] ?? 0, values[i] ?? 0]
  },
}

interface Engine {
  /** WebAssembly only. */
  typedArrayFromHeap?(tensor: TensorInfo): Float32Array
  readonly data?: { get(id: object): { readonly values: Float32Array } }
}

/**
 * Makes TensorFlow.js behave as told until the returned function is called. The user is shown what comes of it: the
 * kernels themselves are replaced.
 */
export function behave(conduct: Conduct, engine: string): () => void {
  if (conduct === 'honest') return () => undefined
  const lie = lies[conduct]
  const kernels = ['BatchMatMul', '_FusedMatMul'].flatMap((name) => getKernel(name, engine) ?? [])
  const replace = (kernelFunc: (exact: KernelFunc) => KernelFunc) => {
    for (const kernel of kernels) {
      unregisterKernel(kernel.kernelName, engine)
      registerKernel({ ...kernel, kernelFunc: kernelFunc(kernel.kernelFunc) })
    }
  }
  replace((exact) => (params) => {
    const result = exact(params) as TensorInfo
    const backend = params.backend as Engine
    const values = backend.typedArrayFromHeap?.(result) ?? backend.data?.get(result.dataId).values
    if (values) lie(values, result.shape.at(-1) ?? 1)
    return result
  })
  return () => replace((exact) => exact)
}
