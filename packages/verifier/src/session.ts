import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import {
  AssayError,
  type Channel,
  type Control,
  challengeSeed,
  decodeMessage,
  encodeMessage,
  fingerprint,
  type HashSuite,
  type Identity,
  isAudited,
  isSigned,
  joinHeads,
  keyCommitment,
  loadSuite,
  type Manifest,
  type Matrix,
  manifestDigest,
  modes,
  type ProductRecord,
  type ProtocolMessage,
  protocolVersion,
  sessionId,
  sign,
  statements,
  type Transcript,
  transcript,
  unitShape,
  type Verdict,
  type WeightStore,
  weightList,
} from '@tensor-assay/core'
import { Accounts } from './accounts.ts'
import { Bindings } from './bindings.ts'
import { type CheckedRows, checkOpenedRows } from './check.ts'
import { layOpening, unboundTensor } from './lay-opening.ts'
import { Ledger } from './ledger.ts'
import { ManifestCheck } from './manifest-check.ts'
import type { OpenedProduct } from './opened.ts'
import type { Policy } from './policy.ts'
import type { PreparedWeights } from './prepared-weights.ts'

export interface SessionOptions {
  readonly policy: Policy
  readonly store: WeightStore
  readonly manifest: Manifest | undefined
  readonly identity: Identity | undefined
  /** Fingerprints of the provers that are let in; every one when absent. */
  readonly provers: readonly string[] | undefined
  readonly prepared: PreparedWeights
  readonly channel: Channel
  /** What the user sent in each step: the rows of the A of its first product. */
  readonly inputs: readonly Matrix[]
  /** What was delivered in each step: the rows of the C of its last product. */
  readonly outputs: readonly Matrix[]
  readonly onChecked: (operation: ProductRecord, rows: CheckedRows) => void
}

interface Asked {
  readonly record: ProductRecord
  readonly seed: Uint8Array
  readonly sentAt: number
}

/** One conversation with one prover, from its hello to the verdict. */
export class Session {
  private readonly options: SessionOptions
  private readonly ledger: Ledger
  private readonly bindings: Bindings
  private readonly manifest: ManifestCheck | undefined
  private readonly accounts: Accounts
  private readonly key = crypto.getRandomValues(new Uint8Array(32))
  private readonly spotSeed = crypto.getRandomValues(new Uint8Array(32))
  private readonly asked = new Map<number, Asked>()
  private suite: HashSuite
  private id: Uint8Array = new Uint8Array(0)
  private received: Transcript
  private sent: Transcript
  private proverKey: Uint8Array | undefined
  private isOpened = false
  private closed = false

  constructor(options: SessionOptions) {
    this.options = options
    this.ledger = new Ledger(options.policy, options.store.weights.length)
    this.bindings = new Bindings(options.inputs, options.outputs)
    const { policy, store, manifest } = options
    const { ledger, bindings } = this
    this.manifest = manifest && new ManifestCheck(manifest, ledger, policy.mode === 'interactive')
    this.accounts = new Accounts({ policy, store, ledger, bindings, manifest: this.manifest })
    this.suite = loadSuite(options.policy.suite)
    this.received = transcript(this.suite, 'prover')
    this.sent = transcript(this.suite, 'verifier')
  }

  /** Whether hello and policy were exchanged. */
  get opened(): boolean {
    return this.id.length > 0
  }

