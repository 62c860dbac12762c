import type { Control, MessageType, ProtocolMessage } from '../../../codec/messages.ts'
import { rowsToOpen } from '../../../commitment/leaves.ts'
import { deriveSeed } from '../../../random/seed.ts'
import { openedRows, unitShape } from '../../../sampling/opened-rows.ts'
import { samplerNamed } from '../../../sampling/registry.ts'
import type { Sampler } from '../../../sampling/sampler.ts'
import type { MiddleAttack } from '../attack.ts'
import type { Interference } from '../middle.ts'
import { type Outgoing, say } from '../outgoing.ts'
import { byMiddle, type MessageOf, without } from './define.ts'

type Extras = Parameters<typeof byMiddle>[4]
type Side = 'toVerifier' | 'toProver'

/** Rewrites the first message of a type on its way to one side. */
function rewriting<T extends MessageType>(
  side: Side,
  type: T,
  rewrite: (message: MessageOf<T>) => readonly Outgoing[],
) {
  return (): Interference => {
    let done = false
    return {
      [side](message: ProtocolMessage, bytes: Uint8Array): readonly Outgoing[] {
        if (done || message.type !== type) return [[bytes]]
        done = true
        return rewrite(message as MessageOf<T>)
      },
    }
  }
}

function changing<T extends MessageType>(side: Side, type: T, change: (control: Control<T>) => object) {
  return rewriting(side, type, ({ control, segments }) => [
    say(type, { ...control, ...change(control) } as Control<T>, segments),
  ])
}

const zeros = () => new Uint8Array(32)

function flipped(bytes: Uint8Array): Uint8Array {
  const out = bytes.slice()
  out[0]! ^= 1
  return out
}

/** The two sides have not seen the same hello and policy, and notice when the session is opened. */
function handshake(
  name: string,
  description: string,
  interfere: () => Interference,
  extras: Extras = {},
): MiddleAttack {
  const identities = {
    expectedWith: { identities: 'channel-lost' },
    proverWith: { identities: 'peer-untrusted' },
  } as const
  return byMiddle(`transit: ${name}`, description, 'message-malformed', interfere, {
    ...identities,
    ...extras,
  })
}

const policyChange = (
  name: string,
  description: string,
  change: (control: Control<'policy'>) => object,
  extras: Extras = {},
) => handshake(name, description, changing('toProver', 'policy', change), extras)

const downgrades: readonly MiddleAttack[] = [
  policyChange('a lower rate', 'fewer rows are asked of the prover', () => ({
    sampler: { name: 'rows', parameters: { atLeast: 1, rate: 0, columns: 1 } },
  })),
  policyChange('another sampler', 'a weaker sampler is asked for', () => ({
    sampler: { name: 'grid', parameters: {} },
  })),
  policyChange('a weaker mode', 'the prover is asked for the mode that binds nothing', () => ({
    mode: 'spot',
    spotSeed: zeros(),
  })),
  policyChange('another suite', 'the prover is asked to hash otherwise', () => ({ suite: 'blake3' })),
  policyChange('no weights', 'the prover is told that no weight is known', () => ({ weights: new Uint8Array(0) })),
  policyChange('another window', 'the prover may be further ahead', () => ({ window: 1000 })),
  policyChange('another nonce', 'the nonce of the verifier is replaced', () => ({ nonce: zeros() })),
  policyChange(
    'another commitment to the key',
    'challenges of another key are to look fair',
    () => ({ keyCommitment: zeros() }),
    { prover: 'challenge-unfair' },
  ),
  policyChange('another manifest', 'the prover is told of a manifest that is not there', () => ({ manifest: zeros() })),
]

/** Those of which the prover gives up; the verifier sees it leave. */
const refusals: readonly MiddleAttack[] = [
  byMiddle(
    'transit: a version that does not exist',
    'the prover is to give up',
    'channel-lost',
    changing('toProver', 'policy', () => ({ version: 9 })),
    { prover: 'version-unsupported' },
  ),
  byMiddle(
    'transit: an unknown mode',
    'the prover is to give up',
    'channel-lost',
    changing('toProver', 'policy', () => ({ mode: 'trust' })),
    { prover: 'mode-unknown' },
  ),
  byMiddle(
    'transit: an unknown suite',
    'the prover is to hash by a broken function',
    'channel-lost',
    changing('toProver', 'policy', () => ({ suite: 'md5' })),
    { prover: 'suite-unknown' },
  ),
  byMiddle(
    'transit: an unknown sampler',
    'the prover is to sample by a function of the attacker',
    'channel-lost',
    changing('toProver', 'policy', () => ({ sampler: { name: 'none', parameters: {} } })),
    { prover: 'sampler-unknown' },
  ),
  byMiddle(
    'transit: a sampler of no rows',
    'the prover is to sample nothing',
    'channel-lost',
    changing('toProver', 'policy', () => ({ sampler: { name: 'rows', parameters: { atLeast: 0 } } })),
    { prover: 'message-malformed' },
  ),
  byMiddle(
    'transit: a policy without a field',
    'a field of the policy is stripped',
    'channel-lost',
    rewriting('toProver', 'policy', ({ control }) => [
      say('policy', without(control, 'keyCommitment') as Control<'policy'>),
    ]),
    { prover: 'message-malformed' },
  ),
  byMiddle(
    'transit: a policy with a field more',
    'a field is added to the policy',
    'channel-lost',
    changing('toProver', 'policy', () => ({ trusted: true })),
    { prover: 'message-malformed' },
  ),
  byMiddle(
    'transit: a weight list cut short',
    'half an entry in the list of weights',
    'channel-lost',
    changing('toProver', 'policy', ({ weights }) => ({ weights: weights.slice(0, -1) })),
    { prover: 'message-malformed' },
  ),
]

