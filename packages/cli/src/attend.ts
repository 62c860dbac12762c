import { once as event } from 'node:events'
import type { Channel, Transport, Verdict } from '@tensor-assay/core'
import type { Verifier } from '@tensor-assay/verifier'

/** For provers to take the last words of a verifier that stops, milliseconds. */
const graceMs = 5000

export interface AttendOptions {
  readonly transport: Transport
  readonly address: string
  readonly verifier: Verifier
  /** Whether to take in one prover and no more. */
  readonly once: boolean
  /** Ends all sessions. */
  readonly signal: AbortSignal
  readonly onListening: (address: string) => void
  readonly onVerdict: (verdict: Verdict, peer: string) => Promise<void>
}

/**
 * Audits whoever comes, until told to stop or done with the one prover. Resolves when every session has its verdict.
 *
 * @throws {AssayError} If nobody can listen there.
 */
export async function attend(options: AttendOptions): Promise<void> {
  const { transport, address, verifier, once, signal, onListening, onVerdict } = options
  const sessions = new Map<Channel, Promise<void>>()
  const full = new AbortController()
  signal.addEventListener('abort', () => {
    full.abort()
    setTimeout(() => {
      for (const channel of sessions.keys()) channel.abort(new Error('the verifier has stopped'))
    }, graceMs).unref()
  })

  async function session(channel: Channel): Promise<void> {
    const verdict = await verifier.accept(channel, { signal })
    await onVerdict(verdict, channel.peer)
  }

  const listener = await transport.listen(address, (channel) => {
    if (full.signal.aborted) {
      channel.abort(new Error('the verifier takes in nobody else'))
      return
    }
    if (once) full.abort()
    const under = session(channel).finally(() => sessions.delete(channel))
    sessions.set(channel, under)
  })
  onListening(listener.address)
  if (!full.signal.aborted) await event(full.signal, 'abort')
  await listener.close()
  await Promise.all(sessions.values())
}
