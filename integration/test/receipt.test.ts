import {
  createIdentity,
  createReceiptProver,
  decodeMessage,
  decodeReceipt,
  encodeMessage,
  encodeReceipt,
  type ProtocolMessage,
  type ReceiptOptions,
  recordManifest,
  rows,
  type Verdict,
} from '@tensor-assay/core'
import { interactive, memoryWeights, type ReceiptChecks, receipt, verifyReceipt } from '@tensor-assay/verifier'
import { beforeAll, describe, expect, test } from 'vitest'
import { type Cheat, noise, type Plain, plain, plainLibrary } from '../support/plain-backend.ts'

const x = plain(40, 32, noise(1))
const w1 = plain(32, 24, noise(2))
const w2 = plain(24, 16, noise(3))
const weights = memoryWeights([
  { name: 'first', shape: [32, 24], data: w1.data },
  { name: 'second', shape: [24, 16], data: w2.data },
])
const sampler = rows({ atLeast: 8 })
const iterations = 1000
const policy = receipt({ sampler, iterations })
const alice = createIdentity()

async function write(options: Partial<ReceiptOptions> = {}, cheat?: Cheat): Promise<Uint8Array> {
  const library = plainLibrary(cheat)
  const prover = await createReceiptProver({ backend: library.backend, weights, sampler, iterations, ...options })
  for (let step = 0; step < 2; step++) await prover.audit(() => library.matMul(library.matMul(x, w1), w2))
  return prover.finish()
}

const verify = (bytes: Uint8Array, checks: Partial<ReceiptChecks> = {}) =>
  verifyReceipt(bytes, { weights, policy, ...checks })
const reasons = (verdict: Verdict) => verdict.findings.map(({ reason }) => reason)

let honest: Uint8Array
beforeAll(async () => {
  honest = await write()
})

test('an honest receipt passes, and says what forging it would take', async () => {
  const verdict = await verify(honest)
  expect(verdict).toMatchObject({ status: 'pass', mode: 'receipt', claim: 'cost' })
  expect(verdict.coverage).toMatchObject({ operations: 4, audited: 4, linked: 2, weightsUsed: 2 })
  const half = verdict.detection.byFraction.find(({ fraction }) => fraction === 0.5)!
  // Four operations of 40 rows, of which 8 beside the last are opened.
  expect(half.receiptBits).toBeGreaterThan(Math.log2(iterations) + 4 * 8)
  expect(verdict.detection.byFraction.at(-1)!.receiptBits).toBe(128)
})

test('it can be checked again, and says the same', async () => {
  const [first, second] = [await verify(honest), await verify(honest)]
  expect({ ...first, statistics: 0 }).toEqual({ ...second, statistics: 0 })
})

test('a signed receipt on a manifest and a beacon', async () => {
  const library = plainLibrary()
  const run = () => library.matMul(library.matMul(x, w1), w2)
  const manifest = await recordManifest({ backend: library.backend, weights, runs: [run] })
  const beacon = new Uint8Array(32).fill(7)
  const bytes = await write({ identity: alice, beacon, manifest })
  const verdict = await verify(bytes, { manifest, beacon, provers: [alice.fingerprint] })
  expect(verdict).toMatchObject({ status: 'pass', prover: alice.fingerprint })
  expect(verdict.coverage).toMatchObject({ manifestSteps: 2, manifestLinks: 2 })
  expect(reasons(await verify(bytes, { manifest, beacon: new Uint8Array(32) }))).toContain('policy-mismatch')
  expect(reasons(await verify(bytes, { provers: [createIdentity().fingerprint] }))).toContain('peer-untrusted')
  expect(reasons(await verify(honest, { provers: [alice.fingerprint] }))).toContain('peer-untrusted')
  expect(reasons(await verify(honest, { manifest }))).toContain('policy-mismatch')
})

test('work and samples below what the reader asks for are refused', async () => {
  expect(reasons(await verify(honest, { policy: receipt({ sampler, iterations: 1001 }) }))).toEqual(['policy-mismatch'])
  expect(reasons(await verify(honest, { policy: receipt({ sampler: rows({ atLeast: 9 }), iterations }) }))).toContain(
    'policy-mismatch',
  )
  expect(reasons(await verify(honest, { weights: memoryWeights([]) }))).toContain('policy-mismatch')
  await expect(verify(honest, { policy: interactive() })).rejects.toThrow(TypeError)
})

