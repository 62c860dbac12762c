import { hexToBytes } from '@noble/hashes/utils.js'
import type { Backend } from '../backend.ts'
import { protocolVersion } from '../codec/frame.ts'
import { type Control, encodeMessage, receiptMode } from '../codec/messages.ts'
import { challengeSeed } from '../commitment/challenge.ts'
import { concatBytes } from '../commitment/fields.ts'
import type { SuiteId } from '../commitment/suite.ts'
import { AssayError } from '../errors.ts'
import type { Identity } from '../identity/identity.ts'
import { sign, statements } from '../identity/statements.ts'
import { type Manifest, manifestDigest } from '../manifest/manifest.ts'
import { interactiveMode } from '../prover/interactive.ts'
import { openLink } from '../prover/link.ts'
import { recorder } from '../prover/recorder.ts'
import { auditedRuns } from '../prover/runs.ts'
import { sessionSteps } from '../prover/steps.ts'
import { knownWeights } from '../prover/weights.ts'
import { rows } from '../sampling/rows.ts'
import type { Sampler } from '../sampling/sampler.ts'
import type { Channel } from '../transport.ts'
import { type WeightStore, weightList } from '../weights.ts'
import { encodeReceipt } from './file.ts'
import { receiptKey } from './key.ts'

export interface ReceiptOptions {
  readonly backend: Backend
  /** The public weights: a B that is one of them is named, any other is committed to. */
  readonly weights: WeightStore
  /** Rows to open; `rows({ atLeast: 64 })` unless given. Whoever checks the receipt must ask for the same. */
  readonly sampler?: Sampler
  /** `sha256` unless given. */
  readonly suite?: SuiteId
  /** Work that every attempt at better challenges costs, as iterations of PBKDF2; 2²⁰. */
  readonly iterations?: number
  /** 32 bytes that nobody could know before the run, such as a block of a public chain: shows that it is not older. */
  readonly beacon?: Uint8Array
  readonly identity?: Identity
  /** What the run is meant to follow, and how its tensors follow from each other. */
  readonly manifest?: Manifest
  /** Memory for tensors: all of them are kept to the end, bytes; 2 GiB. What does not fit is reported as skipped. */
  readonly maxRetainedBytes?: number
}

/** Runs the user's model and writes a receipt that anybody can check later. */
export interface ReceiptProver {
  /** Runs `run` and records every product in it. Resolves and rejects as `run` does. */
  audit<T>(run: () => T | Promise<T>): Promise<T>
  /**
   * Draws the challenges from all that was committed to, and answers them.
   *
   * @throws {AssayError} `internal` if the run could not be recorded.
   */
  finish(): Promise<Uint8Array>
}

/**
 * Starts a receipt. It shows that gross cheating would have been costly, see {@link receiptKey}; the opened rows are public
 * for whoever gets the file.
 *
 * @throws {RangeError} If `iterations` is not an integer from 1 to 2³¹ − 1, or `beacon` does not have 32 bytes.
 *
 * @example
 * ```ts
 * const prover = await createReceiptProver({ backend: tfjs(tf), weights })
 * const scores = await prover.audit(() => model.predict(x))
 * await writeFile('run.receipt', await prover.finish())
 * ```
 */
export async function createReceiptProver(options: ReceiptOptions): Promise<ReceiptProver> {
  const { backend, weights: store, identity, manifest, maxRetainedBytes = 2 ** 31 } = options
  const { sampler = rows({ atLeast: 64 }), suite = 'sha256', iterations = 2 ** 20 } = options
  const { beacon = new Uint8Array(32) } = options
  if (!Number.isInteger(iterations) || iterations < 1 || iterations >= 2 ** 31) {
    throw new RangeError(`iterations must be an integer from 1 to 2^31 - 1, got ${iterations}`)
  }
  if (beacon.length !== 32) throw new RangeError(`a beacon must have 32 bytes, got ${beacon.length}`)
  const messages: Uint8Array[] = []
  const list = weightList(store)
  const terms: Control<'policy'> = {
    version: protocolVersion,
    mode: receiptMode,
    suite,
    sampler: { name: sampler.name, parameters: { ...sampler.parameters } },
    nonce: beacon,
    window: 2 ** 31,
    weights: list,
    iterations,
    ...(manifest && { manifest: hexToBytes(manifestDigest(manifest)) }),
  }
  const policy = encodeMessage('policy', terms)
  const samplers = { [sampler.name]: () => sampler }
  const channel = filingChannel(messages, concatBytes(policy))
  const link = await openLink({
    channel,
    backend: backend.name,
    modes: [receiptMode],
    identity,
    verifiers: undefined,
    samplers,
  })

  let defect: unknown
  const onLost = (error: unknown) => {
    defect ??= error
  }
  const steps = sessionSteps()
  const mode = interactiveMode({ link, weights: knownWeights(list), manifest, maxRetainedBytes, onLost })
  const observer = recorder(mode, steps, onLost)
  const { audit } = auditedRuns({
    backend,
    steps,
    observer,
    ready: async () => undefined,
    maxWaitMs: 0,
    isOver: () => finishing !== undefined,
  })
  let finishing: Promise<Uint8Array> | undefined

  async function finish(): Promise<Uint8Array> {
    const sequences = await mode.committed()
    const { head } = link
    const key = await receiptKey(head, iterations)
    await mode.challenge(sequences.map((sequence) => ({ sequence, seed: challengeSeed(key, head, sequence) })))
    if (defect !== undefined) {
      throw new AssayError('internal', `the run was not recorded: ${(defect as Error).message}`, { cause: defect })
    }
    const { operations } = observer
    const signature = identity && sign(identity, statements.close(link.session, link.head, operations))
    await link.send('close', { operations, transcript: link.head, ...(signature && { signature }) })
    mode.stop()
    return encodeReceipt(messages)
  }

  return {
    audit,
    finish() {
      finishing ??= finish()
      return finishing
    },
  }
}

/** Takes down what is sent; answers the first message, the hello, by the policy and nothing else by anything. */
function filingChannel(messages: Uint8Array[], policy: Uint8Array): Channel {
  return {
    peer: 'receipt',
    maxMessageBytes: 2 ** 31 - 1,
    async send(parts) {
      messages.push(concatBytes(parts))
      if (messages.length === 1) messages.push(policy)
    },
    close: async () => undefined,
    abort: () => undefined,
    async *[Symbol.asyncIterator]() {
      yield policy
    },
  }
}
