import type { OnnxBackend } from '@tensor-assay/backend-onnx'
import type * as OnnxRuntime from 'onnxruntime-node'
import { library } from '../libraries.ts'

/** ONNX Runtime, every session of which is seen from now on. */
export interface SeenRuntime {
  readonly ort: typeof OnnxRuntime
  readonly backend: OnnxBackend
  readonly version: string
}

let loaded: Promise<SeenRuntime> | undefined

/**
 * The `onnxruntime-node` that programs in the current folder use.
 *
 * @throws {Complaint} If there is none.
 * @throws {AssayError} `backend-unusable` if its inside cannot be reached.
 */
export function onnxRuntime(): Promise<SeenRuntime> {
  loaded ??= load()
  return loaded
}

async function load(): Promise<SeenRuntime> {
  // Before it loads: its Linux binaries report home otherwise.
  process.env.ORT_DISABLE_TELEMETRY ??= '1'
  const { exports, version } = library('onnxruntime-node')
  const ort = exports as typeof OnnxRuntime
  const { onnx } = await import('@tensor-assay/backend-onnx')
  return { ort, backend: onnx(ort), version }
}