test('wrong rows are found', async () => {
  const cheat: Cheat = ({ c }) => ({
    c: { ...c, data: c.data.map((value, i) => (i % 2 === 0 ? value : 1.01 * value)) },
  })
  const verdict = await verify(await write({}, cheat))
  expect(verdict.status).toBe('fail')
  expect(reasons(verdict)[0]).toBe('value-out-of-tolerance')
})

test('a run that was not recorded whole is incomplete', async () => {
  const verdict = await verify(await write({ maxRetainedBytes: 10_000 }))
  expect(verdict.status).toBe('incomplete')
  expect(reasons(verdict)).toContain('operation-skipped')
})

describe('a receipt that was tampered with never passes', () => {
  const messages = () => [...decodeReceipt(honest)].map((bytes) => decodeMessage(bytes))
  const bytesOf = ({ type, control, segments }: ProtocolMessage) =>
    Uint8Array.from(encodeMessage(type, control as never, segments).flatMap((part) => [...part]))
  const encode = (changed: readonly ProtocolMessage[]) => encodeReceipt(changed.map(bytesOf))
  const types = () => messages().map(({ type }) => type)

  test('its messages come in their one order', () => {
    expect(types()).toEqual(['hello', 'policy', 'open', 'commit', 'opening', 'opening', 'opening', 'opening', 'close'])
    expect(encode(messages())).toEqual(honest)
  })

  test.each([0, 1, 2, 3, 4, 7, 8])('message %i is left out', async (position) => {
    const verdict = await verify(encode(messages().filter((_, i) => i !== position)))
    expect(verdict.status).toBe('fail')
  })

  test.each([0, 1, 2, 3, 4, 7, 8])('message %i is there twice', async (position) => {
    const verdict = await verify(
      encode(messages().flatMap((message, i) => (i === position ? [message, message] : [message]))),
    )
    expect(verdict.status).toBe('fail')
  })

  test('a commitment is made after the challenges are known', async () => {
    const [hello, policy, open, commit, ...rest] = messages()
    const late = [hello!, policy!, open!, ...rest.slice(0, 1), commit!, ...rest.slice(1)]
    expect((await verify(encode(late))).status).toBe('fail')
  })

  test('openings change places without harm, for each is its own', async () => {
    const [hello, policy, open, commit, one, two, ...rest] = messages()
    const verdict = await verify(encode([hello!, policy!, open!, commit!, two!, one!, ...rest]))
    // The close states the transcript as it was.
    expect(reasons(verdict)).toEqual(['transcript-mismatch'])
  })

  test('any byte is changed', async () => {
    for (let offset = 0; offset < honest.length; offset += 1 + (offset % 97)) {
      const changed = honest.slice()
      changed[offset]! ^= 1 << (offset % 8)
      const verdict = await verify(changed)
      expect([offset, verdict.status]).not.toEqual([offset, 'pass'])
    }
  })

  test('it is cut off', async () => {
    for (let length = 0; length < honest.length; length += 1 + (length % 131)) {
      const verdict = await verify(honest.subarray(0, length))
      expect([length, verdict.status]).toEqual([length, 'fail'])
    }
  })

  test('a reader is not made to work for years', async () => {
    const changed = messages().map((message) =>
      message.type === 'policy' ? { ...message, control: { ...message.control, iterations: 2 ** 31 - 1 } } : message,
    )
    const verdict = await verify(encode(changed))
    expect(verdict.findings[0]).toMatchObject({
      reason: 'protocol-violation',
      message: expect.stringContaining('iterations'),
    })
  })
})

test('what a run gives does not depend on being recorded', async () => {
  const library = plainLibrary()
  const prover = await createReceiptProver({ backend: library.backend, weights, sampler, iterations })
  const plainly = library.matMul(x, w1)
  const audited: Plain = await prover.audit(() => library.matMul(x, w1))
  expect(audited.data).toEqual(plainly.data)
  await expect(prover.audit(() => Promise.reject(new Error('the model’s own')))).rejects.toThrow('the model’s own')
  expect((await verify(await prover.finish())).coverage.operations).toBe(1)
})
