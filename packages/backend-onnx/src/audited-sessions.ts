import { Instrumentation } from './instrumentation.ts'

/** `InferenceSession` of `onnxruntime-node`, as far as it matters here. */
export interface SessionFactory {
  // The library's overloads; what arrives is passed on as it is.
  create(...args: never[]): Promise<unknown>
}

/**
 * `InferenceSession` whose sessions are instrumented, for programs that choose them one by one.
 *
 * @param ort - What `import * as ort from 'onnxruntime-node'` gives.
 * @returns An object with the same `create`, which gives the library's own sessions.
 * @throws {TypeError} If `ort` is something else.
 * @throws {AssayError} `backend-unusable` if its inside cannot be reached.
 *
 * @example
 * ```ts
 * const session = await auditedSessions(ort).create('model.onnx')
 * const { logits } = await session.run({ input })
 * ```
 */
export function auditedSessions<Factory extends SessionFactory>(ort: {
  readonly InferenceSession: Factory
}): Pick<Factory, 'create'> {
  const { InferenceSession } = ort
  const instrumentation = Instrumentation.of(ort)
  const create = (...args: never[]) => instrumentation.within(() => InferenceSession.create(...args))
  return { create: create as Factory['create'] }
}
