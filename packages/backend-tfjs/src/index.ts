/**
 * Audits the matrix products and convolutions that TensorFlow.js executes on its `cpu` and `wasm` backends.
 *
 * @example
 * ```ts
 * const prover = await createProver({ backend: tfjs(tf), channel: await tcp().dial('tcp://auditor:11234') })
 * const scores = await prover.audit(() => model.predict(x))
 * ```
 */
export { type TfjsOptions, tfjs } from './tfjs.ts'
