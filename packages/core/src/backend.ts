import type { DType } from './dtype.ts'
import type { ProfileName } from './numerics/profile.ts'
import type { OpaqueOperation, Product } from './product.ts'

/**
 * Sees every matrix product that a tensor library executes.
 *
 * A backend runs each product once, through the library's own kernel, and gives its caller the library's own result.
 * Importing a backend's package changes nothing; {@link Backend.intercept} does, and its `restore` undoes it.
 */
export interface Backend {
  readonly specificationVersion: 'v1'
  readonly name: string
  readonly supports: BackendSupport
  /**
   * Starts reporting products. Interceptions nest: each observer is told of each product once, and the library is
   * patched while at least one interception is active.
   *
   * @throws {AssayError} `backend-unusable` if the library cannot be intercepted.
   */
  intercept(observer: ProductObserver): Interception
}

/** What a backend sees and what it knows it does not see. */
export interface BackendSupport {
  readonly operations: readonly string[]
  /** Operations that multiply matrices without passing through this backend. */
  readonly bypassed: readonly string[]
  readonly dtypes: readonly DType[]
  readonly profiles: readonly ProfileName[]
}

export interface ProductObserver {
  /**
   * Told, before its first product, of each piece of work that the library itself delimits, such as the run of a session.
   * Backends of libraries without such a notion never call it. Never throws.
   */
  run?(): void
  /**
   * Told of a product after the library computed it and before the caller has the result, in the order of execution.
   * Handles may be read during this call only, unless `read` returned a promise. Never throws.
   */
  product(product: Product): void
  /** Told of an operation that multiplies but cannot be stated as a {@link Product}. Never throws. */
  opaque(operation: OpaqueOperation): void
}

export interface Interception extends Disposable {
  readonly active: boolean
  /** Stops reporting. The last one leaves the library as it was found. Calling it again does nothing. */
  restore(): void
}
