import {
  type Channel,
  createIdentity,
  createProver,
  createReceiptProver,
  decodeMessage,
  keyCommitment,
  type Verdict,
} from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { createVerifier, describeVerdict, interactive, spot } from '@tensor-assay/verifier'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { inputOf, layers, modelWeights } from '../support/model.ts'
import { type Cheat, plainLibrary } from '../support/plain-backend.ts'

/** Texts in which 32 bytes may appear. */
function spellings(secret: Uint8Array): string[] {
  const bytes = Buffer.from(secret)
  return [
    bytes.toString('hex'),
    bytes.toString('base64'),
    bytes.toString('base64url'),
    JSON.stringify([...bytes]).slice(1, -1),
  ]
}

/** Every 32 random bytes that anybody draws: keys, seeds, nonces, and what salts are made of. */
function drawnSecrets(): Uint8Array[] {
  const drawn: Uint8Array[] = []
  const original = crypto.getRandomValues.bind(crypto)
  vi.spyOn(crypto, 'getRandomValues').mockImplementation((array) => {
    const filled = original(array)
    if (filled instanceof Uint8Array && filled.length === 32) drawn.push(filled.slice())
    return filled
  })
  return drawn
}

afterEach(() => vi.restoreAllMocks())

const corrupted: Cheat = ({ c }) => ({ c: { ...c, data: c.data.map((value) => value + 1) } })

interface Session {
  /** Whatever the two sides say of it to their users. */
  readonly said: string
  /** What the verifier sent before it revealed its key. */
  readonly sentBefore: Buffer
  readonly key: Uint8Array
  readonly committed: Uint8Array
}

async function session(
  policy: ReturnType<typeof spot>,
  cheat: Cheat | undefined,
  secretKeys: Uint8Array[],
): Promise<Session> {
  const [proverKey, verifierKey] = secretKeys.map((key) => createIdentity(key))
  const transport = memoryTransport()
  const said: unknown[] = []
  const verifier = createVerifier({
    weights: modelWeights,
    policy,
    identity: verifierKey!,
    provers: [proverKey!.fingerprint],
    onEvent: (event) => said.push(event),
  })
  const sent: Uint8Array[] = []
  let key: Uint8Array | undefined
  let committed: Uint8Array | undefined
  let theirs: Promise<Verdict> | undefined
  await using listener = await transport.listen('memory:secrets', (channel) => {
    theirs = verifier.accept(watched(channel))
  })
  function watched(channel: Channel): Channel {
    return {
      peer: channel.peer,
      maxMessageBytes: channel.maxMessageBytes,
      close: (options) => channel.close(options),
      abort: (error) => channel.abort(error),
      [Symbol.asyncIterator]: () => channel[Symbol.asyncIterator](),
      async send(parts) {
        const message = Buffer.concat(parts)
        const decoded = decodeMessage(message)
        if (decoded.type === 'policy') committed = decoded.control.keyCommitment
        if (decoded.type === 'reveal') key = decoded.control.key
        if (key === undefined) sent.push(message)
        await channel.send(parts)
      },
    }
  }
  const library = plainLibrary(cheat)
  const channel = await transport.dial(listener.address)
  const prover = await createProver({
    backend: library.backend,
    channel,
    identity: proverKey!,
    verifiers: [verifierKey!.fingerprint],
  })
  const [first, second] = layers.map(({ shape: [rows, cols], data }) => ({ rows, cols, data }))
  for (let step = 0; step < 2; step++) {
    await prover.audit(() =>
      library.matMul(library.matMul({ rows: 16, cols: 24, data: inputOf(step) }, first!), second!),
    )
  }
  const verdicts = [await prover.close(), await theirs!]
  for (const verdict of verdicts) said.push(verdict, describeVerdict(verdict))
  const text = JSON.stringify(said, (_, value) =>
    ArrayBuffer.isView(value) ? Buffer.from(value as Uint8Array).toString('hex') : value,
  )
  return { said: text, sentBefore: Buffer.concat(sent), key: key!, committed: committed! }
}

describe.each([
  ['interactive', interactive()],
  ['spot', spot()],
] as const)('in mode %s', (_mode, policy) => {
  test.each([
    ['an honest session', undefined],
    ['one that fails', corrupted],
  ])('%s says nothing of its secrets, and reveals its key only at the end', async (_, cheat) => {
    const secretKeys = [new Uint8Array(32).fill(0xa7), new Uint8Array(32).fill(0x5c)]
    const drawn = drawnSecrets()
    const { said, sentBefore, key, committed } = await session(policy, cheat, secretKeys)
    expect(keyCommitment(key)).toEqual(committed)
    expect(drawn.some((secret) => Buffer.from(secret).equals(key))).toBe(true)
    expect(sentBefore.includes(Buffer.from(key))).toBe(false)
    expect(said).toContain(cheat ? '"status":"fail"' : '"status":"pass"')
    for (const secret of [...drawn, ...secretKeys]) {
      for (const spelling of spellings(secret)) expect(said.includes(spelling)).toBe(false)
    }
  })
})

test('a receipt holds no key of its salts', async () => {
  const drawn = drawnSecrets()
  const library = plainLibrary()
  const prover = await createReceiptProver({ backend: library.backend, weights: modelWeights, iterations: 1 })
  const [first] = layers.map(({ shape: [rows, cols], data }) => ({ rows, cols, data }))
  await prover.audit(() => library.matMul({ rows: 16, cols: 24, data: inputOf(0) }, first!))
  const receipt = Buffer.from(await prover.finish())
  // One of them is the nonce, which is public.
  const held = drawn.filter((secret) => receipt.includes(Buffer.from(secret)))
  expect(drawn.length).toBeGreaterThan(held.length)
  const saltKeys = drawn.filter((secret) => !receipt.includes(Buffer.from(secret)))
  expect(saltKeys.length).toBeGreaterThanOrEqual(1)
})
