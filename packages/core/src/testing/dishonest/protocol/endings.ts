import type { Expected, ProverAttack } from '../attack.ts'
import type { Lie } from '../forger.ts'
import { say } from '../outgoing.ts'
import { byProver, changed, first } from './define.ts'

const unanswered = (extras: Partial<Lie> = {}): Lie => ({ challenged: () => false, ...extras })

/** One challenge is not answered, the others are. */
const oneUnanswered: Lie = { challenged: ({ sequence }) => sequence !== 1, closesEarly: true }

function late(ms: number): Lie {
  return {
    async send(message) {
      if (message.type === 'opening') await new Promise((resolve) => setTimeout(resolve, ms))
      return [message]
    },
  }
}

/** The operation that hurts is said to have been too much for the prover's memory. */
const skipped: Lie = {
  prepare(operation) {
    const { sequence, step, operation: name } = operation.record
    if (sequence !== 1) return
    operation.record = {
      kind: 'opaque',
      sequence,
      step,
      operation: name,
      cause: 'skipped',
      reason: 'its tensors would not fit',
    }
  },
}

const challenges: readonly ProverAttack[] = [
  byProver(
    'ending: closed instead of an answer',
    'no challenge is answered',
    'opening-missing',
    unanswered({ closesEarly: true }),
  ),
  byProver('ending: one answer missing', 'the challenge that hurts is not answered', 'opening-missing', oneUnanswered),
  byProver(
    'ending: silence instead of an answer',
    'the prover waits until it is forgotten',
    'opening-missing',
    unanswered(),
    {
      policy: { openingTimeoutMs: 150 },
    },
  ),
  byProver('ending: an answer too late', 'the answer comes after its time', 'opening-missing', late(600), {
    policy: { openingTimeoutMs: 150 },
  }),
  byProver('ending: hung up on a challenge', 'the connection is lost when the challenge hurts', 'channel-lost', {
    challenged(_, forger) {
      forger.hangUp(new Error('connection lost'))
      return false
    },
  }),
  byProver(
    'ending: an error instead of an answer',
    'the prover says that it failed',
    'peer-error',
    first('opening', () => [say('error', { code: 'internal', message: 'out of memory' })]),
  ),
  byProver('ending: skipped', 'the operation that hurts is said to be too large', 'operation-skipped', skipped),
  byProver(
    'ending: closed before the end',
    'the session is closed while challenges are under way',
    'opening-missing',
    () => {
      let closed = false
      return {
        send(message, forger) {
          if (message.type !== 'opening') return [message]
          if (closed) return []
          closed = true
          return [forger.close(forger.operations.size)]
        },
      }
    },
  ),
]

function closing(
  name: string,
  description: string,
  expected: Expected,
  lie: Lie | (() => Lie),
  policy = {},
): ProverAttack {
  return byProver(`closing: ${name}`, description, expected, lie, { policy })
}

const closings: readonly ProverAttack[] = [
  closing(
    'one operation fewer',
    'the count is too small',
    'count-mismatch',
    changed('close', ({ operations }) => ({ operations: operations - 1 })),
  ),
  closing(
    'one operation more',
    'the count is too large',
    'count-mismatch',
    changed('close', ({ operations }) => ({ operations: operations + 1 })),
  ),
  closing(
    'another transcript',
    'the prover remembers other messages',
    'transcript-mismatch',
    changed('close', () => ({ transcript: new Uint8Array(32) })),
  ),
  closing(
    'never',
    'the session is never closed',
    'deadline-exceeded',
    first('close', () => []),
    { idleTimeoutMs: 1000 },
  ),
  closing(
    'twice',
    'the session is closed twice',
    'pass',
    first('close', (message) => [message, message]),
  ),
  closing('at once', 'the session is closed before anything is announced', 'nothing-sampled', {
    send(message, forger) {
      if (message.type === 'hello') return [message]
      return message.type === 'open' ? [message, forger.close(0)] : []
    },
  }),
]

const floods: readonly ProverAttack[] = [
  byProver(
    'flood: more than the window',
    'operations are announced without regard to the window',
    'message-unexpected',
    { ignoresWindow: true, challenged: () => false },
    {
      policy: { window: 2 },
    },
  ),
  byProver(
    'flood: more operations than allowed',
    'more operations than a session may have',
    'message-unexpected',
    {},
    {
      policy: { maxOperations: 2 },
    },
  ),
]

/** Lies in whether and when something is said. */
export const endingAttacks: readonly ProverAttack[] = [...challenges, ...closings, ...floods]
