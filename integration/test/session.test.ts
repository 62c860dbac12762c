import { type Channel, createProver, type Transport, type Verdict } from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { tcp } from '@tensor-assay/transport-tcp'
import { createVerifier, interactive, memoryWeights, type Policy, spot } from '@tensor-assay/verifier'
import { describe, expect, test } from 'vitest'
import { bytesOf, type Cheat, multiply, noise, type Plain, plain, plainLibrary } from '../support/plain-backend.ts'

const x = plain(40, 96, noise(1))
const w1 = plain(96, 64, noise(2))
const w2 = plain(64, 32, noise(3))
const stranger = plain(96, 64, noise(4))

interface Run {
  readonly policy?: Policy
  readonly cheat?: Cheat
  readonly transport?: [Transport, string]
  readonly first?: Plain
  readonly bound?: boolean
  readonly steps?: number
  /** Stands between prover and verifier. */
  readonly wrap?: (channel: Channel) => Channel
}

let names = 0

/** One session of a two-layer model; both sides' verdicts and the model's outputs. */
async function session(run: Run = {}): Promise<{ prover: Verdict; verifier: Verdict; outputs: Plain[] }> {
  const { policy = interactive(), cheat, first = w1, bound = false, steps = 1 } = run
  const [transport, address] = run.transport ?? [memoryTransport(), `memory:session-${names++}`]
  const store = memoryWeights([
    { name: 'first', shape: [96, 64], data: w1.data },
    { name: 'second', shape: [64, 32], data: w2.data },
  ])
  const verifier = createVerifier({ weights: store, policy })
  const input = { rows: x.rows, cols: x.cols, dtype: 'float32', bytes: bytesOf(x.data) } as const
  let accepted: (verdict: Promise<Verdict>) => void
  const verdict = new Promise<Verdict>((resolve) => {
    accepted = resolve
  })
  const listener = await transport.listen(address, (channel) =>
    accepted(verifier.accept(channel, bound ? { inputs: [input] } : {})),
  )
  const library = plainLibrary(cheat)
  const channel = await transport.dial(listener.address)
  const prover = await createProver({ backend: library.backend, channel: run.wrap?.(channel) ?? channel })
  const outputs: Plain[] = []
  for (let step = 0; step < steps; step++) {
    outputs.push(await prover.audit(() => library.matMul(library.matMul(x, first), w2)))
  }
  const mine = await prover.close()
  const theirs = await verdict
  await listener.close()
  return { prover: mine, verifier: theirs, outputs }
}

const reasons = (verdict: Verdict) => verdict.findings.map((finding) => finding.reason)
const altered = (tensor: Plain, change: (data: Float32Array) => void): Plain => {
  const data = tensor.data.slice()
  change(data)
  return { ...tensor, data }
}

describe.each([
  ['interactive', interactive()],
  ['spot', spot()],
] as const)('an honest %s session', (_, policy) => {
  test.each([
    ['memory', () => [memoryTransport(), `memory:honest-${names++}`] as [Transport, string]],
    ['tcp', () => [tcp(), 'tcp://127.0.0.1:0'] as [Transport, string]],
  ])('passes over %s, and both sides say the same', async (_name, transport) => {
    const { prover, verifier, outputs } = await session({ policy, transport: transport(), steps: 3 })
    expect(verifier.findings).toEqual([])
    expect(verifier.status).toBe('pass')
    expect(prover).toEqual(verifier)
    expect(verifier.coverage).toMatchObject({ operations: 6, audited: 6, weightsUsed: 2, weightsKnown: 2 })
    expect(outputs[0]!.data).toEqual(multiply(multiply(x, w1), w2).data)
  })
})

test('the C of one layer is recognised as the A of the next', async () => {
  const { verifier } = await session()
  expect(verifier.coverage.linked).toBe(1)
})

test('an input that the verifier knows is bound', async () => {
  const { verifier } = await session({ bound: true })
  expect(verifier.status).toBe('pass')
  expect(verifier.coverage.inputsBound).toBe(1)
})

