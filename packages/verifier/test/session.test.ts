import {
  AssayError,
  type AssayErrorCode,
  challengeSeed,
  createIdentity,
  deriveSeed,
  isSigned,
  keyCommitment,
  maxFindings,
  parseManifest,
  rows,
  statements,
} from '@tensor-assay/core'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { Audit } from '../src/audit.ts'
import { interactive, spot } from '../src/index.ts'
import { a, HandProver, productOf, reasons, record } from './support/hand-prover.ts'

const c = productOf(a)
const products = (count: number, from = 0) =>
  Array.from({ length: count }, (_, i) => ({ record: record(from + i), a, c }))
const refused = (code: AssayErrorCode) => expect.objectContaining({ code })

afterEach(() => vi.restoreAllMocks())

test('an honest session passes, and again', async () => {
  const verdict = await new HandProver().honest(3)
  expect(verdict.findings).toEqual([])
  expect(verdict).toMatchObject({ status: 'pass', coverage: { operations: 3, audited: 3 } })
})

describe('messages in their one order', () => {
  test('a session is opened before anything is committed to', async () => {
    const prover = new HandProver()
    await prover.hello()
    await expect(prover.commit(products(1))).rejects.toEqual(refused('message-unexpected'))
  })

  test('it is the session of this hello and this policy', async () => {
    const session = new Uint8Array(32)
    await expect(new HandProver().open({ session })).rejects.toEqual(refused('message-malformed'))
  })

  test('it is opened once', async () => {
    const prover = new HandProver()
    await prover.open()
    await expect(prover.say('open', { session: prover.id })).rejects.toEqual(refused('message-unexpected'))
  })

  test('no sample has a place in an interactive session, and no commitment in another', async () => {
    const prover = new HandProver()
    await prover.open()
    await expect(prover.say('sample', { record: record(0), tensors: [] })).rejects.toEqual(
      refused('message-unexpected'),
    )
    const spotted = new HandProver({ policy: spot() })
    await spotted.open()
    await expect(spotted.commit(products(1))).rejects.toEqual(refused('message-unexpected'))
  })

  test('a prover that gives up is heard', async () => {
    const prover = new HandProver()
    await prover.open()
    const gone = prover.say('error', { code: 'internal', message: 'the power is out' })
    await expect(gone).rejects.toMatchObject({ code: 'peer-error', message: /the power is out/ })
  })
})

describe('what is committed to is opened', () => {
  test('once', async () => {
    const prover = new HandProver()
    await prover.open()
    await prover.commit(products(1))
    await prover.answer(record(0))
    await expect(prover.answer(record(0))).rejects.toEqual(refused('message-unexpected'))
  })

  test('within the time for which it is waited, whatever else is said meanwhile', async () => {
    const prover = new HandProver({ policy: interactive({ openingTimeoutMs: 1000, idleTimeoutMs: 5000 }) })
    await prover.open()
    expect(prover.session.patienceMs).toBe(5000)
    prover.session.waited(4000)
    await prover.commit(products(1))
    expect(prover.session.patienceMs).toBe(1000)
    prover.session.waited(600)
    await prover.commit(products(1, 1))
    expect(prover.session.patienceMs).toBe(400)
    await prover.answer(record(0))
    expect(prover.session.patienceMs).toBe(1000)
    prover.session.waited(1000)
    expect(prover.session.patienceMs).toBe(0)
    prover.session.timedOut()
    const verdict = await prover.session.conclude()
    expect(verdict).toMatchObject({ status: 'fail', findings: [{ reason: 'opening-missing', sequence: 1 }] })
  })

  test('before the close', async () => {
    const prover = new HandProver()
    await prover.open()
    await prover.commit(products(2))
    await prover.answer(record(0))
    const verdict = await prover.close(2)
    expect(verdict).toMatchObject({ status: 'fail', findings: [{ reason: 'opening-missing', sequence: 1 }] })
  })

  test('within the window', async () => {
    const prover = new HandProver({ policy: interactive({ window: 2 }) })
    await prover.open()
    await prover.commit(products(2))
    await expect(prover.commit(products(1, 2))).rejects.toEqual(refused('message-unexpected'))
    const patient = new HandProver({ policy: interactive({ window: 2 }) })
    await patient.open()
    await patient.commit(products(2))
    await patient.answer(record(0))
    await patient.commit(products(1, 2))
  })

  test('and nothing else is', async () => {
    const prover = new HandProver()
    await prover.open()
    const opened = { salts: new Uint8Array(16), proof: new Uint8Array(0) }
    const opening = prover.say('opening', { sequence: 0, a: opened, c: opened })
    await expect(opening).rejects.toEqual(refused('message-unexpected'))
  })
})

