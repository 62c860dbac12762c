import type { Backend, Interception } from '../backend.ts'
import { modes } from '../codec/messages.ts'
import { keyCommitment } from '../commitment/challenge.ts'
import { AssayError } from '../errors.ts'
import { type Identity, parseFingerprint } from '../identity/identity.ts'
import { isSigned, sign, statements } from '../identity/statements.ts'
import { samplerFactories } from '../sampling/registry.ts'
import type { SamplerFactory } from '../sampling/sampler.ts'
import type { AbortOptions, Channel } from '../transport.ts'
import { emptyVerdict, type Finding, type FindingReason, statusOf, type Verdict } from '../verdict.ts'
import { interactiveMode } from './interactive.ts'
import { openLink } from './link.ts'
import { recorder } from './recorder.ts'
import { auditedRuns } from './runs.ts'
import { spotMode } from './spot.ts'
import { sessionSteps } from './steps.ts'
import { knownWeights } from './weights.ts'

export interface ProverOptions extends AbortOptions {
  readonly backend: Backend
  readonly channel: Channel
  /** Signs the session; without it the prover stays anonymous. */
  readonly identity?: Identity
  /** Fingerprints of the verifiers that are trusted; every one unless given. */
  readonly verifiers?: readonly string[]
  /** Samplers that a policy may name; the built-in ones unless given. Spread `samplerFactories` to add to them. */
  readonly samplers?: Readonly<Record<string, SamplerFactory>>
  /** Memory for tensors that are not opened yet, bytes; 512 MiB. What does not fit is reported as skipped. */
  readonly maxRetainedBytes?: number
  /** Time that a call of `audit` waits for room, milliseconds; 10 s. */
  readonly maxWaitMs?: number
  /** Time for the verifier's policy to arrive, milliseconds; 10 s. */
  readonly handshakeTimeoutMs?: number
  /** Time for the verdict after `close()`, milliseconds; 10 min, because a verifier may have much left to check. */
  readonly verdictTimeoutMs?: number
}

/** Runs the user's model while a verifier watches. */
export interface Prover {
  /**
   * Runs `run` and has every product in it audited. Resolves and rejects as `run` does, whatever becomes of the audit:
   * losing the verifier never changes the run. Waits before `run` while more than half of the retained memory is taken, and
   * no longer than `maxWaitMs`.
   */
  audit<T>(run: () => T | Promise<T>): Promise<T>
  /**
   * Has everything audited that the backend sees, until it is restored: for programs whose runs are not in your hands. What
   * the library delimits itself, such as the run of a session, is a step. Memory is not waited for: what does not fit is
   * reported as skipped.
   */
  watch(): Interception
  /** Ends the session. Never throws: a verdict that did not arrive is an `incomplete` one. */
  close(options?: AbortOptions): Promise<Verdict>
}

/**
 * Opens a session with the verifier at the other end of `channel`.
 *
 * @throws {AssayError} If the session cannot be opened: `channel-lost`, `deadline-exceeded`, `version-unsupported`,
 *   `mode-unknown`, `suite-unknown`, `sampler-unknown`, `peer-untrusted`, `peer-error`, `frame-malformed`,
 *   `message-malformed`, `aborted`.
 * @throws {TypeError} If a fingerprint is not one.
 *
 * @example
 * ```ts
 * const prover = await createProver({ backend: tfjs(tf), channel: await tcp().dial('tcp://auditor:11234') })
 * const scores = await prover.audit(() => model.predict(x))
 * const verdict = await prover.close()
 * ```
 */
