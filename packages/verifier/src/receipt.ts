import { bytesToHex } from '@noble/hashes/utils.js'
import {
  AssayError,
  type Control,
  challengeSeed,
  decodeMessage,
  decodeReceipt,
  deriveSeed,
  excerpt,
  fingerprint,
  type HashSuite,
  isSigned,
  joinHeads,
  loadSuite,
  type Manifest,
  type Matrix,
  manifestDigest,
  type ProductRecord,
  type ProtocolMessage,
  parseFingerprint,
  protocolVersion,
  receiptKey,
  receiptMode,
  sessionId,
  statements,
  type Transcript,
  transcript,
  type Verdict,
  type WeightStore,
  weightList,
} from '@tensor-assay/core'
import { Audit } from './audit.ts'
import { type Policy, receipt } from './policy.ts'
import { preparedWeights } from './prepared-weights.ts'

export interface ReceiptChecks {
  /** The same store as the receipt was made for. */
  readonly weights: WeightStore
  readonly manifest?: Manifest
  /** `receipt()` unless given. */
  readonly policy?: Policy
  /** Fingerprints of the provers by one of which the receipt must be signed; by none, unless given. */
  readonly provers?: readonly string[]
  /** 32 bytes that the receipt must have been made on. */
  readonly beacon?: Uint8Array
  /** What the user sent in each step: the A of its first product must be this, as rows. */
  readonly inputs?: readonly Matrix[]
  /** What the user received of each step: the C of its last product must be this, as rows. */
  readonly outputs?: readonly Matrix[]
}

/**
 * Checks a receipt offline. Whatever is wrong with the file is in the verdict, which is `fail` then.
 *
 * @throws {TypeError} If the policy is not one for receipts, or a fingerprint is not one.
 *
 * @example
 * ```ts
 * const verdict = await verifyReceipt(await readFile('run.receipt'), { weights: await weights('model.json') })
 * ```
 */
export async function verifyReceipt(bytes: Uint8Array, checks: ReceiptChecks): Promise<Verdict> {
  const { policy = receipt() } = checks
  if (policy.mode !== receiptMode) throw new TypeError(`expected a policy made by receipt(), got mode ${policy.mode}`)
  for (const prover of checks.provers ?? []) parseFingerprint(prover)
  const reader = new ReceiptReader(policy, checks)
  try {
    for (const message of decodeReceipt(bytes)) await reader.take(message)
    reader.end()
  } catch (error) {
    reader.broken(error)
  }
  return reader.verdict()
}

/** Reads the messages of a receipt in their one order: hello, policy, open, commitments, openings, close. */
class ReceiptReader {
  private readonly policy: Policy
  private readonly checks: ReceiptChecks
  private readonly audit: Audit
  private readonly suite: HashSuite
  private readonly received: Transcript
  private readonly sent: Transcript
  private readonly waiting = new Map<number, ProductRecord>()
  private hello: { readonly bytes: Uint8Array; readonly control: Control<'hello'> } | undefined
  private id: Uint8Array | undefined
  private isOpened = false
  private isClosed = false
  private challenge: { readonly key: Uint8Array; readonly head: Uint8Array } | undefined

  constructor(policy: Policy, checks: ReceiptChecks) {
    const { weights: store, manifest, inputs = [], outputs = [] } = checks
    this.policy = policy
    this.checks = checks
    const onChecked = () => undefined
    this.audit = new Audit({ policy, store, manifest, inputs, outputs, prepared: preparedWeights(store), onChecked })
    this.suite = loadSuite(policy.suite)
    this.received = transcript(this.suite, 'prover')
    this.sent = transcript(this.suite, 'verifier')
  }

  /** @throws {AssayError} If a message is malformed or has no place where it stands. */
  async take(bytes: Uint8Array): Promise<void> {
    this.audit.ledger.bytes += bytes.length
    const message = decodeMessage(bytes)
    if (this.hello === undefined) {
      if (message.type !== 'hello') throw misplaced(message)
      this.hello = { bytes, control: message.control }
      this.received.append([bytes])
      return
    }
    if (this.id === undefined) {
      if (message.type !== 'policy') throw misplaced(message)
      this.checkPolicy(message.control)
      this.id = sessionId(this.suite, [this.hello.bytes], [bytes])
      this.sent.append([bytes])
      return
    }
    const before = this.received.head
    this.received.append([bytes])
    if (this.isClosed || this.isOpened === (message.type === 'open')) throw misplaced(message)
    if (message.type === 'open') this.open(this.id, message.control)
    else if (message.type === 'commit' && this.challenge === undefined) {
      this.audit.declare(message.control.tensors)
      for (const announced of message.control.records) {
        const record = this.audit.take(announced)
        if (record) this.waiting.set(record.sequence, record)
      }
    } else if (message.type === 'opening') await this.opening(this.id, before, message)
    else if (message.type === 'close') this.close(this.id, before, message.control)
    else throw misplaced(message)
  }

  /** @throws {AssayError} If the file ends before the receipt does. */
  end(): void {
    if (!this.isClosed) throw new AssayError('receipt-malformed', 'the receipt ends before it is closed')
  }

