import {
  type Channel,
  createIdentity,
  createProver,
  decodeMessage,
  encodeMessage,
  type ProtocolMessage,
  type ProverOptions,
  type Verdict,
} from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { createVerifier, memoryWeights, type VerifierOptions } from '@tensor-assay/verifier'
import { describe, expect, test } from 'vitest'
import { noise, plain, plainLibrary } from '../support/plain-backend.ts'

const x = plain(8, 16, noise(1))
const w = plain(16, 8, noise(2))
const store = memoryWeights([{ name: 'w', shape: [16, 8], data: w.data }])
const alice = createIdentity()
const auditor = createIdentity()
const mallory = createIdentity()

type Change = (message: ProtocolMessage) => ProtocolMessage

/** Somebody between the two, who changes what the prover receives and sends. */
function between(channel: Channel, receive: Change, send: Change): Channel {
  const encode = ({ type, control, segments }: ProtocolMessage) => encodeMessage(type, control as never, segments)
  const join = (parts: readonly Uint8Array[]) => Uint8Array.from(parts.flatMap((part) => [...part]))
  return {
    peer: channel.peer,
    maxMessageBytes: channel.maxMessageBytes,
    send: (message) => channel.send(encode(send(decodeMessage(join(message))))),
    close: (options) => channel.close(options),
    abort: (error) => channel.abort(error),
    async *[Symbol.asyncIterator]() {
      for await (const bytes of channel) yield join(encode(receive(decodeMessage(bytes))))
    },
  }
}

const asItIs: Change = (message) => message
let names = 0

interface Sides {
  readonly prover?: Partial<ProverOptions>
  readonly verifier?: Partial<VerifierOptions>
  readonly receive?: Change
  readonly send?: Change
}

async function audit({ prover: proverOptions, verifier: verifierOptions, receive = asItIs, send = asItIs }: Sides) {
  const transport = memoryTransport()
  const verifier = createVerifier({ weights: store, ...verifierOptions })
  let theirs: Promise<Verdict> | undefined
  const listener = await transport.listen(`memory:identity-${names++}`, (channel) => {
    theirs = verifier.accept(channel)
  })
  const library = plainLibrary()
  const channel = between(await transport.dial(listener.address), receive, send)
  try {
    const prover = await createProver({ backend: library.backend, channel, ...proverOptions })
    await prover.audit(() => library.matMul(x, w))
    return { mine: await prover.close(), theirs: await theirs! }
  } catch (error) {
    return { error, theirs: await theirs! }
  } finally {
    await listener.close()
  }
}

const reasons = (verdict: Verdict | undefined) => verdict?.findings.map(({ reason }) => reason)
const pinned = {
  prover: { identity: alice, verifiers: [auditor.fingerprint] },
  verifier: { identity: auditor, provers: [alice.fingerprint] },
} as const

test('two sides that know each other pass, and the verdict names them', async () => {
  const { mine, theirs } = await audit(pinned)
  expect(theirs).toMatchObject({ status: 'pass', prover: alice.fingerprint, verifier: auditor.fingerprint })
  expect(mine).toEqual(theirs)
})

test('a side without an identity is refused where the other asks for one', async () => {
  const anonymous = await audit({ verifier: pinned.verifier })
  expect(anonymous.error).toMatchObject({ code: 'peer-error', message: expect.stringContaining('peer-untrusted') })
  expect(reasons(anonymous.theirs)).toContain('peer-untrusted')
  expect((await audit({ prover: pinned.prover })).error).toMatchObject({ code: 'peer-untrusted' })
})

test('a stranger is refused by either side', async () => {
  const prover = await audit({ ...pinned, prover: { ...pinned.prover, identity: mallory } })
  expect(reasons(prover.theirs)).toContain('peer-untrusted')
  const verifier = await audit({ ...pinned, verifier: { ...pinned.verifier, identity: mallory } })
  expect(verifier.error).toMatchObject({
    code: 'peer-untrusted',
    message: expect.stringContaining(mallory.fingerprint),
  })
})

describe('somebody between the two', () => {
  const changed =
    (type: ProtocolMessage['type'], change: (control: never) => object): Change =>
    (message) =>
      message.type === type
        ? ({ ...message, control: { ...message.control, ...change(message.control as never) } } as ProtocolMessage)
        : message

  test('cannot weaken the policy', async () => {
    const weaker = () => ({ sampler: { name: 'rows', parameters: { atLeast: 1, rate: 0, columns: 1 } } })
    const { error } = await audit({ ...pinned, receive: changed('policy', weaker) })
    expect(error).toMatchObject({ code: 'peer-untrusted' })
  })

  test('cannot put a key in the place of the verifier’s', async () => {
    const { error } = await audit({ ...pinned, receive: changed('policy', () => ({ key: mallory.publicKey })) })
    expect(error).toMatchObject({ code: 'peer-untrusted' })
  })

  test('cannot take the place of the prover', async () => {
    const session = (message: ProtocolMessage) => (message.control as { session: Uint8Array }).session
    const send: Change = (message) =>
      message.type === 'open'
        ? {
            ...message,
            control: { session: session(message), signature: mallory.sign('session', 'prover', session(message)) },
          }
        : message
    const { theirs } = await audit({ ...pinned, send })
    expect(reasons(theirs)).toContain('peer-untrusted')
  })

  test('cannot take the prover’s key away', async () => {
    const send: Change = (message) => {
      if (message.type !== 'hello') return message
      const { key: _, ...rest } = message.control
      return { ...message, control: rest }
    }
    const { theirs } = await audit({ ...pinned, send })
    expect(reasons(theirs)).toContain('peer-untrusted')
  })

  test('cannot close the session in the prover’s name', async () => {
    const send = changed('close', () => ({ signature: new Uint8Array(64) }))
    const { theirs } = await audit({ ...pinned, send })
    expect(reasons(theirs)).toContain('peer-untrusted')
    expect(theirs.status).toBe('fail')
  })

  test('cannot turn a verdict', async () => {
    const library = plainLibrary(({ c }) => ({ c: { ...c, data: c.data.map((value) => value + 1) } }))
    const receive: Change = (message) =>
      message.type === 'verdict'
        ? {
            ...message,
            control: {
              ...message.control,
              verdict: { ...message.control.verdict, status: 'pass', findings: [], findingCount: 0 },
            },
          }
        : message
    const transport = memoryTransport()
    const verifier = createVerifier({ weights: store, ...pinned.verifier })
    const listener = await transport.listen('memory:turned', (channel) => void verifier.accept(channel))
    const channel = between(await transport.dial(listener.address), receive, asItIs)
    const prover = await createProver({ backend: library.backend, channel, ...pinned.prover })
    await prover.audit(() => library.matMul(x, w))
    const verdict = await prover.close()
    expect(verdict.status).toBe('incomplete')
    expect(reasons(verdict)).toEqual(['verdict-untrusted'])
    await listener.close()
  })
})

test('a fingerprint that is none is a slip of the caller', async () => {
  expect(() => createVerifier({ weights: store, provers: ['alice'] })).toThrow(TypeError)
  const channel = {} as Channel
  await expect(createProver({ backend: plainLibrary().backend, channel, verifiers: ['auditor'] })).rejects.toThrow(
    TypeError,
  )
})
