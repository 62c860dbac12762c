import { type Control, createIdentity, encodeMessage, encodeReceipt, maxFindings } from '@tensor-assay/core'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Audit } from '../src/audit.ts'
import { memoryWeights, receipt, verifyReceipt } from '../src/index.ts'
import { reasons, store } from './support/hand-prover.ts'
import { type Forgery, handReceipt, policy } from './support/hand-receipt.ts'

afterEach(() => vi.restoreAllMocks())

const hello = encodeMessage('hello', {
  versions: [1],
  suites: [],
  modes: [],
  samplers: [],
  nonce: new Uint8Array(32),
  backend: 'hand',
})
const terms: Control<'policy'> = {
  version: 1,
  mode: 'receipt',
  suite: 'sha256',
  sampler: { name: 'rows', parameters: {} },
  nonce: new Uint8Array(32),
  window: 1,
  weights: new Uint8Array(0),
}

/** What is said of a receipt that ends after its terms. */
function verdictOn(changes: Partial<Control<'policy'>>) {
  const messages = [hello, encodeMessage('policy', { ...terms, ...changes })]
  const bytes = encodeReceipt(messages.map((parts) => new Uint8Array(Buffer.concat(parts))))
  return verifyReceipt(bytes, { weights: memoryWeights([]), policy: receipt({ iterations: 1 }) })
}

// Once copied into the verdict whatever the file had there.
test('a verdict quotes of a receipt no more than a line', async () => {
  const parameters = Object.fromEntries(
    Array.from({ length: 32 }, (_, i) => [`${i}`.padStart(64, '\u202e'), 1e300 + i]),
  )
  const { findings } = await verdictOn({
    mode: 'm'.repeat(512),
    suite: 's'.repeat(512),
    sampler: { name: 'n'.repeat(512), parameters },
  })
  expect(findings.length).toBeLessThan(maxFindings)
  expect(findings.filter(({ reason }) => reason === 'policy-mismatch')).toHaveLength(5)
  for (const { message } of findings) {
    expect(message.length).toBeLessThan(300)
    expect(message).not.toContain('\u202e')
  }
})

// Once −Infinity bits, which no message can carry.
test('a receipt without iterations is refused, and what is said of its cost is a number', async () => {
  const { status, detection } = await verdictOn({})
  expect(status).toBe('fail')
  expect(detection.byFraction.map(({ receiptBits }) => receiptBits)).toEqual([0, 0, 0, 0])
})

describe('a receipt of which all fits together but one thing', () => {
  const identity = createIdentity(new Uint8Array(32).fill(1))
  const verdictOf = async (forgery: Forgery = {}) =>
    verifyReceipt(await handReceipt(forgery), { weights: store, policy })

  test('passes where it is right', async () => {
    expect(await verdictOf()).toMatchObject({ status: 'pass', coverage: { operations: 2, audited: 2 } })
    expect(await verdictOf({ identity })).toMatchObject({ status: 'pass', prover: identity.fingerprint })
    expect((await verdictOf({ operations: 3 })).status).toBe('pass')
  })

  test('is opened for its own hello and policy', async () => {
    const { status, findings } = await verdictOf({ open: { session: new Uint8Array(32) } })
    expect(status).toBe('fail')
    expect(findings[0]!.message).toMatch(/another hello or policy/)
  })

  test('has challenges that come from all that was committed to', async () => {
    expect((await verdictOf({ challengedBy: (session) => session })).status).toBe('fail')
  })

  test('commits to nothing once a challenge is known', async () => {
    const { status, findings } = await verdictOf({ late: 1 })
    expect(status).toBe('fail')
    expect(findings[0]).toMatchObject({ reason: 'protocol-violation', message: /commit message has no place/ })
  })

  test('opens all that it commits to', async () => {
    expect(await verdictOf({ unopened: [1] })).toMatchObject({
      status: 'fail',
      findings: [{ reason: 'opening-missing', sequence: 1 }],
    })
  })

  test('is signed by the key that it names, at both ends', async () => {
    const signature = new Uint8Array(64)
    expect(reasons(await verdictOf({ identity, open: { signature } }))).toContain('peer-untrusted')
    expect(reasons(await verdictOf({ identity, closeSignature: signature }))).toEqual(['peer-untrusted'])
  })

  test('never passes where its reader has a defect', async () => {
    vi.spyOn(Audit.prototype, 'finish').mockImplementation(() => {
      throw new TypeError('x is undefined')
    })
    expect(await verdictOf()).toMatchObject({
      status: 'incomplete',
      findings: [{ reason: 'internal', message: 'x is undefined' }],
    })
  })
})
