import type { Backend, Interception, ProductObserver } from '../../../src/backend.ts'
import type { BackendHarness } from '../../../src/conformance/index.ts'
import type { Matrix } from '../../../src/matrix.ts'
import type { Allocate, Product, TensorHandle } from '../../../src/product.ts'
import type { ReferenceBackend } from '../../../src/testing/index.ts'

/** Spoils a good harness; `good` is its backend with the library. */
export type Fault = (harness: BackendHarness, good: ReferenceBackend) => BackendHarness

export interface BackendFault {
  readonly fault: Fault
  /** The case that must fail, and what it must say. */
  readonly caughtBy: string
  readonly message: RegExp
}

/** Spoils the backend. */
export function backend(change: (good: ReferenceBackend) => Partial<Backend>): Fault {
  return (harness, good) => ({ ...harness, backend: { ...good, ...change(good) } })
}

/** Spoils what observers are told: `report` stands between the good backend and each of them. */
export function reporting(
  report: (observer: ProductObserver, product: Product, good: ReferenceBackend) => void,
): Fault {
  return backend((good) => ({
    intercept: (observer) =>
      good.intercept({
        product: (product) => report(observer, product, good),
        opaque: (operation) => observer.opaque(operation),
      }),
  }))
}

/** Spoils how products are stated. */
export function stating(change: (product: Product) => Product): Fault {
  return reporting((observer, product) => observer.product(change(product)))
}

export type Reader = (handle: TensorHandle, rows: Uint32Array | undefined, allocate: Allocate) => Matrix

/** Spoils how the tensors of a product are read. */
export function readings(change: Reader, names: readonly ('a' | 'b' | 'c')[] = ['a', 'b', 'c']): Fault {
  return stating((product) => {
    const changed = { ...product }
    for (const name of names) {
      const handle = product[name]
      const read: TensorHandle['read'] = (rows, allocate) => change(handle, rows, allocate)
      Object.assign(changed, { [name]: { ...handle, read } })
    }
    return changed
  })
}

/** The reference backend reads at once. */
export function readNow(handle: TensorHandle, rows: Uint32Array | undefined, allocate: Allocate): Matrix {
  return handle.read(rows, allocate) as Matrix
}

/** Spoils interceptions themselves. */
export function interceptions(
  change: (start: (observer: ProductObserver) => Interception, good: ReferenceBackend) => Backend['intercept'],
): Fault {
  return backend((good) => ({ intercept: change((observer) => good.intercept(observer), good) }))
}
