import * as ort from 'onnxruntime-node'
import type { OpaqueRun, TappedRun } from '../../src/index.ts'
import { Instrumentation } from '../../src/index.ts'
import type { Feed } from '../models/index.ts'

export type Options = NonNullable<Parameters<typeof ort.InferenceSession.create>[1]>
export type Session = Awaited<ReturnType<typeof ort.InferenceSession.create>>
export type Outputs = Awaited<ReturnType<Session['run']>>

/** Undefined is ONNX Runtime's own choice, which is 'all'. */
export const levels = [undefined, 'disabled', 'basic', 'extended', 'layout', 'all'] as const

/** Quiet about models that a better exporter would have written differently. */
export function optionsAt(level: (typeof levels)[number]): Options {
  return { logSeverityLevel: 3, ...(level === undefined ? {} : { graphOptimizationLevel: level }) }
}

/** Only the inputs that the session has. */
export function feedsFor(session: Session, feeds: Readonly<Record<string, Feed>>): Record<string, ort.Tensor> {
  return Object.fromEntries(
    session.inputNames.map((name) => {
      const { type, data, dims } = feeds[name]!
      return [name, new ort.Tensor(type, data as never, dims)]
    }),
  )
}

/** Type, shape and bytes of each output, to be compared. */
export function contents(outputs: Outputs): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(outputs).map(([name, { type, dims, data }]) => {
      const { buffer, byteOffset, byteLength } = data as unknown as ArrayBufferView
      return [
        name,
        { type, dims, bytes: Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength).toString('base64') },
      ]
    }),
  )
}

/** Collects what is told of runs until disposed. */
export class Recorder implements Disposable {
  readonly runs: TappedRun[] = []
  /** What `onRun` threw, which an observer's caller does not let through. */
  readonly failures: unknown[] = []
  readonly opaqueRuns: OpaqueRun[] = []
  readonly #stop: () => void

  constructor(onRun: (run: TappedRun) => void = () => {}) {
    this.#stop = Instrumentation.of(ort).observe({
      run: (run) => {
        this.runs.push(run)
        try {
          onRun(run)
        } catch (failure) {
          this.failures.push(failure)
        }
      },
      opaqueRun: (run) => void this.opaqueRuns.push(run),
    })
  }

  [Symbol.dispose](): void {
    this.#stop()
  }
}
