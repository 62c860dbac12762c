import { AssayError, type Backend, type Interception, type ProductObserver } from '@tensor-assay/core'
import { TensorKeys } from './handles.ts'
import { type KernelConfig, type KernelParams, memoryOf, type TensorFlow, type TensorInfo } from './library.ts'
import { productOf } from './product.ts'

export interface TfjsOptions {
  /**
   * Which B may be public weights: every tensor that no product of the run computed (`constants`, the default), or only
   * these tensors and variables.
   */
  readonly weights?: 'constants' | readonly { readonly dataId: object }[]
}

const products = ['BatchMatMul', '_FusedMatMul']
/** Kernels that multiply and are not stated as products: they are reported, so that coverage tells the truth. */
const opaqueKernels = [
  'Einsum',
  'Conv2D',
  'FusedConv2D',
  'Conv2DBackpropInput',
  'Conv2DBackpropFilter',
  'Conv3D',
  'Conv3DBackpropInputV2',
  'Conv3DBackpropFilterV2',
  'DepthwiseConv2dNative',
  'DepthwiseConv2dNativeBackpropInput',
  'DepthwiseConv2dNativeBackpropFilter',
  'FusedDepthwiseConv2D',
]

/**
 * The backend of a TensorFlow.js module. It wraps kernels in the registry that all copies of tfjs-core share, so graph
 * models, layers models, gradients and plain `tf.matMul` are all seen.
 *
 * @param tf - `@tensorflow/tfjs`, `@tensorflow/tfjs-core` or any module with its API.
 * @throws {TypeError} If `tf` is not such a module.
 */
export function tfjs(tf: object, { weights = 'constants' }: TfjsOptions = {}): Backend {
  const library = tf as TensorFlow
  if (typeof library.getKernel !== 'function' || typeof library.registerKernel !== 'function') {
    throw new TypeError(
      'expected a TensorFlow.js module with getKernel and registerKernel: pass what `import * as tf` gives',
    )
  }
  const keys = new TensorKeys()
  const observers = new Set<ProductObserver>()
  /** Tensors that a product computed, so that they are no weights. */
  let computed = new WeakSet<object>()
  let patched: { readonly original: KernelConfig; readonly wrapped: KernelConfig }[] = []
  let depth = 0

  const isCandidate = ({ dataId }: TensorInfo) =>
    weights === 'constants' ? !computed.has(dataId) : weights.some((weight) => weight.dataId === dataId)

  function wrap(original: KernelConfig): KernelConfig {
    const { kernelName, backendName } = original
    return {
      ...original,
      kernelFunc(params) {
        depth++
        let result: TensorInfo | TensorInfo[]
        try {
          result = original.kernelFunc(params)
        } finally {
          depth--
        }
        // A kernel inside a kernel is part of the operation that the user asked for.
        if (depth === 0) report(kernelName, backendName, params, result)
        return result
      },
    }
  }

  function report(
    kernelName: string,
    backendName: string,
    params: KernelParams,
    result: TensorInfo | TensorInfo[],
  ): void {
    const memory = memoryOf(backendName, params.backend)
    for (const observer of observers) {
      try {
        if (!products.includes(kernelName))
          observer.opaque({ operation: kernelName, reason: 'this kernel is not audited' })
        else if (memory === undefined)
          observer.opaque({ operation: kernelName, reason: `backend ${backendName} cannot be read` })
        else {
          const product = productOf(kernelName, params, result as TensorInfo, memory, keys, isCandidate)
          if ('layout' in product) observer.product(product)
          else observer.opaque(product)
        }
      } catch {
        // An observer's failure is its own: the user's product went well.
      }
    }
    if (!Array.isArray(result)) computed.add(result.dataId)
  }

  function patch(backendName: string): void {
    for (const kernelName of [...products, ...opaqueKernels]) {
      const original = library.getKernel(kernelName, backendName)
      if (original === undefined || patched.some(({ wrapped }) => wrapped === original)) continue
      const wrapped = wrap(original)
      swap(original, wrapped)
      patched.push({ original, wrapped })
    }
  }

  /** Unregistering first keeps the registry from warning. */
  function swap(from: KernelConfig, to: KernelConfig): void {
    library.unregisterKernel(from.kernelName, from.backendName)
    library.registerKernel(to)
  }

  function unpatch(): void {
    for (const { original, wrapped } of patched) {
      // Somebody may have wrapped or replaced ours meanwhile; theirs stays.
      if (library.getKernel(wrapped.kernelName, wrapped.backendName) === wrapped) swap(wrapped, original)
    }
    patched = []
    computed = new WeakSet()
  }

  function registeredBackends(): string[] {
    const { registryFactory = {} } = library.engine() as { registryFactory?: Record<string, unknown> }
    return Object.keys(registryFactory)
  }

  return {
    specificationVersion: 'v1',
    name: 'tfjs',
    supports: {
      operations: products,
      bypassed: [...opaqueKernels, 'tf.node.loadSavedModel', 'operations in other threads'],
      dtypes: ['float32', 'int32'],
      profiles: ['float32', 'int32'],
    },
    intercept(observer): Interception {
      const backends = registeredBackends()
      if (backends.length === 0) {
        throw new AssayError(
          'backend-unusable',
          'TensorFlow.js has no backend: import and set one, such as cpu or wasm',
        )
      }
      for (const name of backends) patch(name)
      // A wrapper of its own, so that one observer may intercept twice.
      const own: ProductObserver = { product: (p) => observer.product(p), opaque: (o) => observer.opaque(o) }
      observers.add(own)
      const interception = {
        get active() {
          return observers.has(own)
        },
        restore() {
          if (observers.delete(own) && observers.size === 0) unpatch()
        },
        [Symbol.dispose]: () => interception.restore(),
      }
      return interception
    },
  }
}
