import type { OpenedRowNumbers } from '@tensor-assay/core'
import type { GraphPlan, OperandName, PlannedProduct } from '../graph/plan.ts'
import type { OrtValues } from '../ort/library.ts'
import type { Operands } from '../products/operands.ts'
import type { GatheredRows, TapTensor } from '../taps/tap-tensor.ts'

/** Told of the runs of sessions after ONNX Runtime has returned and before the user has the outputs. Never throws. */
export interface SessionObserver {
  /** Asked before a run whose shapes are known what will be read of it: everything, unless it says otherwise. */
  foresee?(run: ForeseenRun): ForeseenReading
  run(run: TappedRun): void
  /** A run that nobody wanted to know more of. */
  unreadRun?(): void
  /** A run of which nothing can be read. */
  opaqueRun(run: OpaqueRun): void
}

/** A run before it begins, as far as an earlier one on inputs of the same shapes tells. */
export interface ForeseenRun {
  readonly plan: GraphPlan
  /** The operands without their elements, except those of weights; undefined where the product cannot be stated. */
  operands(planned: PlannedProduct): Operands | undefined
  /** An operand of that earlier run, without its elements if the run computed it. */
  operand(planned: PlannedProduct, name: OperandName): TapTensor | undefined
}

/** `'none'`: nobody wants to be told of the run. */
export type ForeseenReading = WantedRows | 'all' | 'none'

/** Rows of each product that can be stated. */
export type WantedRows = ReadonlyMap<PlannedProduct, OpenedRowNumbers>

export interface SessionInfo {
  /** Path of the model as the program gave it, or undefined for bytes. */
  readonly path: string | undefined
  /** What the program asked for; empty means the CPU. */
  readonly executionProviders: readonly string[]
}

/** What a product is made of in one run. */
export interface RunValues {
  readonly plan: GraphPlan
  /**
   * A value that a statement of the plan names. Undefined for text, for values on a device, and where the user's own
   * input is missing.
   */
  value(name: string): TapTensor | undefined
  /** The same for an operand of a product, of which only some rows may be there. */
  operand(planned: PlannedProduct, name: OperandName): TapTensor | undefined
  /**
   * Channels in a block of filters in the layout of ONNX Runtime's blocked convolutions; 0 unless the plan has some.
   * See `unblockFilters`.
   */
  readonly filterBlock: number
}

export interface TappedRun extends RunValues {
  /** Rows of an operand that the run computed, where no more was read of it. */
  rows(planned: PlannedProduct, name: OperandName): GatheredRows | undefined
  /** The tensors of a product, or why it cannot be stated. */
  operands(planned: PlannedProduct): Operands | { readonly reason: string }
  /** The same object for each run of one session. */
  readonly session: SessionInfo
  readonly feeds: OrtValues
  /** What the user gets. */
  readonly outputs: OrtValues
}

export interface OpaqueRun {
  readonly session: SessionInfo
  readonly reason: string
}