describe('a dishonest run fails for the right reason', () => {
  test('the returned tensor is altered after the product', async () => {
    const cheat: Cheat = ({ c }) => ({ c: altered(c, (data) => data.set(data.map((value) => value * 1.01))) })
    const { verifier } = await session({ cheat })
    expect(verifier.status).toBe('fail')
    expect(reasons(verifier)[0]).toBe('value-out-of-tolerance')
  })

  test('another weight is used and the public one is named', async () => {
    const cheat: Cheat = ({ a, b }, sequence) => (sequence === 0 ? { b, c: multiply(a, stranger) } : {})
    const { verifier } = await session({ cheat })
    expect(reasons(verifier)[0]).toBe('value-out-of-tolerance')
  })

  test('another weight is used openly', async () => {
    const { verifier } = await session({ first: stranger })
    expect(verifier.status).toBe('fail')
    expect(reasons(verifier)).toContain('activation-refused')
  })

  test('one entry of the last row is wrong', async () => {
    const cheat: Cheat = ({ c }) => ({ c: altered(c, (data) => (data[data.length - 1]! += 0.01)) })
    const { verifier } = await session({ cheat })
    expect(reasons(verifier)[0]).toBe('value-out-of-tolerance')
  })

  test('values that are not finite', async () => {
    const cheat: Cheat = ({ c }) => ({ c: altered(c, (data) => data.fill(Number.NaN)) })
    const { verifier } = await session({ cheat })
    expect(reasons(verifier)[0]).toBe('value-not-finite')
  })

  test('an invented A with the C that belongs to it, where the input is known', async () => {
    const invented = plain(40, 96, noise(9))
    const cheat: Cheat = (_product, sequence) => (sequence === 0 ? { a: invented, c: multiply(invented, w1) } : {})
    const { verifier } = await session({ cheat, bound: true })
    expect(reasons(verifier)).toContain('input-mismatch')
  })

  test('an opening is tampered with', async () => {
    const wrap = tamper((bytes) => {
      // A message with segments, of type opening: flip a bit of its last row.
      if (bytes[5] === 6) bytes[bytes.length - 1]! ^= 1
    })
    const { verifier } = await session({ wrap })
    expect(reasons(verifier)).toContain('commitment-mismatch')
  })
})

test('a verifier that dies leaves the run as it is and the verdict incomplete', async () => {
  const store = memoryWeights([{ name: 'first', shape: [96, 64], data: w1.data }])
  const verifier = createVerifier({ weights: store })
  const transport = memoryTransport()
  const abort = new AbortController()
  let theirs: Promise<Verdict> | undefined
  const listener = await transport.listen('memory:dies', (channel) => {
    theirs = verifier.accept(channel, { signal: abort.signal })
  })
  const library = plainLibrary()
  const prover = await createProver({ backend: library.backend, channel: await transport.dial(listener.address) })
  const before = await prover.audit(() => library.matMul(x, w1))
  abort.abort()
  const after = await prover.audit(() => library.matMul(x, w1))
  const mine = await prover.close()
  expect(after.data).toEqual(before.data)
  expect(mine.status).toBe('incomplete')
  expect((await theirs)?.status).toBe('incomplete')
  await listener.close()
})

test('a prover that dies leaves the verifier with an incomplete verdict', async () => {
  const verifier = createVerifier({ weights: memoryWeights([{ name: 'first', shape: [96, 64], data: w1.data }]) })
  const transport = memoryTransport()
  let theirs: Promise<Verdict> | undefined
  const listener = await transport.listen('memory:prover-dies', (channel) => {
    theirs = verifier.accept(channel)
  })
  const library = plainLibrary()
  const channel = await transport.dial(listener.address)
  const prover = await createProver({ backend: library.backend, channel })
  await prover.audit(() => library.matMul(x, w1))
  channel.abort(new Error('killed'))
  expect((await theirs)?.status).toBe('incomplete')
  expect((await prover.close()).status).toBe('incomplete')
  await listener.close()
})

test('nothing sampled is inconclusive', async () => {
  const { verifier } = await session({ steps: 0 })
  expect(verifier.status).toBe('inconclusive')
  expect(reasons(verifier)).toEqual(['nothing-sampled'])
})

/** A channel whose messages are changed on their way out. */
function tamper(change: (bytes: Uint8Array) => void): (channel: Channel) => Channel {
  return (channel) => ({
    peer: channel.peer,
    maxMessageBytes: channel.maxMessageBytes,
    [Symbol.asyncIterator]: () => channel[Symbol.asyncIterator](),
    close: (options) => channel.close(options),
    abort: (error) => channel.abort(error),
    send(message) {
      const bytes = Uint8Array.from(message.flatMap((part) => [...part]))
      change(bytes)
      return channel.send([bytes])
    },
  })
}
