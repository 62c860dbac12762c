import {
  AssayError,
  type Backend,
  type Interception,
  type OpaqueOperation,
  type Product,
  type ProductObserver,
} from '@tensor-assay/core'
import { convolutionOf } from './convolution.ts'
import { TensorKeys } from './handles.ts'
import { type KernelConfig, type KernelParams, memoryOf, type TensorFlow, type TensorInfo } from './library.ts'
import { productOf } from './product.ts'
import { isReproduced } from './reproduced.ts'

export interface TfjsOptions {
  /**
   * Which B may be public weights: every tensor that no product of the run computed (`constants`, the default), or only
   * these tensors and variables.
   */
  readonly weights?: 'constants' | readonly { readonly dataId: object }[]
  /**
   * Whether matrix products on `cpu` are declared `exact`: TensorFlow.js 4.22 computes them in an order that every machine
   * reproduces bit for bit, and a verifier whose policy accepts that profile takes no other value. Default false, because
   * policies have to be asked for it and another version may compute differently.
   */
  readonly exact?: boolean
}

/** How the kernels that are products are stated. */
const statements = {
  BatchMatMul: productOf,
  _FusedMatMul: productOf,
  Conv2D: convolutionOf,
  FusedConv2D: convolutionOf,
} as const
/** Kernels that multiply and are not stated as products: they are reported, so that coverage tells the truth. */
const opaqueKernels = [
  'Einsum',
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
export function tfjs(tf: object, { weights = 'constants', exact = false }: TfjsOptions = {}): Backend {
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
    // What an observer computes is not the user's.
    depth++
    // A copy, because an observer may start or end an interception.
    for (const observer of [...observers]) {
      try {
        if (!observers.has(observer)) continue
        const operation = stated(kernelName, backendName, params, result)
        if ('layout' in operation) observer.product(operation)
        else observer.opaque(operation)
      } catch {
        // An observer's failure is its own: the user's product went well.
      }
    }
    depth--
    if (!Array.isArray(result)) computed.add(result.dataId)
  }

  function stated(
    kernelName: string,
    backendName: string,
    params: KernelParams,
    result: TensorInfo | TensorInfo[],
  ): Product | OpaqueOperation {
    if (!Object.hasOwn(statements, kernelName) || Array.isArray(result)) {
      return { operation: kernelName, reason: 'this kernel is not audited' }
    }
    const memory = memoryOf(backendName, params.backend)
    if (memory === undefined) return { operation: kernelName, reason: `backend ${backendName} cannot be read` }
    const state = statements[kernelName as keyof typeof statements]
    const operation = state(kernelName, params, result, memory, keys, isCandidate)
    const isExact = exact && 'layout' in operation && isReproduced(operation, backendName, params.backend)
    return isExact ? { ...operation, profile: 'exact' } : operation
  }

  function patch(backendName: string): void {
    for (const kernelName of [...Object.keys(statements), ...opaqueKernels]) {
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
      operations: Object.keys(statements),
      bypassed: [...opaqueKernels, 'tf.node.loadSavedModel', 'operations in other threads'],
      dtypes: ['float32', 'int32'],
      profiles: exact ? ['exact', 'float32', 'int32'] : ['float32', 'int32'],
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