  /** How long the next message may take, milliseconds. */
  get patienceMs(): number {
    const { policy } = this.options
    if (this.id.length === 0) return policy.handshakeTimeoutMs
    const [oldest] = this.asked.values()
    if (oldest === undefined) return policy.idleTimeoutMs
    return Math.max(0, Math.min(policy.idleTimeoutMs, oldest.sentAt + policy.openingTimeoutMs - performance.now()))
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
    if (message.type === 'commit' && mode === 'interactive') await this.commit(message.control)
    else if (message.type === 'opening' && mode === 'interactive') await this.opening(message.control, message.segments)
    else if (message.type === 'sample' && mode === 'spot') await this.sample(message.control, message.segments)
    else if (message.type === 'close') {
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
        throw new AssayError(code, `the policy asks for ${what}; the prover offers ${offered.join(', ') || 'none'}`)
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

    const parts = encodeMessage('policy', {
      version: protocolVersion,
      mode: policy.mode,
      suite: policy.suite,
      sampler: { name: policy.sampler.name, parameters: { ...policy.sampler.parameters } },
      nonce: crypto.getRandomValues(new Uint8Array(32)),
      keyCommitment: keyCommitment(this.key),
      window: policy.window,
      ...(policy.mode === 'spot' ? { spotSeed: this.spotSeed } : {}),
      weights: weightList(store),
      ...(manifest && { manifest: hexToBytes(manifestDigest(manifest)) }),
      ...(identity && { key: identity.publicKey }),
    })
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
    this.accounts.declare(tensors)
    const challenges: Control<'challenge'>['challenges'] = []
    for (const announced of records) {
      const { sequence } = announced
      const record = this.accounts.take(announced)
      const audit =
        record !== undefined &&
        (this.bindings.wants(record) || isAudited(this.key, this.received.head, sequence, policy.operationRate))
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
      this.asked.set(sequence, { record, seed, sentAt: performance.now() })
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
    const { record, seed } = asked
    const at = { sequence, operation: record.operation }
    const { openingTimeoutMs } = this.options.policy
    if (performance.now() - asked.sentAt > openingTimeoutMs) {
      this.ledger.find('opening-missing', `the opening came later than ${openingTimeoutMs} ms`, at)
      return
    }
    const opened = this.lay(record, seed, segments)
    if (opened === undefined) return
    const tensorAt = (number: number) => this.accounts.tensor(number)
    const unbound = unboundTensor(this.suite, this.id, opened, control, tensorAt)
    if (unbound === undefined) return this.check(record, opened, seed)
    const root = this.accounts.tensor(opened[unbound]?.tensor ?? -1)?.root
    const evidence = root && { row: opened[unbound]?.indices[0] ?? 0, root: bytesToHex(root) }
    const message = `the opened rows of ${unbound.toUpperCase()} are not those that were committed to`
    this.ledger.find('commitment-mismatch', message, { ...at, ...(evidence && { evidence }) })
  }

  private async sample(
    { record: announced, tensors }: Control<'sample'>,
    segments: readonly Uint8Array[],
  ): Promise<void> {
    this.accounts.declare(tensors)
    const record = this.accounts.take(announced)
    if (record) {
      const opened = this.lay(record, challengeSeed(this.spotSeed, this.id, record.sequence), segments)
      if (opened) await this.check(record, opened, challengeSeed(this.key, this.id, record.sequence))
    }
    // Nothing binds the rows, so nothing is remembered of them.
    this.accounts.forget()
  }

  /** Lays the rows out by this side's own plan, and refuses any other number of bytes. */
  private lay(record: ProductRecord, seed: Uint8Array, segments: readonly Uint8Array[]): OpenedProduct | undefined {
    const { sequence, operation } = record
    const plan = this.options.policy.sampler.plan(seed, unitShape({ layout: record.layout, right: record.b.kind }))
    const laid = layOpening(record, plan, segments, (number) => this.accounts.tensor(number))
    if (typeof laid !== 'string') return laid
    this.ledger.find('opening-malformed', laid, { sequence, operation })
    return undefined
  }

  private async check(record: ProductRecord, opened: OpenedProduct, seed: Uint8Array): Promise<void> {
    const { policy, prepared, onChecked } = this.options
    const at = { sequence: record.sequence, operation: record.operation }
    if (opened.plan.rows.length === 0) {
      this.ledger.find('empty-product', 'the product is empty, so there is nothing to check', at)
      return
    }
    const weights = await prepared.of(record, opened.c.dtype)
    const before = performance.now()
    const rows = checkOpenedRows({ record, opened, seed, policy, weights })
    this.ledger.checkMs += performance.now() - before
    this.ledger.checked(rows)
    this.ledger.audited(policy.sampler, unitShape({ layout: record.layout, right: record.b.kind }))
    for (const { reason, message, evidence } of rows.findings) {
      this.ledger.find(reason, message, { ...at, ...(evidence && { evidence }) })
    }
    this.bindings.compare(record, opened, this.ledger)
    onChecked(record, rows)
  }

  private close(control: Control<'close'>, headBefore: Uint8Array): void {
    this.closed = true
    this.missing()
    if (control.operations !== this.ledger.coverage.operations) {
      this.ledger.find(
        'count-mismatch',
        `the prover counts ${control.operations} operations, ${this.ledger.coverage.operations} arrived`,
      )
    }
    if (!equal(control.transcript, headBefore)) {
      this.ledger.find('transcript-mismatch', 'the prover remembers other messages than those that arrived')
    }
    const statement = statements.close(this.id, headBefore, this.ledger.coverage.operations)
    if (this.proverKey && !isSigned(this.proverKey, control.signature, statement)) {
      this.ledger.find('peer-untrusted', 'the prover did not sign what it said by the key that it named')
    }
    this.bindings.finish(this.ledger)
    this.manifest?.finish()
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