  broken(error: unknown): void {
    const { ledger } = this.audit
    const message = error instanceof Error ? error.message : String(error)
    if (!AssayError.isInstance(error) || error.code === 'internal') ledger.find('internal', message)
    else if (error.code === 'peer-untrusted') ledger.find('peer-untrusted', message)
    else ledger.find('protocol-violation', `${error.code}: ${message}`)
  }

  verdict(): Verdict {
    const key = this.hello?.control.key
    return {
      ...this.audit.ledger.verdict(
        bytesToHex(this.id ?? new Uint8Array(0)),
        bytesToHex(joinHeads(this.suite, this.received.head, this.sent.head)),
      ),
      ...(this.isClosed && key && { prover: fingerprint(key) }),
    }
  }

  /** The receipt's terms were the prover's to choose, so they must be those that the reader would have set. */
  private checkPolicy(terms: Control<'policy'>): void {
    const { policy, checks, audit } = this
    const { sampler } = policy
    const same = (what: string, wanted: unknown, got: unknown) => {
      const [expected, actual] = [JSON.stringify(wanted), JSON.stringify(got) as string | undefined]
      if (expected === actual) return
      const found = actual === undefined ? 'none' : excerpt(actual)
      audit.ledger.find('policy-mismatch', `expected ${what} ${expected}, got ${found}`)
    }
    same('protocol version', protocolVersion, terms.version)
    same('mode', receiptMode, terms.mode)
    same('hash suite', policy.suite, terms.suite)
    same('sampler', sampler.name, terms.sampler.name)
    same('sampling parameters', sorted(sampler.parameters), sorted(terms.sampler.parameters))
    const list = weightList(checks.weights)
    if (list.length !== terms.weights.length || list.some((byte, i) => byte !== terms.weights[i])) {
      audit.ledger.find('policy-mismatch', 'it was made for other weights than those that it is checked against')
    }
    if (checks.manifest) same('manifest', manifestDigest(checks.manifest), terms.manifest && bytesToHex(terms.manifest))
    if (checks.beacon) same('beacon', bytesToHex(checks.beacon), bytesToHex(terms.nonce))
    const iterations = terms.iterations ?? 0
    if (iterations < policy.iterations) {
      const message = `expected at least ${policy.iterations} iterations, got ${iterations}`
      audit.ledger.find('policy-mismatch', message)
    }
    // Whoever made the file must not decide how long its reader works.
    if (iterations > maxIterations) {
      throw new AssayError('receipt-malformed', `${iterations} iterations exceed ${maxIterations}`)
    }
    audit.ledger.receiptIterations = Math.max(1, iterations)
  }

  private open(id: Uint8Array, { session, signature }: Control<'open'>): void {
    if (session.some((byte, i) => byte !== id[i])) {
      throw new AssayError('receipt-malformed', 'it was opened for another hello or policy than it has')
    }
    const key = this.hello!.control.key
    const actual = key && fingerprint(key)
    const { provers } = this.checks
    if (provers && !(actual !== undefined && provers.includes(actual))) {
      throw new AssayError('peer-untrusted', `it is by ${actual ?? 'somebody without an identity'}`)
    }
    if (key && !isSigned(key, signature, statements.session(id, 'prover'))) {
      throw new AssayError('peer-untrusted', 'it is not signed by the key that it names')
    }
    this.isOpened = true
  }

  private async opening(
    session: Uint8Array,
    head: Uint8Array,
    { control, segments }: Extract<ProtocolMessage, { type: 'opening' }>,
  ): Promise<void> {
    // The first opening ends the commitments: the challenges come from all of them.
    this.challenge ??= { key: await receiptKey(head, this.audit.ledger.receiptIterations), head }
    const { sequence } = control
    const record = this.waiting.get(sequence)
    if (record === undefined) {
      throw new AssayError('message-unexpected', `operation ${sequence} was opened twice or never committed to`)
    }
    this.waiting.delete(sequence)
    const seed = challengeSeed(this.challenge.key, this.challenge.head, sequence)
    const vectorSeed = deriveSeed(this.challenge.key, 'vectors', this.challenge.head)
    await this.audit.opened(record, { seed, vectorSeed }, { suite: this.suite, session }, control, segments)
  }

  private close(session: Uint8Array, before: Uint8Array, control: Control<'close'>): void {
    this.isClosed = true
    const { ledger } = this.audit
    for (const { sequence, operation } of this.waiting.values()) {
      ledger.find('opening-missing', 'the receipt does not open it', { sequence, operation })
    }
    const key = this.hello!.control.key
    const statement = statements.close(session, before, ledger.coverage.operations)
    if (key && !isSigned(key, control.signature, statement)) {
      ledger.find('peer-untrusted', 'the end is not signed by the key that the receipt names')
    }
    this.audit.finish(control, before)
  }
}

/** Work that a receipt may ask of its reader: a minute, about. */
const maxIterations = 2 ** 26

function sorted(parameters: Readonly<Record<string, number>>): [string, number][] {
  return Object.entries(parameters).sort(([a], [b]) => (a < b ? -1 : 1))
}

function misplaced({ type }: ProtocolMessage): AssayError {
  return new AssayError('message-unexpected', `a ${type} message has no place there in a receipt`)
}
