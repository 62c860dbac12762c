import type { ProverAttack } from '../attack.ts'
import { byProver, changed, declared, layoutOf, without } from './define.ts'

/** Declarations that break the schema of their message. */
export const malformedAttacks: readonly ProverAttack[] = [
  declared('an unknown profile', 'arithmetic that does not exist', 'message-malformed', () => ({ profile: 'float8' })),
  declared('an unknown activation', 'an activation that does not exist', 'message-malformed', () => ({
    activation: { name: 'softmax' },
  })),
  declared('a field more', 'a field that nobody knows', 'message-malformed', () => ({ trusted: true })),
  declared('no numbers', 'text where a number belongs', 'message-malformed', () => ({ a: '0' })),
  declared('a negative number', 'a negative tensor', 'message-malformed', () => ({ a: -1 })),
  declared('a fraction', 'half a tensor', 'message-malformed', () => ({ a: 0.5 })),
  declared('a factor of infinity', 'a number that the encoding does not allow', 'frame-malformed', () => ({
    alpha: Number.POSITIVE_INFINITY,
  })),
  declared('a factor that is none', 'NaN, with which no comparison is true', 'frame-malformed', () => ({
    alpha: Number.NaN,
  })),
  declared('a long name', 'an operation of 600 letters', 'message-malformed', () => ({ operation: 'x'.repeat(600) })),
  declared('a short digest', 'a digest of 31 bytes', 'message-malformed', ({ b }) => ({
    b: { ...b, digest: new Uint8Array(31) },
  })),
  declared(
    'a dimension too large',
    'a dimension of 2³² − 1',
    'message-malformed',
    layoutOf(() => ({ m: 2 ** 32 - 1 })),
  ),
  declared(
    'nine batch dimensions',
    'more dimensions than a batch may have',
    'message-malformed',
    layoutOf(() => ({ aBatch: Array(9).fill(1) })),
  ),
  byProver(
    'record: none',
    'a commitment of no operation',
    'message-malformed',
    changed('commit', () => ({ records: [] })),
  ),
  byProver(
    'record: a field less',
    'the profile is left out',
    'message-malformed',
    changed('commit', ({ records }) => ({
      records: records.map((record) => without(record, 'profile')),
    })),
  ),
  byProver(
    'record: too many',
    'more operations than a message may hold',
    'message-malformed',
    changed('commit', ({ records }) => ({
      records: Array.from({ length: 1025 }, (_, sequence) => ({ ...records[0], sequence })),
    })),
  ),
]
