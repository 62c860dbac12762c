import type { Control } from '../../../../codec/messages.ts'
import { rowsToOpen } from '../../../../commitment/leaves.ts'
import { deriveSeed } from '../../../../random/seed.ts'
import { openedRows, sampledProduct, unitShape } from '../../../../sampling/opened-rows.ts'
import { samplerNamed } from '../../../../sampling/registry.ts'
import type { Sampler } from '../../../../sampling/sampler.ts'
import type { MiddleAttack } from '../../attack.ts'
import type { Interference } from '../../middle.ts'
import { say } from '../../outgoing.ts'
import { byMiddle } from '../define.ts'
import { changing, flipped, rewriting, zeros } from './rewrite.ts'

/** Asks the prover for rows that lie in as many leaves as those that the verifier asked for. */
function otherChallenge(): Interference {
  let sampler: Sampler | undefined
  const commits: Control<'commit'>[] = []

  function leavesAsked(sequence: number, seed: Uint8Array): string {
    const tensors = commits.flatMap((commit) => commit.tensors)
    const record = commits.flatMap(({ records }) => records).find((candidate) => candidate.sequence === sequence)
    if (record?.kind !== 'product' || sampler === undefined) return ''
    const sampled = sampledProduct(record)
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

/** What somebody in between may do to what is said in a session. */
export const messageInterferences: readonly MiddleAttack[] = [
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
