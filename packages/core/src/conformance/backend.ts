import type { Backend } from '../backend.ts'
import { convolutions } from './backend/convolutions.ts'
import { failures } from './backend/failures.ts'
import { keys } from './backend/keys.ts'
import { lifecycle } from './backend/lifecycle.ts'
import { observers } from './backend/observers.ts'
import { products } from './backend/products.ts'
import type { PlainTensor, Program } from './backend/program.ts'
import { reading } from './backend/reading.ts'
import { results } from './backend/results.ts'

/** What not every library can do. A case that requires something not declared is skipped, with that as the reason. */
export type BackendCapability =
  /** Products of transposed operands. */
  | 'transposed'
  /** Products of stacks of matrices. */
  | 'batched'
  /** Stacks of one matrix repeat. */
  | 'broadcast'
  /** A factor of the product, a bias, a tensor of the shape of C, a factor of both, and activations that the library applies within the operation. */
  | 'alpha'
  | 'bias'
  | 'addend'
  | 'beta'
  | 'relu'
  | 'relu6'
  | 'elu'
  | 'sigmoid'
  | 'tanh'
  | 'leakyrelu'
  | 'prelu'
  | 'clip'
  | 'hardsigmoid'
  /** Convolutions that the backend states as products. */
  | 'conv2d-channels-last'
  | 'conv2d-channels-first'
  /** Of channels in groups; with `conv2d-channels-first`. */
  | 'conv2d-groups'
  /** The library changes tensors in place, see `assign` in {@link Program}. */
  | 'assign'
  /** The harness supplies the function of that name. */
  | 'kernelRuns'
  | 'patchPoints'
  | 'liveObjects'
  | 'runOpaque'

/** What the author of a backend supplies. */
export interface BackendHarness {
  readonly backend: Backend
  readonly capabilities: readonly BackendCapability[]
  /**
   * Runs a program through the library's public functions, one operation after the other, and returns the result of each
   * product in order. Equal numbers of a value mean one and the same tensor. Where the library allows, it awaits something
   * between two operations, so that runs interleave.
   *
   * @throws What the library throws for operands that do not fit.
   */
  run(program: Program): readonly PlainTensor[] | Promise<readonly PlainTensor[]>
  /** How often the library's own kernels for products ran, counted below the backend's patches. */
  kernelRuns?(): number
  /** The objects that the backend replaces to see products, as the library holds them now. */
  patchPoints?(): readonly unknown[]
  /** Tensors, buffers or whatever the library keeps count of. */
  liveObjects?(): number
  /** Runs one operation that multiplies and that the backend reports as opaque. */
  runOpaque?(): void | Promise<void>
}

export interface BackendCase {
  readonly name: string
  readonly requires?: readonly BackendCapability[]
  /** @throws If the backend breaks its contract, with a message that says how. */
  run(harness: BackendHarness): Promise<void>
}

/**
 * The contract of a {@link Backend} as cases that any test runner can run, one after the other: they look at what the
 * whole process does to the library.
 *
 * @example
 * ```ts
 * for (const { name, requires = [], run } of backendConformance) {
 *   const missing = requires.filter((capability) => !harness.capabilities.includes(capability))
 *   test(name, { skip: missing.length > 0 && `not offered: ${missing}` }, () => run(harness))
 * }
 * ```
 */
export const backendConformance: readonly BackendCase[] = [
  ...products,
  ...convolutions,
  ...keys,
  ...reading,
  ...results,
  ...lifecycle,
  ...observers,
  ...failures,
]
