import {
  AssayError,
  type Backend,
  type Interception,
  type OpaqueOperation,
  type Product,
  type ProductObserver,
} from '@tensor-assay/core'
import { convolutionOf } from './convolution.ts'
import { enterProduct, withDerivations } from './derivations/products.ts'
import { Tape } from './derivations/tape.ts'
import { TensorKeys } from './handles.ts'
import { type KernelConfig, type KernelParams, memoryOf, type TensorFlow, type TensorInfo } from './library.ts'
import { KernelPatches } from './patches.ts'
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
/** Kernels that observers are told of. */
const reported: ReadonlySet<string> = new Set([...Object.keys(statements), ...opaqueKernels])

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
  /** With the tape of each that wants to know how tensors follow from each other. */
  const observers = new Map<ProductObserver, Tape | undefined>()
  /** Tensors that a product computed, so that they are no weights. */
  let computed = new WeakSet<object>()
  const patches = new KernelPatches(library, wrap)
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
        if (depth === 0) {
          if (reported.has(kernelName)) report(kernelName, backendName, params, result)
          else follow(kernelName, backendName, params, result)
        }
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
    for (const [observer, tape] of [...observers]) {
      try {
        if (!observers.has(observer)) continue
        const operation = stated(kernelName, backendName, params, result)
        if (!('layout' in operation)) observer.opaque(operation)
        else observer.product(tape === undefined ? operation : withDerivations(operation, params, tape))
      } catch {
        // An observer's failure is its own: the user's product went well.
      }
    }
    depth--
    follow(kernelName, backendName, params, result)
    if (!Array.isArray(result)) computed.add(result.dataId)
  }

  /** Enters a result in the tapes. */
  function follow(
    kernelName: string,
    backendName: string,
    params: KernelParams,
    result: TensorInfo | TensorInfo[],
  ): void {
    for (const tape of observers.values()) {
      if (tape === undefined) continue
      try {
        const operation = reported.has(kernelName) && stated(kernelName, backendName, params, result)
        if (operation && 'layout' in operation) enterProduct(operation, params, result as TensorInfo, tape)
        else tape.follow(kernelName, params, result, memoryOf(backendName, params.backend))
      } catch {
        // Nothing is known of the result then: the user's operation went well.
        for (const tensor of [result].flat()) tape.enter(tensor, undefined, tensor.shape)
      }
    }
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

  /** Patches what the observers there need, and no more. */
  function adjustPatches(): void {
    const follows = [...observers.values()].some((tape) => tape !== undefined)
    const isNeeded = ({ kernelName }: KernelConfig) => observers.size > 0 && (follows || reported.has(kernelName))
    patches.adjust(registeredBackends(), isNeeded)
    if (observers.size === 0) computed = new WeakSet()
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
      if (registeredBackends().length === 0) {
        throw new AssayError(
          'backend-unusable',
          'TensorFlow.js has no backend: import and set one, such as cpu or wasm',
        )
      }
      // A wrapper of its own, so that one observer may intercept twice.
      const own: ProductObserver = { product: (p) => observer.product(p), opaque: (o) => observer.opaque(o) }
      observers.set(own, observer.wantsDerivations ? new Tape(keys) : undefined)
      adjustPatches()
      const interception = {
        get active() {
          return observers.has(own)
        },
        restore() {
          if (observers.delete(own)) adjustPatches()
        },
        [Symbol.dispose]: () => interception.restore(),
      }
      return interception
    },
  }
}
