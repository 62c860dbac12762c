import { encodeControl } from '../codec/control.ts'
import type { Verdict } from '../verdict.ts'
import { type Identity, isSignedBy } from './identity.ts'

/**
 * What identities sign, so that nobody in between can change what the two sides agree on: each signs the session, which
 * binds both nonces, the hello and the policy; the prover signs what it has said at the end; the verifier its verdict.
 */
export const statements = {
  session: (session: Uint8Array, role: 'prover' | 'verifier') => ['session', role, session] as const,
  close: (session: Uint8Array, transcript: Uint8Array, operations: number) =>
    ['close', session, transcript, operations] as const,
  verdict: (session: Uint8Array, verdict: Verdict) => ['verdict', session, verdictBytes(verdict)] as const,
}

type Statement = ReturnType<(typeof statements)[keyof typeof statements]>

export function sign(identity: Identity, [tag, ...fields]: Statement): Uint8Array {
  return identity.sign(tag, ...fields)
}

/** Whether `signature` is there and by the owner of `publicKey`. */
export function isSigned(
  publicKey: Uint8Array,
  signature: Uint8Array | undefined,
  [tag, ...fields]: Statement,
): boolean {
  return signature !== undefined && isSignedBy(publicKey, signature, tag, ...fields)
}

/** The deterministic CBOR of a verdict. */
function verdictBytes(verdict: Verdict): Uint8Array {
  return encodeControl(verdict)
}
