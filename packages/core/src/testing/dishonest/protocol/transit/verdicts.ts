import type { Control } from '../../../../codec/messages.ts'
import type { MiddleAttack } from '../../attack.ts'
import { say } from '../../outgoing.ts'
import { byMiddle, without } from '../define.ts'
import { changing, flipped, rewriting, zeros } from './rewrite.ts'

/** Lies to the prover about the verdict: the verifier sees nothing wrong. */
export const verdictInterferences: readonly MiddleAttack[] = [
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
export const signatureInterferences: readonly MiddleAttack[] = (
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