const helloChange = (
  name: string,
  description: string,
  change: (control: Control<'hello'>) => object,
  extras: Extras = {},
) => handshake(name, description, changing('toVerifier', 'hello', change), extras)

const hellos: readonly MiddleAttack[] = [
  helloChange('another nonce of the prover', 'the nonce of the prover is replaced', () => ({ nonce: zeros() })),
  helloChange('another backend', 'the prover is given another name', () => ({ backend: 'trusted hardware' })),
  helloChange('fewer suites', 'the stronger suite is not offered', () => ({ suites: ['sha256'] })),
  helloChange('a key that the prover does not have', 'the prover is given an identity', () => ({ key: zeros() }), {
    expectedWith: { identities: 'peer-untrusted' },
    proverWith: { identities: 'peer-error' },
  }),
]

/** Asks the prover for rows that lie in as many leaves as those that the verifier asked for. */
function otherChallenge(): Interference {
  let sampler: Sampler | undefined
  const commits: Control<'commit'>[] = []

  function leavesAsked(sequence: number, seed: Uint8Array): string {
    const tensors = commits.flatMap((commit) => commit.tensors)
    const record = commits.flatMap(({ records }) => records).find((candidate) => candidate.sequence === sequence)
    if (record?.kind !== 'product' || sampler === undefined) return ''
    const sampled = { layout: record.layout, right: record.b.kind }
    const rows = openedRows(sampled, sampler.plan(seed, unitShape(sampled)))
    const a = tensors.find(({ tensor }) => tensor === record.a)!
    return rowsToOpen(rows.a, a).join()
  }

  function other(sequence: number, seed: Uint8Array): Uint8Array {
    const wanted = leavesAsked(sequence, seed)
    for (let i = 0; ; i++) {
      const candidate = deriveSeed(seed, 'another', i)
      const leaves = leavesAsked(sequence, candidate)
      if (leaves !== wanted && leaves.split(',').length === wanted.split(',').length) return candidate
    }
  }

  return {
    toVerifier(message, bytes) {
      if (message.type === 'commit') commits.push(message.control)
      return [[bytes]]
    },
    toProver(message, bytes) {
      if (message.type === 'policy') {
        sampler = samplerNamed(message.control.sampler.name, message.control.sampler.parameters)
      }
      if (message.type !== 'challenge') return [[bytes]]
      const challenges = message.control.challenges.map(({ sequence, seed }) =>
        seed === undefined ? { sequence } : { sequence, seed: other(sequence, seed) },
      )
      return [say('challenge', { challenges })]
    },
  }
}

const messages: readonly MiddleAttack[] = [
  byMiddle(
    'transit: another root',
    'one bit of a commitment is changed',
    'commitment-mismatch',
    changing('toVerifier', 'commit', ({ tensors }) => ({
      tensors: tensors.map((tensor, i) => (i === 0 ? { ...tensor, root: flipped(tensor.root) } : tensor)),
    })),
    { prover: 'challenge-unfair' },
  ),
  byMiddle(
    'transit: another row',
    'one bit of an opened row is changed',
    'commitment-mismatch',
    rewriting('toVerifier', 'opening', ({ control, segments }) => [
      say('opening', control, [flipped(segments[0]!), ...segments.slice(1)]),
    ]),
  ),
  byMiddle(
    'transit: another challenge',
    'the prover is asked for as many rows, and others',
    'commitment-mismatch',
    otherChallenge,
    { prover: 'challenge-unfair' },
  ),
  byMiddle(
    'transit: no challenge',
    'the prover is told that it is not audited',
    'opening-missing',
    changing('toProver', 'challenge', ({ challenges }) => ({
      challenges: challenges.map(({ sequence }) => ({ sequence })),
    })),
  ),
  byMiddle(
    'transit: a challenge dropped',
    'the prover is not asked',
    'opening-missing',
    rewriting('toProver', 'challenge', () => []),
    { policy: { openingTimeoutMs: 150 } },
  ),
  byMiddle(
    'transit: an opening dropped',
    'the answer does not arrive',
    'opening-missing',
    rewriting('toVerifier', 'opening', () => []),
  ),
  byMiddle(
    'transit: an opening twice',
    'the answer arrives twice',
    'message-unexpected',
    rewriting('toVerifier', 'opening', (opening) => [opening, opening]),
    {},
  ),
  byMiddle(
    'transit: a commitment dropped',
    'the announcement does not arrive',
    'deadline-exceeded',
    rewriting('toVerifier', 'commit', () => []),
    { policy: { idleTimeoutMs: 1000 } },
  ),
  byMiddle(
    'transit: a commitment twice',
    'the announcement arrives twice',
    'message-malformed',
    rewriting('toVerifier', 'commit', (commit) => [commit, commit]),
    {},
  ),
  byMiddle(
    'transit: an operation added',
    'an operation is announced that did not run',
    'count-mismatch',
    rewriting('toVerifier', 'close', (close) => [
      say('commit', {
        records: [
          {
            kind: 'opaque',
            sequence: close.control.operations,
            step: 0,
            operation: 'x',
            cause: 'unsupported',
            reason: 'x',
          },
        ],
        tensors: [],
      }),
      close,
    ]),
  ),
  byMiddle(
    'transit: another count',
    'the close counts one operation fewer',
    'count-mismatch',
    changing('toVerifier', 'close', ({ operations }) => ({ operations: operations - 1 })),
  ),
  byMiddle(
    'transit: another transcript',
    'the close names another transcript',
    'transcript-mismatch',
    changing('toVerifier', 'close', () => ({ transcript: zeros() })),
  ),
  byMiddle(
    'transit: a close dropped',
    'the close does not arrive',
    'deadline-exceeded',
    rewriting('toVerifier', 'close', () => []),
    { policy: { idleTimeoutMs: 1000 } },
  ),
  byMiddle(
    'transit: an error',
    'the verifier is told that the prover failed',
    'peer-error',
    rewriting('toVerifier', 'opening', () => [say('error', { code: 'internal', message: 'out of memory' })]),
  ),
]