export async function createProver(options: ProverOptions): Promise<Prover> {
  const { backend, channel, samplers = samplerFactories, maxRetainedBytes = 512 * 1024 * 1024 } = options
  const {
    identity,
    verifiers,
    maxWaitMs = 10_000,
    handshakeTimeoutMs = 10_000,
    verdictTimeoutMs = 600_000,
    signal,
  } = options
  for (const verifier of verifiers ?? []) parseFingerprint(verifier)
  const opening = openLink({ channel, backend: backend.name, modes, identity, verifiers, samplers })
  const link = await within(opening, handshakeTimeoutMs, 'the policy', signal).catch((error) => {
    opening.catch(() => undefined)
    channel.abort(error)
    throw error
  })

  const steps = sessionSteps()
  let lost: unknown
  let verdict: Verdict | undefined
  let signature: Uint8Array | undefined
  let key: Uint8Array | undefined
  let closing: Promise<Verdict> | undefined

  const onLost = (error: unknown) => {
    if (lost !== undefined || verdict !== undefined) return
    lost = error
    mode.stop()
    channel.abort(error instanceof Error ? error : new Error(String(error)))
  }
  const weights = knownWeights(link.policy.weights)
  const createMode = link.policy.mode === 'spot' ? spotMode : interactiveMode
  const mode = createMode({ link, weights, manifest: link.manifest, maxRetainedBytes, onLost })
  const observer = recorder(mode, steps, onLost)
  const runs = auditedRuns({ backend, steps, observer, ready: mode.ready, maxWaitMs, isOver: () => lost !== undefined })

  const receiving = (async () => {
    for await (const message of link.messages()) {
      if (message.type === 'challenge' && mode.challenge) await mode.challenge(message.control.challenges)
      else if (message.type === 'reveal') key = message.control.key
      else if (message.type === 'verdict') {
        verdict = message.control.verdict
        signature = message.control.signature
        mode.stop()
        return
      } else throw new AssayError('message-unexpected', `the verifier sent its ${message.type} out of turn`)
    }
    throw new AssayError('channel-lost', 'the verifier closed the channel without a verdict')
  })().catch(onLost)

  async function finish(abort: AbortOptions): Promise<Verdict> {
    try {
      await within(Promise.race([mode.drained(), receiving]), verdictTimeoutMs, 'the last challenge', abort.signal)
      if (verdict === undefined && lost === undefined) {
        const { head } = link
        const { operations } = observer
        const signed = identity && sign(identity, statements.close(link.session, head, operations))
        await link.send('close', { operations, transcript: head, ...(signed && { signature: signed }) })
      }
      await within(receiving, verdictTimeoutMs, 'the verdict', abort.signal)
    } catch (error) {
      onLost(error)
    }
    mode.stop()
    if (verdict === undefined) return emptyVerdict([lossOf(lost)])
    await channel.close(abort)
    return trusted(verdict)
  }

  /** The prover's own check of the verifier: a verdict on challenges that were chosen, or by another, is worth nothing. */
  function trusted(received: Verdict): Verdict {
    const add = (reason: FindingReason, message: string): Verdict => {
      const findings: Finding[] = [{ reason, message }, ...received.findings]
      const status = statusOf(findings.map((finding) => finding.reason))
      return { ...received, status, findings, findingCount: received.findingCount + 1 }
    }
    const { policy, session } = link
    if (policy.key !== undefined && !isSigned(policy.key, signature, statements.verdict(session, received))) {
      return add('verdict-untrusted', 'the verdict is not signed by the verifier that opened the session')
    }
    // A verdict that broke the session off may not know of what was under way.
    if (received.status === 'pass' && received.transcript !== link.transcriptHash()) {
      return add('verdict-untrusted', 'the verdict is on other messages than those that were exchanged')
    }
    if (key === undefined) return add('challenge-unfair', 'the verifier did not reveal the key of its challenges')
    if (!keyCommitment(key).every((byte, i) => byte === policy.keyCommitment![i])) {
      return add('challenge-unfair', 'the revealed key is not the one that the verifier was committed to')
    }
    if (!mode.fair(key)) return add('challenge-unfair', 'a challenge does not come from the revealed key')
    return received
  }

  return {
    async audit(run) {
      if (closing) throw new TypeError('audit() was called after close()')
      return runs.audit(run)
    },
    watch() {
      if (closing) throw new TypeError('watch() was called after close()')
      return runs.watch()
    },
    close(abort = {}) {
      closing ??= finish(abort)
      return closing
    },
  }
}

/** Why there is no verdict. */
function lossOf(error: unknown): Finding {
  const message = error instanceof Error ? error.message : String(error)
  const code = AssayError.isInstance(error) ? error.code : 'internal'
  if (code === 'deadline-exceeded' || code === 'aborted' || code === 'peer-error') return { reason: code, message }
  if (code === 'channel-closed' || code === 'channel-lost') return { reason: 'channel-lost', message }
  return { reason: 'internal', message }
}

async function within<T>(promise: Promise<T>, timeoutMs: number, what: string, signal?: AbortSignal): Promise<T> {
  let timer: ReturnType<typeof setTimeout> | undefined
  let onAbort: (() => void) | undefined
  const end = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new AssayError('deadline-exceeded', `${what} did not arrive within ${timeoutMs} ms`))
    }, timeoutMs)
    onAbort = () => reject(new AssayError('aborted', 'the caller aborted', { cause: signal?.reason }))
    if (signal?.aborted) onAbort()
    else signal?.addEventListener('abort', onAbort)
  })
  try {
    return await Promise.race([promise, end])
  } finally {
    clearTimeout(timer)
    if (onAbort) signal?.removeEventListener('abort', onAbort)
  }
}
