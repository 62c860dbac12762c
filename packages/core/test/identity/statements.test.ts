import { describe, expect, test } from 'vitest'
import { createIdentity } from '../../src/identity/identity.ts'
import { isSigned, sign, statements } from '../../src/identity/statements.ts'
import { emptyVerdict } from '../../src/verdict.ts'

const alice = createIdentity(new Uint8Array(32).fill(1))
const eve = createIdentity(new Uint8Array(32).fill(2))
const session = new Uint8Array(32).fill(3)
const other = new Uint8Array(32).fill(4)
const verdict = emptyVerdict([{ reason: 'aborted', message: 'it was enough' }])
const all = {
  'as a prover': statements.session(session, 'prover'),
  'as a verifier': statements.session(session, 'verifier'),
  'of another session': statements.session(other, 'prover'),
  'a close': statements.close(session, other, 1),
  'a close of more': statements.close(session, other, 2),
  'a close of other words': statements.close(session, session, 1),
  'a verdict': statements.verdict(session, verdict),
  'another verdict': statements.verdict(session, { ...verdict, status: 'pass' }),
  'a verdict of other words': statements.verdict(session, { ...verdict, findings: [] }),
}

describe.each(Object.entries(all))('a signature %s', (name, statement) => {
  const signature = sign(alice, statement)

  test('is one, and of its owner alone', () => {
    expect(isSigned(alice.publicKey, signature, statement)).toBe(true)
    expect(isSigned(eve.publicKey, signature, statement)).toBe(false)
    expect(isSigned(alice.publicKey, sign(eve, statement), statement)).toBe(false)
  })

  test('is none of anything else', () => {
    for (const [another, wrong] of Object.entries(all)) {
      if (another !== name) expect(isSigned(alice.publicKey, signature, wrong), another).toBe(false)
    }
  })

  test('has to be there', () => {
    expect(isSigned(alice.publicKey, undefined, statement)).toBe(false)
    expect(isSigned(alice.publicKey, new Uint8Array(0), statement)).toBe(false)
    expect(isSigned(alice.publicKey, new Uint8Array(64), statement)).toBe(false)
  })
})
