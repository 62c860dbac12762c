import { bytesToHex } from '@noble/hashes/utils.js'
import { protocolVersion } from '../codec/frame.ts'
import {
  type Control,
  decodeMessage,
  encodeMessage,
  type MessageType,
  type ProtocolMessage,
  receiptMode,
} from '../codec/messages.ts'
import { sessionId } from '../commitment/challenge.ts'
import { type HashSuite, loadSuite } from '../commitment/suite.ts'
import { joinHeads, transcript } from '../commitment/transcript.ts'
import { AssayError } from '../errors.ts'
import { fingerprint, type Identity } from '../identity/identity.ts'
import { isSigned, sign, statements } from '../identity/statements.ts'
import { type Manifest, manifestDigest, parseManifest } from '../manifest/manifest.ts'
import { samplerNamed } from '../sampling/registry.ts'
import type { Sampler, SamplerFactory } from '../sampling/sampler.ts'
import type { Channel } from '../transport.ts'
import { weightEntryBytes } from '../weights.ts'

/** A prover's end of a session: the agreed terms, and frames that are added to the transcript as they pass. */
export interface ProverLink {
  readonly session: Uint8Array
  readonly suite: HashSuite
  readonly sampler: Sampler
  readonly policy: Control<'policy'>
  /** What the session is held against, where the verifier sent it. */
  readonly manifest: Manifest | undefined
  /** The prover's transcript after the last frame sent. */
  readonly head: Uint8Array
  /** Hash of both directions, hexadecimal. */
  transcriptHash(): string
  /** Frames leave in the order of the calls. */
  send<T extends MessageType>(type: T, control: Control<T>, segments?: readonly Uint8Array[]): Promise<void>
  messages(): AsyncGenerator<ProtocolMessage>
}

export interface LinkOptions {
  readonly channel: Channel
  readonly backend: string
  /** Modes in which this prover can go on. */
  readonly modes: readonly string[]
  readonly identity: Identity | undefined
  /** Fingerprints of the verifiers that are trusted; every one when absent. */
  readonly verifiers: readonly string[] | undefined
  readonly samplers: Readonly<Record<string, SamplerFactory>>
}

/** Says hello, takes the verifier's policy and opens the session. */
export async function openLink(options: LinkOptions): Promise<ProverLink> {
  const { channel, backend, modes, identity, verifiers, samplers } = options
  const hello = encodeMessage('hello', {
    versions: [protocolVersion],
    suites: ['sha256', 'blake3'],
    modes: [...modes],
    samplers: Object.keys(samplers).sort(),
    nonce: crypto.getRandomValues(new Uint8Array(32)),
    backend,
    ...(identity && { key: identity.publicKey }),
  })
  await channel.send(hello)

  const incoming = channel[Symbol.asyncIterator]()
  const first = await incoming.next()
  if (first.done) throw new AssayError('channel-lost', 'the verifier closed the channel before it sent a policy')
  const policyBytes = first.value
  const message = decodeMessage(policyBytes)
  if (message.type === 'error') throw peerError(message.control)
  if (message.type !== 'policy') {
    throw new AssayError('message-unexpected', `expected the verifier's policy, got its ${message.type}`)
  }
  const policy = message.control
  checkPolicy(policy, modes)
  if (message.segments.length > 1) {
    throw new AssayError('message-malformed', `a policy brings one manifest at most, got ${message.segments.length}`)
  }
  const manifest = message.segments[0] && manifestOf(policy, message.segments[0])
  const suite = loadSuite(policy.suite)
  const sampler = samplerNamed(policy.sampler.name, policy.sampler.parameters, samplers)
  const session = sessionId(suite, hello, [policyBytes])

  const sent = transcript(suite, 'prover')
  const received = transcript(suite, 'verifier')
  sent.append(hello)
  received.append([policyBytes])
  checkVerifier(policy, verifiers)
  if (policy.key !== undefined) {
    const next = await incoming.next()
    const attest = next.done ? undefined : decodeMessage(next.value)
    const signature = attest?.type === 'attest' ? attest.control.signature : undefined
    if (next.done || !isSigned(policy.key, signature, statements.session(session, 'verifier'))) {
      throw new AssayError(
        'peer-untrusted',
        'the verifier did not sign the session: somebody between may have changed the hello or the policy',
      )
    }
    received.append([next.value])
  }

  const link: ProverLink = {
    session,
    suite,
    sampler,
    policy,
    manifest,
    get head() {
      return sent.head
    },
    transcriptHash: () => bytesToHex(joinHeads(suite, sent.head, received.head)),
    send(type, control, segments) {
      const parts = encodeMessage(type, control, segments)
      sent.append(parts)
      return channel.send(parts)
    },
    async *messages() {
      for (;;) {
        const next = await incoming.next()
        if (next.done) return
        const message = decodeMessage(next.value)
        if (message.type === 'error') throw peerError(message.control)
        if (message.type === 'challenge') received.append([next.value])
        yield message
      }
    },
  }
  await link.send('open', {
    session,
    ...(identity && { signature: sign(identity, statements.session(session, 'prover')) }),
  })
  return link
}

/** The manifest that a policy brings. @throws {AssayError} `manifest-malformed`, or `message-malformed` if it is another. */
function manifestOf(policy: Control<'policy'>, json: Uint8Array): Manifest {
  const manifest = parseManifest(new TextDecoder().decode(json))
  const digest = manifestDigest(manifest)
  if (policy.manifest === undefined || digest !== bytesToHex(policy.manifest)) {
    throw new AssayError('message-malformed', `the policy brings manifest ${digest}, and names another one`)
  }
  return manifest
}

function checkVerifier({ key }: Control<'policy'>, verifiers: readonly string[] | undefined): void {
  if (verifiers === undefined) return
  const actual = key && fingerprint(key)
  if (actual !== undefined && verifiers.includes(actual)) return
  throw new AssayError(
    'peer-untrusted',
    `expected the verifier to be ${verifiers.join(' or ')}, got ${actual ?? 'one without an identity'}`,
  )
}

/** What a policy must have beside what every policy has. */
const neededFields: Readonly<Record<string, readonly (keyof Control<'policy'>)[]>> = {
  spot: ['spotSeed', 'keyCommitment'],
  interactive: ['keyCommitment'],
  [receiptMode]: ['iterations'],
}

function checkPolicy(policy: Control<'policy'>, modes: readonly string[]): void {
  if (policy.version !== protocolVersion) {
    throw new AssayError(
      'version-unsupported',
      `the verifier demands protocol ${policy.version}, this prover speaks ${protocolVersion}`,
    )
  }
  if (!modes.includes(policy.mode)) {
    throw new AssayError(
      'mode-unknown',
      `the verifier demands mode ${JSON.stringify(policy.mode)}, this prover knows ${modes.join(' and ')}`,
    )
  }
  const missing = neededFields[policy.mode]!.find((name) => policy[name] === undefined)
  if (missing !== undefined) {
    throw new AssayError('message-malformed', `the policy of a session of mode ${policy.mode} lacks its ${missing}`)
  }
  if (policy.weights.length % weightEntryBytes !== 0) {
    throw new AssayError(
      'message-malformed',
      `the policy's weight list of ${policy.weights.length} bytes is not made of ${weightEntryBytes}-byte entries`,
    )
  }
}

function peerError(control: Control<'error'>): AssayError {
  return new AssayError('peer-error', `the verifier gave up: ${control.code}: ${control.message}`)
}
