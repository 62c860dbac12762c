import {
  AssayError,
  type Channel,
  encodeMessage,
  type Identity,
  type Manifest,
  type Matrix,
  type ProductRecord,
  parseFingerprint,
  receiptMode,
  type Verdict,
  type WeightStore,
} from '@tensor-assay/core'
import type { CheckedRows } from './check.ts'
import { patientlyAwait } from './patience.ts'
import { interactive, type Policy } from './policy.ts'
import { preparedWeights } from './prepared-weights.ts'
import { Session } from './session.ts'

export interface VerifierOptions {
  readonly weights: WeightStore
  /** What every step must execute; without it nothing is known of what a prover does not declare. */
  readonly manifest?: Manifest
  /** Signs policies and verdicts; without it the verifier stays anonymous. */
  readonly identity?: Identity
  /** Fingerprints of the provers that are let in; every one, and such as have no identity, unless given. */
  readonly provers?: readonly string[]
  /** `interactive()` unless given. */
  readonly policy?: Policy
  /** Told of progress; what it throws is ignored. */
  readonly onEvent?: (event: VerifierEvent) => void
}

export type VerifierEvent =
  | { readonly type: 'session'; readonly peer: string }
  | { readonly type: 'checked'; readonly peer: string; readonly operation: ProductRecord; readonly rows: CheckedRows }
  | { readonly type: 'verdict'; readonly peer: string; readonly verdict: Verdict }

export interface AcceptOptions {
  readonly signal?: AbortSignal
  /** What the user sent in each call of `audit`: the A of its first product must be this, as rows. */
  readonly inputs?: readonly Matrix[]
  /** What the user received of each call: the C of its last product must be this, as rows. */
  readonly outputs?: readonly Matrix[]
}

export interface Verifier {
  /**
   * Audits the prover at the other end of `channel`. Always resolves: whatever the prover does is in the verdict. Sessions
   * are independent of each other.
   */
  accept(channel: Channel, options?: AcceptOptions): Promise<Verdict>
}

/**
 * @throws {TypeError} If the policy is one for receipts, or a fingerprint is not one.
 *
 * @example
 * ```ts
 * const verifier = createVerifier({ weights: await weights('model.json'), policy: interactive() })
 * await tcp().listen('tcp://0.0.0.0:11234', async (channel) => console.log(await verifier.accept(channel)))
 * ```
 */
export function createVerifier(options: VerifierOptions): Verifier {
  const { weights, manifest, identity, provers, policy = interactive(), onEvent } = options
  if (policy.mode === receiptMode) throw new TypeError('a policy made by receipt() is for verifyReceipt()')
  for (const prover of provers ?? []) parseFingerprint(prover)
  const prepared = preparedWeights(weights)
  function tell(event: VerifierEvent): void {
    try {
      onEvent?.(event)
    } catch {
      // Somebody's display must not decide about an audit.
    }
  }

  return {
    async accept(channel, { signal, inputs = [], outputs = [] } = {}) {
      const { peer } = channel
      tell({ type: 'session', peer })
      const onChecked = (operation: ProductRecord, rows: CheckedRows) =>
        tell({ type: 'checked', peer, operation, rows })
      const session = new Session({
        policy,
        store: weights,
        manifest,
        identity,
        provers,
        prepared,
        channel,
        inputs,
        outputs,
        onChecked,
      })
      let broken: Error | undefined
      try {
        await converse(session, channel, signal)
      } catch (error) {
        session.interrupted(error)
        broken = error as Error
        if (AssayError.isInstance(error) && !session.opened) await tellPeer(channel, error)
      }
      const verdict = await session.conclude()
      if (broken && AssayError.isInstance(broken) && broken.code === 'aborted') channel.abort(broken)
      else await channel.close()
      tell({ type: 'verdict', peer, verdict })
      return verdict
    },
  }
}

async function converse(session: Session, channel: Channel, signal: AbortSignal | undefined): Promise<void> {
  const messages = channel[Symbol.asyncIterator]()
  for (;;) {
    const next = await patientlyAwait(messages.next(), session.patienceMs, signal)
    if (next.isLate) {
      session.timedOut()
      return
    }
    session.waited(next.waitedMs)
    if (next.value.done) throw new AssayError('channel-lost', 'the prover left before it closed the session')
    if (await session.receive(next.value.value)) return
  }
}

/** The reason, for a prover with which there is no common ground on which to send a verdict. */
async function tellPeer(channel: Channel, { code, message }: AssayError): Promise<void> {
  try {
    if (code !== 'channel-lost' && code !== 'peer-error')
      await channel.send(encodeMessage('error', { code, message: message.slice(0, 4096) }))
  } catch {
    // It is gone.
  }
}
