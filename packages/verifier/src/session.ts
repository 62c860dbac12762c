import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import {
  AssayError,
  type Channel,
  type Control,
  challengeSeed,
  decodeMessage,
  deriveSeed,
  encodeMessage,
  excerpt,
  fingerprint,
  type HashSuite,
  type Identity,
  isAudited,
  isSigned,
  isStepRead,
  joinHeads,
  keyCommitment,
  loadSuite,
  manifestDigest,
  modes,
  type ProductRecord,
  type ProtocolMessage,
  protocolVersion,
  sessionId,
  sign,
  statements,
  statesRelations,
  type Transcript,
  transcript,
  type Verdict,
  weightList,
} from '@tensor-assay/core'
import { Audit, type AuditOptions, type CheckSeeds } from './audit.ts'

export interface SessionOptions extends AuditOptions {
  readonly identity: Identity | undefined
  /** Fingerprints of the provers that are let in; every one when absent. */
  readonly provers: readonly string[] | undefined
  readonly channel: Channel
}

/** A prover that is older, newer or lacks a part does not lie. */
const noCommonGround: ReadonlySet<string> = new Set([
  'version-unsupported',
  'mode-unknown',
  'suite-unknown',
  'sampler-unknown',
])

interface Asked extends CheckSeeds {
  readonly record: ProductRecord
  /** How long the prover had been waited for when it was asked, milliseconds. */
  readonly waitedMs: number
}

/** One conversation with one prover, from its hello to the verdict. */
export class Session {
  private readonly options: SessionOptions
  private readonly audit: Audit
  private readonly key = crypto.getRandomValues(new Uint8Array(32))
  private readonly spotSeed = crypto.getRandomValues(new Uint8Array(32))
  private readonly asked = new Map<number, Asked>()
  private waitedMs = 0
  private suite: HashSuite
  private id: Uint8Array = new Uint8Array(0)
  private received: Transcript
  private sent: Transcript
  private proverKey: Uint8Array | undefined
  private isOpened = false
  private closed = false

  constructor(options: SessionOptions) {
    this.options = options
    this.audit = new Audit(options)
    this.suite = loadSuite(options.policy.suite)
    this.received = transcript(this.suite, 'prover')
    this.sent = transcript(this.suite, 'verifier')
  }

  private get ledger() {
    return this.audit.ledger
  }

  /** Whether hello and policy were exchanged. */
  get opened(): boolean {
    return this.id.length > 0
  }

  /**
   * How long the next message may be waited for, milliseconds. An opening is late once it was waited for as long as the
   * policy says: what this side does with other messages meanwhile is not the prover's time.
   */
  get patienceMs(): number {
    const { policy } = this.options
    if (this.id.length === 0) return policy.handshakeTimeoutMs
    const [oldest] = this.asked.values()
    if (oldest === undefined) return policy.idleTimeoutMs
    return Math.max(0, Math.min(policy.idleTimeoutMs, oldest.waitedMs + policy.openingTimeoutMs - this.waitedMs))
  }

  /** A message was waited for, milliseconds. */
  waited(ms: number): void {
    this.waitedMs += ms
  }

  /** Nobody spoke for {@link patienceMs}. */
  timedOut(): void {
    this.missing()
    if (this.asked.size === 0)
      this.ledger.find('deadline-exceeded', 'the prover fell silent before it closed the session')
  }

  /** The channel ended, or the caller gave up. */
  interrupted(error: unknown): void {
    const message = error instanceof Error ? error.message : String(error)
    const code = AssayError.isInstance(error) ? error.code : 'internal'
    if (code === 'aborted' || code === 'peer-error' || code === 'deadline-exceeded' || code === 'peer-untrusted')
      this.ledger.find(code, message)
    else if (noCommonGround.has(code)) this.ledger.find('no-common-ground', `${code}: ${message}`)
    else if (code === 'channel-lost' || code === 'channel-closed') {
      const open = this.asked.size > 0 ? `, with ${this.asked.size} challenges unanswered` : ''
      this.ledger.find('channel-lost', `${message}${open}`)
    } else if (AssayError.isInstance(error) && code !== 'internal')
      this.ledger.find('protocol-violation', `${code}: ${message}`)
    else this.ledger.find('internal', message)
  }

