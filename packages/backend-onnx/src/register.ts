/**
 * Audits a program that knows nothing of it:
 *
 * ```sh
 * ASSAY_VERIFIER=tcp://auditor:11234 node --import @tensor-assay/backend-onnx/register app.mjs
 * ```
 *
 * The session is opened before the program starts, and every run of a session of ONNX Runtime is a step of it. Other threads
 * of the program are left alone: their sessions are not seen.
 *
 * @module
 */
import { isMainThread } from 'node:worker_threads'
import { registerAudit } from './register/register-audit.ts'

// Threads inherit the flag, those that this package itself hashes in included.
if (isMainThread) await registerAudit(process.env)