describe('a session that does not come to its end', () => {
  test.each<[AssayErrorCode, string, string]>([
    ['aborted', 'aborted', 'incomplete'],
    ['peer-error', 'peer-error', 'incomplete'],
    ['deadline-exceeded', 'deadline-exceeded', 'incomplete'],
    ['channel-lost', 'channel-lost', 'incomplete'],
    ['channel-closed', 'channel-lost', 'incomplete'],
    ['internal', 'internal', 'incomplete'],
    ['peer-untrusted', 'peer-untrusted', 'fail'],
    ['frame-malformed', 'protocol-violation', 'fail'],
    ['message-unexpected', 'protocol-violation', 'fail'],
  ])('by %s is a finding, %s, whatever was right before', async (code, reason, status) => {
    const prover = new HandProver()
    await prover.open()
    await prover.commit(products(1))
    await prover.answer(record(0))
    prover.session.interrupted(new AssayError(code, 'so it went'))
    const verdict = await prover.session.conclude()
    expect(verdict).toMatchObject({ status, findings: [{ reason }] })
  })

  test('by what is no AssayError is a defect, and no pass', async () => {
    const prover = new HandProver()
    await prover.honest(1)
    prover.session.interrupted(new TypeError('x is undefined'))
    expect(await prover.session.conclude()).toMatchObject({ status: 'incomplete', findings: [{ reason: 'internal' }] })
  })

  test('by silence is incomplete, or a failure where a challenge is open', async () => {
    const silent = new HandProver()
    await silent.open()
    silent.session.timedOut()
    expect(reasons(await silent.session.conclude())).toContain('deadline-exceeded')
    const guilty = new HandProver()
    await guilty.open()
    await guilty.commit(products(1))
    guilty.session.timedOut()
    expect(await guilty.session.conclude()).toMatchObject({
      status: 'fail',
      findings: [{ reason: 'opening-missing' }, {}],
    })
  })
})

describe('challenges', () => {
  const revealed = (prover: HandProver) => {
    const reveal = prover.answers.find(({ type }) => type === 'reveal')
    return reveal?.type === 'reveal' ? reveal.control.key : expect.fail('nothing was revealed')
  }
  const policyOf = (prover: HandProver) => {
    const policy = prover.answers.find(({ type }) => type === 'policy')
    return policy?.type === 'policy' ? policy.control : expect.fail('there was no policy')
  }

  test('come from a key that was committed to, from what was said, and from the number of the operation', async () => {
    const opened = vi.spyOn(Audit.prototype, 'opened')
    const prover = new HandProver()
    await prover.open()
    await prover.commit(products(2))
    const { head } = prover.said
    await prover.answer(record(0))
    await prover.answer(record(1))
    await prover.close(2)
    const key = revealed(prover)
    expect(keyCommitment(key)).toEqual(policyOf(prover).keyCommitment)
    for (const [i, [, seeds]] of opened.mock.calls.entries()) {
      expect(seeds.seed).toEqual(challengeSeed(key, head, i))
      expect(prover.seedOf(i)).toEqual(seeds.seed)
      // Of what was committed to together, and known to nobody before.
      expect(seeds.vectorSeed).toEqual(deriveSeed(key, 'vectors', head))
    }
    expect(prover.seedOf(0)).not.toEqual(prover.seedOf(1))
  })

  test('come from another key in every session, which no policy hands over', async () => {
    const provers = [new HandProver(), new HandProver(), new HandProver({ policy: spot() })]
    const keys: string[] = []
    for (const prover of provers) {
      await prover.open()
      await prover.close(0)
      const key = Buffer.from(revealed(prover)).toString('hex')
      expect(key).not.toBe('00'.repeat(32))
      for (const handed of [policyOf(prover).spotSeed, policyOf(prover).nonce]) {
        if (handed) expect(Buffer.from(handed).toString('hex')).not.toBe(key)
      }
      keys.push(key)
    }
    expect(new Set(keys).size).toBe(3)
  })

  test('are for every operation that may bind an input or an output, however low the rate is', async () => {
    const policy = interactive({ operationRate: 1e-9 })
    const free = new HandProver({ policy })
    await free.open()
    await free.commit(products(1))
    expect(free.seedOf(0)).toBeUndefined()
    const bound = new HandProver({ policy, inputs: [a], outputs: [c] })
    await bound.open()
    await bound.commit(products(1))
    await bound.answer(record(0))
    expect(await bound.close(1)).toMatchObject({ status: 'pass', coverage: { inputsBound: 1, outputsBound: 1 } })
  })

  test('are answered even where a product was refused, by nothing to open', async () => {
    const prover = new HandProver()
    await prover.open()
    await prover.commit([{ record: record(0, { profile: 'tf32' }), a, c }])
    expect(prover.seedOf(0)).toBeUndefined()
    expect(reasons(await prover.close(1))).toContain('profile-refused')
  })
})