  /**
   * Takes one message of the prover.
   *
   * @returns Whether the session is over.
   * @throws {AssayError} What ends the session: a malformed or unexpected message.
   */
  async receive(bytes: Uint8Array): Promise<boolean> {
    this.ledger.bytes += bytes.length
    const message = decodeMessage(bytes)
    if (message.type === 'error')
      throw new AssayError('peer-error', `the prover gave up: ${message.control.code}: ${message.control.message}`)
    if (this.id.length === 0) {
      await this.hello(message, bytes)
      return false
    }
    const before = this.received.head
    this.received.append([bytes])
    if (!this.isOpened) {
      this.open(message)
      return false
    }
    const { mode } = this.options.policy
    // More operations would change no verdict, and what they declare is kept to the end of the session.
    if ((message.type === 'commit' || message.type === 'sample') && this.ledger.isBeyondDoubt) return true
    if (message.type === 'commit' && mode === 'interactive') await this.commit(message.control)
    else if (message.type === 'opening' && mode === 'interactive') await this.opening(message.control, message.segments)
    else if (message.type === 'sample' && mode === 'spot') {
      const { step, sequence } = message.control.record
      if (!isStepRead(this.spotSeed, this.id, step, this.options.policy.operationRate)) {
        throw new AssayError('message-unexpected', `operation ${sequence} is of step ${step}, which was not drawn`)
      }
      await this.audit.sampled(message.control, message.segments, (sequence) => ({
        plan: challengeSeed(this.spotSeed, this.id, sequence),
        check: challengeSeed(this.key, this.id, sequence),
      }))
    } else if (message.type === 'close') {
      this.close(message.control, before)
      return true
    } else
      throw new AssayError(
        'message-unexpected',
        `a ${message.type} message has no place here in a session of mode ${mode}`,
      )
    return false
  }

  /** Reveals the key and tells the prover, as far as it still listens. */
  async conclude(): Promise<Verdict> {
    const { channel } = this.options
    const transcriptHash = bytesToHex(joinHeads(this.suite, this.received.head, this.sent.head))
    const { identity } = this.options
    const verdict = {
      ...this.ledger.verdict(bytesToHex(this.id), transcriptHash),
      ...(this.isOpened && this.proverKey && { prover: fingerprint(this.proverKey) }),
      ...(identity && { verifier: identity.fingerprint }),
    }
    const signature = identity && sign(identity, statements.verdict(this.id, verdict))
    try {
      await channel.send(encodeMessage('reveal', { key: this.key }))
      await channel.send(encodeMessage('verdict', { verdict, ...(signature && { signature }) }))
    } catch {
      // A prover that is gone has its verdict here all the same.
    }
    return verdict
  }

  private async hello(message: ProtocolMessage, bytes: Uint8Array): Promise<void> {
    const { policy, store, manifest, channel } = this.options
    if (message.type !== 'hello')
      throw new AssayError('message-unexpected', `expected a hello, got a ${message.type} message`)
    const { versions, suites, modes: spoken, samplers, key } = message.control
    const need = (
      ok: boolean,
      code: 'version-unsupported' | 'suite-unknown' | 'mode-unknown' | 'sampler-unknown',
      what: string,
      offered: readonly unknown[],
    ) => {
      if (!ok)
        throw new AssayError(
          code,
          `the policy asks for ${what}; the prover offers ${excerpt(offered.join(', ')) || 'none'}`,
        )
    }
    need(versions.includes(protocolVersion), 'version-unsupported', `protocol version ${protocolVersion}`, versions)
    need(suites.includes(policy.suite), 'suite-unknown', `hash suite ${policy.suite}`, suites)
    need(spoken.includes(policy.mode), 'mode-unknown', `mode ${policy.mode} (there are ${modes.join(' and ')})`, spoken)
    need(samplers.includes(policy.sampler.name), 'sampler-unknown', `sampler ${policy.sampler.name}`, samplers)

    this.proverKey = key
    const { identity, provers } = this.options
    const actual = key && fingerprint(key)
    if (provers !== undefined && !(actual !== undefined && provers.includes(actual))) {
      throw new AssayError(
        'peer-untrusted',
        `this verifier lets in the provers that it knows, got ${actual ?? 'one without an identity'}`,
      )
    }

    const terms: Control<'policy'> = {
      version: protocolVersion,
      mode: policy.mode,
      suite: policy.suite,
      sampler: { name: policy.sampler.name, parameters: { ...policy.sampler.parameters } },
      nonce: crypto.getRandomValues(new Uint8Array(32)),
      keyCommitment: keyCommitment(this.key),
      window: policy.window,
      ...(policy.mode === 'spot' ? { spotSeed: this.spotSeed } : {}),
      ...(policy.mode === 'spot' && policy.operationRate < 1 ? { stepRate: policy.operationRate } : {}),
      weights: weightList(store),
      ...(manifest && { manifest: hexToBytes(manifestDigest(manifest)) }),
      ...(identity && { key: identity.publicKey }),
    }
    const isShown = manifest && policy.mode !== 'spot' && statesRelations(manifest)
    const segments = isShown ? [new TextEncoder().encode(JSON.stringify(manifest))] : []
    const parts = encodeMessage('policy', terms, segments)
    this.id = sessionId(this.suite, [bytes], parts)
    this.received.append([bytes])
    this.sent.append(parts)
    await channel.send(parts)
    if (identity === undefined) return
    const attest = encodeMessage('attest', { signature: sign(identity, statements.session(this.id, 'verifier')) })
    this.sent.append(attest)
    await channel.send(attest)
  }

