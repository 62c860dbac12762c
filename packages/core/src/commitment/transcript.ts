import { fieldParts } from './fields.ts'
import type { HashSuite } from './suite.ts'

export type Direction = 'prover' | 'verifier'

/** The chain of every frame that one side sent: head = H("transcript", direction, previous head, frame). */
export interface Transcript {
  readonly direction: Direction
  /** 32 bytes; all zero before the first frame. */
  readonly head: Uint8Array
  /** Adds one frame, whose parts count as joined. */
  append(parts: readonly Uint8Array[]): void
}

/** @param direction - Who sends the frames. */
export function transcript(suite: HashSuite, direction: Direction): Transcript {
  let head = new Uint8Array(suite.digestBytes) as Uint8Array
  return {
    direction,
    get head() {
      return head
    },
    append(parts) {
      head = suite.hash(...fieldParts('transcript', direction, head, parts))
    },
  }
}

/** One hash of both directions. */
export function joinHeads(suite: HashSuite, prover: Uint8Array, verifier: Uint8Array): Uint8Array {
  return suite.hash(...fieldParts('transcripts', prover, verifier))
}
