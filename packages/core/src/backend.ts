import type { DType } from './dtype.ts'
import type { ProfileName } from './numerics/profile.ts'
import type { OpaqueOperation, Product } from './product.ts'
import type { OpenedRowNumbers } from './sampling/opened-rows.ts'

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
   * Asked before a run by backends that have to say beforehand what is to be copied out of a device or a graph.
   *
   * @param ahead - How many products and opaque operations will be reported before this one, counted from now. If others
   *   than these come between, the answer is void.
   * @returns The rows that will be read of each tensor. `'all'` where they are not known yet, and whenever this function is
   *   absent; `'none'` where the running code is not audited or its step is not read: then nothing of the run need be
   *   reported but {@link run}. Never throws.
   */
  foresee?(ahead: number, product: ForeseenProduct): ForeseenRows
  /**
   * Told of a product after the library computed it and before the caller has the result, in the order of execution.
   * Handles may be read during this call only, unless `read` returned a promise. Never throws.
   */
  product(product: Product): void
  /** Whether the `derivation` of handles will be asked for, so that a backend has to follow what happens between products. */
  readonly wantsDerivations?: boolean
  /** Told of an operation that multiplies but cannot be stated as a {@link Product}. Never throws. */
  opaque(operation: OpaqueOperation): void
}

/** What decides which rows are read of a product. */
export type ForeseenProduct = Pick<Product, 'layout' | 'b' | 'addend'>

export type ForeseenRows = OpenedRowNumbers | 'all' | 'none'

export interface Interception extends Disposable {
  readonly active: boolean
  /** Stops reporting. The last one leaves the library as it was found. Calling it again does nothing. */
  restore(): void
}