  private open(message: ProtocolMessage): void {
    if (message.type !== 'open') {
      throw new AssayError('message-unexpected', `expected the session to be opened, got a ${message.type} message`)
    }
    const { session, signature } = message.control
    if (!equal(session, this.id)) {
      throw new AssayError(
        'message-malformed',
        'the prover opened another session: somebody changed the hello or the policy',
      )
    }
    if (this.proverKey && !isSigned(this.proverKey, signature, statements.session(this.id, 'prover'))) {
      throw new AssayError('peer-untrusted', 'the prover did not sign the session by the key that it named')
    }
    this.isOpened = true
  }

  private async commit({ records, tensors }: Control<'commit'>): Promise<void> {
    const { policy, channel } = this.options
    this.audit.declare(tensors)
    const challenges: Control<'challenge'>['challenges'] = []
    const vectorSeed = deriveSeed(this.key, 'vectors', this.received.head)
    for (const announced of records) {
      const { sequence } = announced
      const record = this.audit.take(announced)
      const audit =
        record !== undefined &&
        (this.audit.mustAudit(record) || isAudited(this.key, this.received.head, sequence, policy.operationRate))
      if (!audit) {
        // The prover holds the rows of a product until it hears of it.
        if (announced.kind === 'product') challenges.push({ sequence })
        continue
      }
      if (this.asked.size >= policy.window) {
        throw new AssayError(
          'message-unexpected',
          `more than ${policy.window} operations are committed to and not opened`,
        )
      }
      const seed = challengeSeed(this.key, this.received.head, sequence)
      this.asked.set(sequence, { record, seed, vectorSeed, waitedMs: this.waitedMs })
      challenges.push({ sequence, seed })
    }
    if (challenges.length === 0) return
    const parts = encodeMessage('challenge', { challenges })
    this.sent.append(parts)
    await channel.send(parts)
  }

  private async opening(control: Control<'opening'>, segments: readonly Uint8Array[]): Promise<void> {
    const { sequence } = control
    const asked = this.asked.get(sequence)
    if (asked === undefined)
      throw new AssayError('message-unexpected', `operation ${sequence} was opened without being challenged`)
    this.asked.delete(sequence)
    await this.audit.opened(asked.record, asked, { suite: this.suite, session: this.id }, control, segments)
  }

  private close(control: Control<'close'>, headBefore: Uint8Array): void {
    this.closed = true
    this.missing()
    const statement = statements.close(this.id, headBefore, this.ledger.coverage.operations)
    if (this.proverKey && !isSigned(this.proverKey, control.signature, statement)) {
      this.ledger.find('peer-untrusted', 'the prover did not sign what it said by the key that it named')
    }
    this.audit.finish(control, headBefore)
  }

  /** Challenges without an answer are answers. */
  private missing(): void {
    for (const { record } of this.asked.values()) {
      const when = this.closed ? 'before the prover closed the session' : 'in time'
      this.ledger.find('opening-missing', `the challenge was not answered ${when}`, {
        sequence: record.sequence,
        operation: record.operation,
      })
    }
  }
}

function equal(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && a.every((byte, i) => byte === b[i])
}
