/**
 * What needs no Node: all but weights that are read from files by their paths.
 *
 * @module
 */
export type { CheckedRows } from './check.ts'
export { interactive, type Policy, receipt, spot } from './policy.ts'
export { type ReceiptChecks, verifyReceipt } from './receipt.ts'
export {
  type AcceptOptions,
  createVerifier,
  type Verifier,
  type VerifierEvent,
  type VerifierOptions,
} from './verifier.ts'
export * from './weights/portable.ts'