/** Lies to the prover about the verdict: the verifier sees nothing wrong. */
const verdicts: readonly MiddleAttack[] = [
  byMiddle(
    'transit: another key revealed',
    'the prover is to take the challenges for unfair',
    'pass',
    changing('toProver', 'reveal', () => ({ key: zeros() })),
    { prover: 'challenge-unfair' },
  ),
  byMiddle(
    'transit: no key revealed',
    'the key does not arrive',
    'pass',
    rewriting('toProver', 'reveal', () => []),
    { prover: 'challenge-unfair' },
  ),
  byMiddle(
    'transit: a verdict on another session',
    'a passing verdict of another transcript',
    'pass',
    changing('toProver', 'verdict', ({ verdict }) => ({ verdict: { ...verdict, transcript: '' } })),
    { prover: 'verdict-untrusted' },
  ),
  byMiddle(
    'transit: a verdict dropped',
    'the verdict does not arrive',
    'pass',
    rewriting('toProver', 'verdict', () => []),
    { prover: 'channel-lost' },
  ),
  byMiddle(
    'transit: a better verdict',
    'the verdict claims more rows than were checked',
    'pass',
    changing('toProver', 'verdict', ({ verdict }) => ({
      verdict: { ...verdict, statistics: { ...verdict.statistics, rows: 10_000 } },
    })),
    { prover: 'limit', proverWith: { identities: 'verdict-untrusted' }, expectedWith: { identities: 'pass' } },
  ),
  byMiddle(
    'transit: a failure made a pass',
    'an opening is spoilt, and the verdict on it embellished',
    'commitment-mismatch',
    () => ({
      toVerifier: (message, bytes) =>
        message.type === 'opening' ? [say('opening', message.control, message.segments.map(flipped))] : [[bytes]],
      toProver: (message, bytes) =>
        message.type === 'verdict'
          ? [
              say('verdict', {
                ...message.control,
                verdict: { ...message.control.verdict, status: 'pass', findings: [], findingCount: 0 },
              }),
            ]
          : [[bytes]],
    }),
    { prover: 'verdict-untrusted' },
  ),
]

/** Signatures, where both sides have identities that the other knows. */
const signatures: readonly MiddleAttack[] = (
  [
    ['toVerifier', 'hello', 'key', 'peer-untrusted', 'peer-error'],
    ['toVerifier', 'open', 'signature', 'peer-untrusted', 'peer-untrusted'],
    ['toVerifier', 'close', 'signature', 'peer-untrusted', 'peer-untrusted'],
    ['toProver', 'policy', 'key', 'channel-lost', 'peer-untrusted'],
    ['toProver', 'verdict', 'signature', 'pass', 'verdict-untrusted'],
  ] as const
).map(([side, type, field, expected, prover]) =>
  byMiddle(
    `transit: ${type} without its ${field}`,
    'what identifies a side is stripped',
    'pass',
    rewriting(side, type, ({ control, segments }) => [
      say(type, without(control, field) as Control<typeof type>, segments),
    ]),
    { prover: 'pass', expectedWith: { identities: expected }, proverWith: { identities: prover } },
  ),
)

/** What somebody in between may do to two honest sides. */
export const transitAttacks: readonly MiddleAttack[] = [
  ...downgrades,
  ...refusals,
  ...hellos,
  ...messages,
  ...verdicts,
  ...signatures,
]
