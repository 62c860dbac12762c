/**
 * Audits the matrix products that ONNX Runtime executes.
 *
 * @example
 * ```ts
 * const backend = onnx(ort)
 * const session = await ort.InferenceSession.create('model.onnx')
 * const prover = await createProver({ backend, channel: await tcp().dial('tcp://auditor:11234') })
 * const { logits } = await prover.audit(() => session.run({ input }))
 * ```
 *
 * @module
 */
export { auditedSessions, type SessionFactory } from './audited-sessions.ts'
export { Instrumentation } from './instrumentation.ts'
export { type OnnxBackend, type OnnxOptions, onnx } from './onnx.ts'
export type { OpaqueRun, SessionInfo, SessionObserver, TappedRun } from './session/session-observer.ts'
