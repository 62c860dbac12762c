import { type Manifest, recordManifest } from '@tensor-assay/core'
import type { LoadedWeights } from '@tensor-assay/verifier'
import { onnxWeights } from '@tensor-assay/verifier'
import { Complaint } from './complaint.ts'
import type { InputChoices } from './onnx/input-options.ts'
import { modelRuns, noting, type SessionChoices } from './onnx/model-runs.ts'

export interface RecordedModel {
  readonly manifest: Manifest
  readonly weights: LoadedWeights
  /** Why operations are opaque, by operation. */
  readonly reasons: ReadonlyMap<string, string>
  readonly runs: number
  readonly version: string
}

/**
 * Writes down what ONNX Runtime executes of a public model.
 *
 * @throws {Complaint} If it does not run on the inputs, or runs differ in what they execute.
 */
export async function recordModel(path: string, inputs: InputChoices, session: SessionChoices): Promise<RecordedModel> {
  const weights = await onnxWeights(path)
  const { backend, version, runs, release } = await modelRuns(path, inputs, session)
  const reasons = new Map<string, string>()
  try {
    const manifest = await recordManifest({ backend: noting(backend, reasons), weights, runs })
    if (manifest.operations.length === 0) throw new Complaint(`${path} multiplies nothing: there is nothing to demand`)
    return { manifest, weights, reasons, runs: runs.length, version }
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw new Complaint(
      `the runs of ${path} differ in what they execute, and one manifest is of one list of operations: ${error.message}`,
    )
  } finally {
    await release()
  }
}
