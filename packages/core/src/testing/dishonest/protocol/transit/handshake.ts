import type { Control } from '../../../../codec/messages.ts'
import type { MiddleAttack } from '../../attack.ts'
import type { Interference } from '../../middle.ts'
import { say } from '../../outgoing.ts'
import { byMiddle, without } from '../define.ts'
import { changing, rewriting, zeros } from './rewrite.ts'

type Extras = Parameters<typeof byMiddle>[4]

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

/** What somebody in between may do to the hello and the policy. */
export const handshakeInterferences: readonly MiddleAttack[] = [...downgrades, ...refusals, ...hellos]
