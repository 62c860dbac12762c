import type { Backend, Interception, ProductObserver } from '../backend.ts'
import { ReferenceHandles } from './reference/handles.ts'
import { type ReferenceKernels, type ReferenceLibrary, referenceLibrary } from './reference/library.ts'
import { conv2dProduct, matMulProduct } from './reference/statement.ts'
import { type ReferenceTensor, TensorHistory } from './reference/tensor.ts'

/** A backend together with the library that it intercepts. */
export interface ReferenceBackend extends Backend {
  readonly library: ReferenceLibrary
}

/** Tells one observer what a kernel call did. */
type Report<Args> = (observer: ProductObserver, args: Args, result: ReferenceTensor) => void

/**
 * A float32 tensor library of its own, and its backend: everything that an audit needs, without a dependency. It is what
 * the conformance cases are tried on, and a model for backends of real libraries.
 *
 * @example
 * ```ts
 * const backend = referenceBackend()
 * const { library } = backend
 * const prover = await createProver({ backend, channel })
 * const c = await prover.audit(() => library.matMul(a, b))
 * ```
 */
export function referenceBackend(): ReferenceBackend {
  const history = new TensorHistory()
  const library = referenceLibrary(history)
  const { kernels } = library
  const handles = new ReferenceHandles(history)
  const observers = new Set<ProductObserver>()
  let patched: (() => void)[] = []
  let depth = 0

  function wrap<Args extends readonly unknown[]>(
    kernel: (...args: Args) => ReferenceTensor,
    report: Report<Args>,
  ): (...args: Args) => ReferenceTensor {
    return (...args) => {
      depth++
      let result: ReferenceTensor
      try {
        result = kernel(...args)
      } finally {
        depth--
      }
      if (depth > 0) return result
      // A copy, because an observer may start or end an interception.
      for (const observer of [...observers]) {
        if (observers.has(observer)) tell(() => report(observer, args, result))
      }
      return result
    }
  }

  /** An observer's failure is its own, and the products that it runs are not the user's. */
  function tell(report: () => void): void {
    depth++
    try {
      report()
    } catch {
      // The user's product went well.
    } finally {
      depth--
    }
  }

  function replace<Name extends keyof ReferenceKernels>(name: Name, wrapped: ReferenceKernels[Name]): void {
    const original = kernels[name]
    kernels[name] = wrapped
    patched.push(() => {
      // Somebody may have replaced ours meanwhile; theirs stays.
      if (kernels[name] === wrapped) kernels[name] = original
    })
  }

  function patch(): void {
    replace(
      'matMul',
      wrap(kernels.matMul, (observer, call, c) => observer.product(matMulProduct(handles, call, c))),
    )
    replace(
      'conv2d',
      wrap(kernels.conv2d, (observer, call, c) => observer.product(conv2dProduct(handles, call, c))),
    )
    replace(
      'bilinear',
      wrap(kernels.bilinear, (observer) =>
        observer.opaque({ operation: 'bilinear', reason: 'it multiplies three tensors at once' }),
      ),
    )
  }

  function unpatch(): void {
    for (const undo of patched) undo()
    patched = []
  }

  return {
    specificationVersion: 'v1',
    name: 'reference',
    library,
    supports: {
      operations: ['matMul', 'conv2d'],
      bypassed: ['bilinear'],
      dtypes: ['float32'],
      profiles: ['float32'],
    },
    intercept(observer): Interception {
      if (observers.size === 0) patch()
      // An object of its own, so that one observer may intercept twice.
      const own: ProductObserver = { product: (p) => observer.product(p), opaque: (o) => observer.opaque(o) }
      observers.add(own)
      const interception: Interception = {
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
