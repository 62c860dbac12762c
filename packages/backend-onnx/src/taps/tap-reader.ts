import type { NewGraph } from '@tensor-assay/onnx-model'
import type { GraphPlan } from '../graph/plan.ts'
import type { OrtFetches, OrtHandler, OrtTensor, OrtValues } from '../ort/library.ts'

/**
 * A way of getting at the values that a run computes. One is made for each session, before its final model is.
 *
 * What every way has to keep: the user's outputs are those of the plain session, bit for bit, and a run without `read` costs
 * next to nothing.
 */
export interface TapReader {
  /** Added to the graph. Its outputs come behind the user's own. */
  readonly addition: NewGraph
  /** Runs the session once. */
  run(handler: OrtHandler, feeds: OrtValues, fetches: OrtFetches, options: object): Promise<ReadRun>
}

export interface ReadRun {
  /** What ONNX Runtime gave for the outputs that the user asked for, in its order. */
  readonly outputs: OrtValues
  /** A value by its name in the plan, if this way of reading has it. */
  value(name: string): OrtTensor | undefined
}

/** @param outputNames - The outputs of the user's session. */
export type TapReading = (plan: GraphPlan, outputNames: readonly string[]) => TapReader
