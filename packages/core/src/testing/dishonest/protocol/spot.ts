import type { ProverAttack } from '../attack.ts'
import { say } from '../outgoing.ts'
import { byProver } from './define.ts'

/** The mode that binds nothing: it finds faults, and says so. */
export const spotAttacks: readonly ProverAttack[] = [
  byProver(
    'spot: only the sampled rows',
    'the seed is known, so that only the rows are computed which are shown',
    'limit',
    {},
    {
      policy: { mode: 'spot' },
      says: { status: 'pass', claim: 'fault' },
    },
  ),
  byProver(
    'spot: a changed sample',
    'the rows that are shown are changed',
    'value-out-of-tolerance',
    {
      send(message) {
        if (message.type !== 'sample') return [message]
        const { control, segments } = message
        const [a, c] = segments.map((segment) => segment.slice()) as [Uint8Array, Uint8Array]
        new DataView(c.buffer).setFloat32(0, 1e6, true)
        return [say('sample', control, [a, c])]
      },
    },
    { policy: { mode: 'spot' } },
  ),
  byProver(
    'spot: a short sample',
    'the rows of C are missing',
    'opening-malformed',
    {
      send: (message) =>
        message.type === 'sample' ? [say('sample', message.control, message.segments.slice(0, 1))] : [message],
    },
    { policy: { mode: 'spot' } },
  ),
  byProver(
    'spot: commitments',
    'messages of the other mode',
    'message-unexpected',
    {
      send: (message) =>
        message.type === 'open'
          ? [
              message,
              say('commit', {
                records: [{ kind: 'opaque', sequence: 0, step: 0, operation: 'x', cause: 'unsupported', reason: 'x' }],
                tensors: [],
              }),
            ]
          : [message],
    },
    { policy: { mode: 'spot' } },
  ),
]
