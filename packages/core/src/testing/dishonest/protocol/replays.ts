import { decodeMessage } from '../../../codec/messages.ts'
import type { ProverAttack } from '../attack.ts'
import type { Lie } from '../forger.ts'
import { joined, type Outgoing, partsOf, say } from '../outgoing.ts'
import { byProver } from './define.ts'

/** Records the first session and says in the second what `replay` makes of it. */
function replayed(
  name: string,
  description: string,
  expected: ProverAttack['expected'],
  replay: (recorded: readonly Uint8Array[]) => Lie,
): ProverAttack {
  const recorded: Uint8Array[] = []
  let sessions = 0
  const record: Lie = {
    send(message) {
      recorded.push(joined(partsOf(message)))
      return [message]
    },
  }
  return byProver(`replay: ${name}`, description, expected, () => (sessions++ === 0 ? record : replay(recorded)), {
    sessions: 2,
    // Otherwise it is chance whether an old answer has the size of the new one.
    policy: { everyRow: true },
  })
}

const typeOf = (bytes: Uint8Array) => decodeMessage(bytes).type

/** Takes the recorded message in the place of each message of some types. */
function insteadOf(recorded: readonly Uint8Array[], types: readonly string[]): Lie {
  const left = recorded.filter((bytes) => types.includes(typeOf(bytes)))
  return {
    send: (message): readonly Outgoing[] => {
      const bytes = types.includes(message.type) ? left.shift() : undefined
      return [bytes === undefined ? message : [bytes]]
    },
  }
}

/** Made for each catalogue: an attack remembers its first session. */
export function replayAttacks(): readonly ProverAttack[] {
  return [
    replayed(
      'a whole session',
      'everything that was said in an honest session, once more',
      'message-malformed',
      (recorded) => insteadOf(recorded, ['hello', 'open', 'commit', 'opening', 'close']),
    ),
    replayed(
      'a nonce',
      'the hello of an honest session: the nonce of the verifier keeps them apart',
      'pass',
      (recorded) => insteadOf(recorded, ['hello']),
    ),
    replayed('commitments', 'the commitments of an honest session', 'commitment-mismatch', (recorded) =>
      insteadOf(recorded, ['commit']),
    ),
    replayed('openings', 'the openings of an honest session', 'commitment-mismatch', (recorded) =>
      insteadOf(recorded, ['opening']),
    ),
    replayed(
      'commitments and openings',
      'everything between the opening and the close of an honest session',
      'commitment-mismatch',
      (recorded) => insteadOf(recorded, ['commit', 'opening']),
    ),
    replayed('a close', 'the close of an honest session', 'transcript-mismatch', (recorded) => {
      const close = recorded.find((bytes) => typeOf(bytes) === 'close')!
      return { send: (message) => (message.type === 'close' ? [[close]] : [message]) }
    }),
    replayed(
      'an old answer on top',
      'an answer of an honest session is added to the right one',
      'message-unexpected',
      (recorded) => {
        const opening = recorded.find((bytes) => typeOf(bytes) === 'opening')!
        return {
          send: (message) => (message.type === 'close' ? [[opening], say('close', message.control)] : [message]),
        }
      },
    ),
  ]
}
