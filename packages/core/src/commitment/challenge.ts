import { sha256 as sha256Of } from '@noble/hashes/sha2.js'
import { deriveSeed } from '../random/seed.ts'
import { randomStream } from '../random/stream.ts'
import { encodeFields } from './fields.ts'
import type { HashSuite } from './suite.ts'
import { transcript } from './transcript.ts'

/** Identifies a session to every hash: it binds both nonces and every word of the hello and of the policy. */
export function sessionId(suite: HashSuite, hello: readonly Uint8Array[], policy: readonly Uint8Array[]): Uint8Array {
  const prover = transcript(suite, 'prover')
  const verifier = transcript(suite, 'verifier')
  prover.append(hello)
  verifier.append(policy)
  return suite.hash(encodeFields('session', prover.head, verifier.head))
}

/** What the verifier publishes of its key before anything is committed. */
export function keyCommitment(key: Uint8Array): Uint8Array {
  return sha256Of(encodeFields('key', key))
}

/**
 * The seed of one operation's samples.
 *
 * @param key - The verifier's secret; in `spot` mode the seed that the policy hands over.
 * @param head - The prover's transcript up to and including the frame that commits to the operation; in `spot` mode the
 *   session's id.
 */
export function challengeSeed(key: Uint8Array, head: Uint8Array, sequence: number): Uint8Array {
  return deriveSeed(key, 'challenge', head, sequence)
}

/** Whether a step is read in `spot` mode. The first one always is, so that no session goes by unseen. */
export function isStepRead(spotSeed: Uint8Array, session: Uint8Array, step: number, rate: number): boolean {
  return step === 0 || isAudited(spotSeed, session, step, rate)
}

/** Whether an operation is audited, at a rate of `rate`: as unpredictable as `key`. */
export function isAudited(key: Uint8Array, head: Uint8Array, sequence: number, rate: number): boolean {
  return rate >= 1 || randomStream(deriveSeed(key, 'audit', head, sequence)).uint32() < rate * 2 ** 32
}