describe('what is committed to', () => {
  test('is numbered one after the other', async () => {
    const prover = new HandProver()
    await prover.open()
    await expect(prover.commit(products(1, 1))).rejects.toEqual(refused('message-unexpected'))
    expect(reasons(await prover.session.conclude())).toContain('sequence-broken')
  })

  test('has one commitment for each tensor', async () => {
    const prover = new HandProver()
    await prover.open()
    await prover.commit(products(1))
    const again = prover.commit([{ record: record(1, { a: 0 }), a, c }])
    await expect(again).rejects.toEqual(refused('message-malformed'))
  })

  test('has a number of operations at most', async () => {
    const prover = new HandProver({ policy: interactive({ maxOperations: 2 }) })
    await prover.open()
    await prover.commit(products(2))
    await expect(prover.commit(products(1, 2))).rejects.toEqual(refused('message-unexpected'))
  })

  test('is nothing more once the verdict is beyond doubt: it is given at once', async () => {
    const prover = new HandProver()
    await prover.open()
    // The last row, which is always opened.
    const wrong = { ...c, bytes: c.bytes.slice().fill(0, -4) }
    await prover.commit(products(maxFindings).map((product) => ({ ...product, c: wrong })))
    for (let i = 0; i < maxFindings - 1; i++) await prover.answer(record(i))
    // One finding less, and the session goes on.
    expect(await prover.commit(products(1, maxFindings))).toBe(false)
    await prover.answer(record(maxFindings - 1))
    expect(await prover.commit(products(1, maxFindings + 1))).toBe(true)
    const verdict = await prover.session.conclude()
    expect(verdict).toMatchObject({ status: 'fail', coverage: { operations: maxFindings + 1 } })
    expect(prover.answers.slice(-2).map(({ type }) => type)).toEqual(['reveal', 'verdict'])
  })

  test('is nothing more in a spot session, either', async () => {
    const prover = new HandProver({ policy: spot() })
    await prover.open()
    const unknown = { kind: 'weight', digest: new Uint8Array(32), transposed: false } as const
    const sample = (i: number) =>
      prover.say('sample', {
        record: record(i, { a: 0, c: 1, b: unknown }),
        tensors: [
          { tensor: 0, rows: 8, cols: 4, dtype: 'float32' },
          { tensor: 1, rows: 8, cols: 5, dtype: 'float32' },
        ],
      })
    for (let i = 0; i < maxFindings; i++) expect(await sample(i)).toBe(false)
    expect(await sample(maxFindings)).toBe(true)
  })

  test('may be left out, and is found to be', async () => {
    const prover = new HandProver()
    await prover.open()
    const opaque = { kind: 'opaque', step: 0, operation: 'matMul', reason: 'no room' } as const
    await prover.say('commit', {
      records: [
        { ...opaque, sequence: 0, cause: 'skipped' },
        { ...opaque, sequence: 1, cause: 'unsupported' },
      ],
      tensors: [],
    })
    await prover.commit(products(1, 2))
    await prover.answer(record(2))
    const verdict = await prover.close(3)
    expect(reasons(verdict)).toEqual(['operation-skipped', 'operation-opaque'])
    expect(verdict.coverage).toMatchObject({ skipped: 1, opaque: 1, audited: 1 })
  })

  test('is what the prover says at the end that it was', async () => {
    const prover = new HandProver()
    await prover.open()
    await prover.commit(products(1))
    await prover.answer(record(0))
    expect(reasons(await prover.close(2))).toEqual(['count-mismatch'])
    const other = new HandProver()
    await other.open()
    await other.commit(products(1))
    await other.answer(record(0))
    expect(reasons(await other.close(1, { transcript: new Uint8Array(32) }))).toEqual(['transcript-mismatch'])
  })

  test('is what is opened', async () => {
    const prover = new HandProver()
    await prover.open()
    await prover.commit(products(2))
    await prover.answer(record(0), (control) => ({ ...control, a: { ...control.a, salts: control.c.salts } }))
    await prover.answer(record(1), (control) => ({ ...control, c: { ...control.c, proof: new Uint8Array(32) } }))
    expect(reasons(await prover.close(2))).toEqual(['commitment-mismatch', 'commitment-mismatch', 'nothing-sampled'])
  })

  test('is opened in full, and by no more', async () => {
    const prover = new HandProver()
    await prover.open()
    await prover.commit(products(2))
    const opened = { salts: new Uint8Array(16), proof: new Uint8Array(0) }
    await prover.say('opening', { sequence: 0, a: opened, c: opened }, [new Uint8Array(4), new Uint8Array(4)])
    await prover.answer(record(1))
    expect(await prover.close(2)).toMatchObject({
      status: 'fail',
      findings: [{ reason: 'opening-malformed', sequence: 0 }],
    })
  })

  test('is all that the manifest asks for', async () => {
    const layout = { kind: 'matmul', k: 4, n: 5 } as const
    const { digest } = record(0).b as { digest: Uint8Array }
    const product = {
      ...{ kind: 'product', operation: 'matMul', layout, alpha: 1, activation: { name: 'linear' }, profile: 'float32' },
      ...{ b: { digest: Buffer.from(digest).toString('hex'), transposed: false }, links: {} },
    }
    const manifest = (operations: number) =>
      parseManifest(
        JSON.stringify({
          ...{ format: 'tensor-assay-manifest', version: 1 },
          operations: Array.from({ length: operations }, () => product),
        }),
      )
    expect(await new HandProver({ manifest: manifest(2) }).honest(2)).toMatchObject({ status: 'pass', findings: [] })
    expect(reasons(await new HandProver({ manifest: manifest(3) }).honest(2))).toEqual(['operation-omitted'])
  })

  test('may be empty, of which nothing is said', async () => {
    const prover = new HandProver()
    await prover.open()
    const nothing = (cols: number) => ({ rows: 0, cols, dtype: 'float32', bytes: new Uint8Array(0) }) as const
    const empty = record(0, { layout: { kind: 'matmul', m: 0, k: 4, n: 5, aBatch: [], bBatch: [] } })
    await prover.commit([{ record: empty, a: nothing(4), c: nothing(5) }])
    await prover.answer(empty)
    const [first] = (await prover.close(1)).findings
    expect(first).toMatchObject({ reason: 'empty-product', message: expect.stringContaining('the product is empty') })
  })

  test('is right', async () => {
    const prover = new HandProver({ policy: interactive({ sampler: rows({ atLeast: 8 }) }) })
    await prover.open()
    const wrong = Float32Array.from(
      new Float32Array(c.bytes.buffer, c.bytes.byteOffset, 40),
      (value, i) => value + (i === 22 ? 0.01 : 0),
    )
    await prover.commit([{ record: record(0), a, c: { ...c, bytes: new Uint8Array(wrong.buffer) } }])
    await prover.answer(record(0))
    expect(await prover.close(1)).toMatchObject({
      status: 'fail',
      findings: [{ reason: 'value-out-of-tolerance', evidence: { row: 4, column: 2 } }],
    })
  })
})

