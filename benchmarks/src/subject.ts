import type { Backend } from '@tensor-assay/core'
import type { SeededTensor } from './seeded.ts'

/** Work with matrix products that can be done again and again. */
export interface Subject {
  readonly title: string
  readonly backend: Backend
  /** What the verifier knows. */
  readonly weights: readonly SeededTensor[]
  /** Whether some products have no weight for an operand. */
  readonly acceptActivations: boolean
  /**
   * Makes a run on an input of its own, of which nothing that was remembered of earlier ones is true. Not timed.
   *
   * @param as - Whether it has to be one that can be audited, where that is decided before the run.
   */
  prepare(as: 'plain' | 'auditable'): Run
}

export interface Run {
  /** The work that is timed. */
  run(): void | Promise<void>
  /** Frees the input and the results. */
  dispose(): void
}

/** How often things are done. */
export interface Effort {
  readonly rounds: number
  /** Runs in each round that are timed one by one, each when nothing of the one before is left to do. */
  readonly calls: number
  /** Runs in each round that follow one another without waiting, timed together. */
  readonly batch: number
}

/** A way to audit that is known to cost something: a benchmark that cannot see it sees nothing. */
export interface Control {
  readonly name: string
  /** Relative slowdown of a call that the whole interval must exceed. */
  readonly atLeast: number
  /** The runs that it slows down. */
  readonly of: 'plain' | 'auditable'
  /** Starts it. @returns What ends it. */
  install(): () => void
}
