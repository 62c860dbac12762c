import type { Backend, TensorHandle } from '@tensor-assay/core'

/** `backend` with a lie between it and its observers: float32 results are shown as `change` leaves them. */
export function alteredBackend(backend: Backend, change: (c: Float32Array) => void): Backend {
  return {
    ...backend,
    intercept: (observer) =>
      backend.intercept({
        opaque: (operation) => observer.opaque(operation),
        product: (product) => observer.product({ ...product, c: altered(product.c, change) }),
      }),
  }
}

function altered(handle: TensorHandle, change: (c: Float32Array) => void): TensorHandle {
  if (handle.dtype !== 'float32') return handle
  return {
    ...handle,
    key: {},
    read(rows, allocate) {
      const matrix = handle.read(rows, allocate)
      if (matrix instanceof Promise) throw new TypeError('expected a backend that reads at once')
      const { buffer, byteOffset, byteLength } = matrix.bytes
      change(new Float32Array(buffer as ArrayBuffer, byteOffset, byteLength / 4))
      return matrix
    },
  }
}