describe('who is there', () => {
  const [alice, eve, auditor] = [1, 2, 3].map((i) => createIdentity(new Uint8Array(32).fill(i)))
  const provers = [alice!.fingerprint]

  test('is let in if it is known, and signs the session and the end', async () => {
    const verdict = await new HandProver({ provers, key: alice!, identity: auditor! }).honest(1)
    expect(verdict).toMatchObject({ status: 'pass', prover: alice!.fingerprint, verifier: auditor!.fingerprint })
  })

  test('is not let in if it is not known, or is nobody', async () => {
    await expect(new HandProver({ provers, key: eve! }).hello()).rejects.toEqual(refused('peer-untrusted'))
    await expect(new HandProver({ provers }).hello()).rejects.toEqual(refused('peer-untrusted'))
  })

  test('signs what it opens by its own key', async () => {
    const prover = new HandProver({ key: alice! })
    await expect(prover.open({ signature: new Uint8Array(64) })).rejects.toEqual(refused('peer-untrusted'))
  })

  test('signs what it closes by its own key', async () => {
    const prover = new HandProver({ key: alice! })
    await prover.open()
    await prover.commit(products(1))
    await prover.answer(record(0))
    expect(reasons(await prover.close(1, { signature: new Uint8Array(64) }))).toEqual(['peer-untrusted'])
  })

  test('gets a verdict that the verifier signed, word for word', async () => {
    const prover = new HandProver({ identity: auditor! })
    const verdict = await prover.honest(1)
    const sent = prover.answers.find(({ type }) => type === 'verdict')
    const signature = sent?.type === 'verdict' ? sent.control.signature : undefined
    expect(isSigned(auditor!.publicKey, signature, statements.verdict(prover.id, verdict))).toBe(true)
    const better = { ...verdict, status: 'fail' as const }
    expect(isSigned(auditor!.publicKey, signature, statements.verdict(prover.id, better))).toBe(false)
  })
})
