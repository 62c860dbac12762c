import type { Control } from '../codec/messages.ts'
import { AssayError } from '../errors.ts'
import type { ProductSink } from './recorder.ts'

/** How recorded products become messages; one of it for a session. */
export interface ProverMode extends ProductSink {
  /** Resolves when everything recorded so far was sent and, where the mode has challenges, answered. */
  drained(): Promise<void>
  /** Resolves when there is room for more. */
  ready(): Promise<void>
  /** Answers the verifier; only a mode with challenges is given any. */
  challenge?(challenges: Control<'challenge'>['challenges']): Promise<void>
  /** Whether the revealed key explains every challenge that was received. */
  fair(key: Uint8Array): boolean
  /** Drops everything. */
  stop(): void
}

/** Operations that wait to be sent, at most: beyond it the session is given up. */
export const maxQueued = 16_384

export function queueOverflow(): AssayError {
  return new AssayError('channel-lost', `the verifier keeps up so little that ${maxQueued} operations wait for it`)
}
