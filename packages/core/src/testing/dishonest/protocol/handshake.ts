import type { ProverAttack } from '../attack.ts'
import { type Outgoing, say } from '../outgoing.ts'
import { byProver, changed, first } from './define.ts'

const hellos: readonly ProverAttack[] = [
  byProver(
    'hello: another version',
    'a version is offered that does not exist',
    'version-unsupported',
    changed('hello', () => ({ versions: [2] })),
  ),
  byProver(
    'hello: no version',
    'no version is offered',
    'version-unsupported',
    changed('hello', () => ({ versions: [] })),
  ),
  byProver(
    'hello: no suite',
    'no hash function is offered',
    'suite-unknown',
    changed('hello', () => ({ suites: [] })),
  ),
  byProver(
    'hello: a weaker suite',
    'a broken hash function is offered',
    'suite-unknown',
    changed('hello', () => ({ suites: ['md5'] })),
  ),
  byProver(
    'hello: a weaker mode',
    'only the mode is offered that binds nothing',
    'mode-unknown',
    changed('hello', () => ({ modes: ['spot'] })),
  ),
  byProver(
    'hello: no sampler',
    'no sampler is offered',
    'sampler-unknown',
    changed('hello', () => ({ samplers: [] })),
  ),
  byProver(
    'hello: a short nonce',
    'a nonce of 8 bytes',
    'message-malformed',
    changed('hello', () => ({ nonce: new Uint8Array(8) })),
  ),
  byProver(
    'hello: a constant nonce',
    'a nonce of zeros: that of the verifier keeps sessions apart',
    'pass',
    changed('hello', () => ({ nonce: new Uint8Array(32) })),
  ),
  byProver(
    'hello: twice',
    'a second hello',
    'message-unexpected',
    first('open', (open) => [
      say('hello', { versions: [1], suites: [], modes: [], samplers: [], nonce: new Uint8Array(32), backend: '' }),
      open,
    ]),
  ),
  byProver(
    'hello: left out',
    'the prover begins with something else',
    'message-unexpected',
    first('hello', () => [say('close', { operations: 0, transcript: new Uint8Array(32) })]),
  ),
  byProver(
    'hello: never',
    'the prover connects and says nothing',
    'deadline-exceeded',
    first('hello', () => []),
    {
      policy: { handshakeTimeoutMs: 150 },
    },
  ),
]

const openings: readonly ProverAttack[] = [
  byProver(
    'open: another session',
    'the session of another hello is opened',
    'message-malformed',
    changed('open', () => ({ session: new Uint8Array(32) })),
  ),
  byProver(
    'open: twice',
    'the session is opened twice',
    'message-unexpected',
    first('open', (open) => [open, open]),
  ),
  byProver(
    'open: left out',
    'operations are announced in a session that is not open',
    'message-unexpected',
    first('open', () => []),
  ),
]

const zeros = () => new Uint8Array(32)

/** Messages that have no place in a prover's mouth, or not now. */
const misplaced: readonly (readonly [string, Outgoing])[] = [
  [
    'a policy',
    say('policy', {
      version: 1,
      mode: 'spot',
      suite: 'sha256',
      sampler: { name: 'rows', parameters: {} },
      nonce: zeros(),
      keyCommitment: zeros(),
      window: 1,
      weights: new Uint8Array(0),
    }),
  ],
  ['a challenge', say('challenge', { challenges: [{ sequence: 0, seed: zeros() }] })],
  ['a reveal', say('reveal', { key: zeros() })],
  [
    'an opening',
    say('opening', { sequence: 0, a: { salts: zeros(), proof: zeros() }, c: { salts: zeros(), proof: zeros() } }, [
      zeros(),
      zeros(),
    ]),
  ],
  [
    'a sample',
    say('sample', {
      record: { kind: 'opaque', sequence: 0, step: 0, operation: 'x', cause: 'unsupported', reason: 'x' },
      tensors: [],
    }),
  ],
]

/** Lies before anything is committed to. */
export const handshakeAttacks: readonly ProverAttack[] = [
  ...hellos,
  ...openings,
  ...misplaced.map(([name, message]) =>
    byProver(
      `misplaced: ${name}`,
      'a message of the other side, or of another mode',
      'message-unexpected',
      first('open', (open) => [open, message]),
    ),
  ),
]
