import type { GraphPlan } from '../graph/plan.ts'
import type { OrtValues } from '../ort/library.ts'
import type { TapTensor } from '../taps/tap-tensor.ts'

/** Told of the runs of sessions after ONNX Runtime has returned and before the user has the outputs. Never throws. */
export interface SessionObserver {
  run(run: TappedRun): void
  /** A run of which nothing can be read. */
  opaqueRun(run: OpaqueRun): void
}

export interface SessionInfo {
  /** Path of the model as the program gave it, or undefined for bytes. */
  readonly path: string | undefined
  /** What the program asked for; empty means the CPU. */
  readonly executionProviders: readonly string[]
}

export interface TappedRun {
  /** The same object for each run of one session. */
  readonly session: SessionInfo
  readonly plan: GraphPlan
  readonly feeds: OrtValues
  /** What the user gets. */
  readonly outputs: OrtValues
  /**
   * A value that a statement of the plan names. Undefined for text, for values on a device, and where the user's own
   * input is missing.
   */
  value(name: string): TapTensor | undefined
  /**
   * Channels in a block of filters in the layout of ONNX Runtime's blocked convolutions; 0 unless the plan has some.
   * See `unblockFilters`.
   */
  readonly filterBlock: number
}

export interface OpaqueRun {
  readonly session: SessionInfo
  readonly reason: string
}
