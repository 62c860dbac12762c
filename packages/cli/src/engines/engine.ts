import { arch, cpus, platform } from 'node:os'
import type { Backend, Matrix } from '@tensor-assay/core'
import { onnxRuntimeEngine } from './onnxruntime.ts'
import { tfjsEngine } from './tfjs.ts'

/** A library that multiplies matrices, and the backend that sees it do so. */
export interface Engine {
  /** Library, version and kind, for people. */
  readonly name: string
  readonly backend: Backend
  /** C = A·B for float32 matrices; what C is, the backend reports. */
  multiply(a: Matrix, b: Matrix): Promise<void>
}

/** The engines that can be calibrated, by their names on the command line. */
export const engines = {
  'tfjs-cpu': () => tfjsEngine('cpu'),
  'tfjs-wasm': () => tfjsEngine('wasm'),
  onnxruntime: onnxRuntimeEngine,
} as const satisfies Record<string, () => Promise<Engine>>

/** An engine and where it runs: its errors belong to both. */
export function described({ name }: Engine): string {
  return `${name}, Node ${process.versions.node}, ${platform()} ${arch()}, ${cpus()[0]?.model.trim() ?? 'unknown processor'}`
}
