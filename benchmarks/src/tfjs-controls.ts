import * as tf from '@tensorflow/tfjs-core'
import type { Control } from './subject.ts'

interface WasmBackend {
  typedArrayFromHeap(tensor: tf.TensorInfo): Float32Array
  disposeData(dataId: tf.DataId): boolean
}

/**
 * The founding notebook's hook: it is given A and B, not C, and so computes C once more before it samples 0.1% of the
 * rows. It sends nothing, which makes it cheaper than the notebook's.
 *
 * @param onSample - Told of the rows of each product.
 */
export function recomputing(onSample: (rows: Float32Array[]) => void = () => {}): Control {
  const kernels = ['BatchMatMul', '_FusedMatMul']
  function wrap(original: tf.KernelConfig): tf.KernelConfig {
    return {
      ...original,
      kernelFunc(params) {
        const result = original.kernelFunc(params)
        const again = original.kernelFunc(params) as tf.TensorInfo
        const backend = params.backend as WasmBackend
        onSample(sampledRows(backend.typedArrayFromHeap(again), again.shape.at(-1)!))
        backend.disposeData(again.dataId)
        return result
      },
    }
  }
  function replace(original: tf.KernelConfig, replacement: tf.KernelConfig): void {
    // Unregistering first keeps the registry from warning.
    tf.unregisterKernel(original.kernelName, original.backendName)
    tf.registerKernel(replacement)
  }
  return {
    name: 'multiply twice',
    atLeast: 0.5,
    of: 'plain',
    install() {
      const originals = kernels.map((kernel) => tf.getKernel(kernel, tf.getBackend()))
      for (const original of originals) replace(original, wrap(original))
      return () => {
        for (const original of originals) replace(original, original)
      }
    },
  }
}

function sampledRows(values: Float32Array, n: number): Float32Array[] {
  const m = values.length / n
  return Array.from({ length: Math.max(1, Math.floor(0.001 * m)) }, () => {
    const start = Math.floor(Math.random() * m) * n
    return values.slice(start, start + n)
  })
}
