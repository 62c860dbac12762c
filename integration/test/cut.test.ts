import {
  AssayError,
  type Channel,
  createProver,
  decodeMessage,
  type MessageType,
  type Prover,
  type Verdict,
} from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { createVerifier, interactive, spot, type VerifierEvent } from '@tensor-assay/verifier'
import { describe, expect, test } from 'vitest'
import { inputOf, layers, modelWeights } from '../support/model.ts'
import { plainLibrary } from '../support/plain-backend.ts'
import { watchedChannel } from '../support/watched-channel.ts'

const steps = 3

interface Outcome {
  /** What the model gave. */
  readonly outputs: readonly (readonly number[])[]
  /** Of the prover; undefined where the session did not open. */
  readonly mine: Verdict | undefined
  readonly theirs: Verdict
  readonly events: readonly VerifierEvent[]
  /** Messages that got past the cut, as `sender type`. */
  readonly arrived: readonly string[]
  /** Of the prover's, those that the verifier read before it heard of the cut. */
  readonly heard: readonly MessageType[]
}

/** A session of which message number `cut`, counting both directions, and all that follow never arrive. */
async function session(policy: ReturnType<typeof spot>, cut: number): Promise<Outcome> {
  const transport = memoryTransport()
  const events: VerifierEvent[] = []
  const heard: MessageType[] = []
  const verifier = createVerifier({ weights: modelWeights, policy, onEvent: (event) => events.push(event) })
  let theirs: Promise<Verdict> | undefined
  await using listener = await transport.listen('memory:cut', (channel) => {
    theirs = verifier.accept(
      watchedChannel(channel, (passage, type) => void (passage === 'received' && heard.push(type))),
    )
  })
  const arrived: string[] = []
  const channel = cutting(await transport.dial(listener.address), cut, arrived)
  const library = plainLibrary()
  const [first, second] = layers.map(({ shape: [rows, cols], data }) => ({ rows, cols, data }))
  const run = (step: number) =>
    library.matMul(library.matMul({ rows: 16, cols: 24, data: inputOf(step) }, first!), second!)
  let prover: Prover | undefined
  try {
    prover = await createProver({ backend: library.backend, channel })
  } catch (error) {
    expect(AssayError.isInstance(error) && error.code).toBe('channel-lost')
  }
  const outputs: number[][] = []
  for (let step = 0; step < steps; step++) {
    const output = prover ? await prover.audit(() => run(step)) : run(step)
    outputs.push([...output.data])
  }
  const mine = await prover?.close()
  return { outputs, mine, theirs: await theirs!, events, arrived, heard }
}

function cutting(channel: Channel, cut: number, arrived: string[]): Channel {
  const passes = (sender: string, message: Uint8Array) => {
    if (arrived.length >= cut) {
      channel.abort(new AssayError('channel-lost', 'the line was cut'))
      return false
    }
    arrived.push(`${sender} ${decodeMessage(message).type}`)
    return true
  }
  return {
    peer: channel.peer,
    maxMessageBytes: channel.maxMessageBytes,
    close: (options) => channel.close(options),
    abort: (error) => channel.abort(error),
    async send(parts) {
      if (!passes('prover', Buffer.concat(parts))) throw new AssayError('channel-lost', 'the line was cut')
      await channel.send(parts)
    },
    async *[Symbol.asyncIterator]() {
      for await (const message of channel) {
        if (!passes('verifier', message)) throw new AssayError('channel-lost', 'the line was cut')
        yield message
      }
    },
  }
}

describe.each([
  ['interactive', interactive()],
  ['spot', spot()],
] as const)('a line that is cut in mode %s', (_mode, policy) => {
  test('before any of its messages leaves no pass that was not earned, and loses nothing that was said', async () => {
    const whole = await session(policy, Number.POSITIVE_INFINITY)
    expect(whole.mine).toEqual(whole.theirs)
    expect(whole.mine!.status).toBe('pass')
    expect(whole.arrived.at(-1)).toBe('verifier verdict')
    for (let cut = 0; cut < whole.arrived.length; cut++) {
      const { outputs, mine, theirs, events, arrived, heard } = await session(policy, cut)
      const at = `cut before message ${cut}: ${arrived.at(-1) ?? 'nothing'} came last`
      expect(outputs, at).toEqual(whole.outputs)
      expect(mine?.status ?? 'incomplete', at).toBe('incomplete')
      // Once it has the prover's last word, the verifier can judge.
      const isHeardOut = heard.includes('close')
      expect(theirs.status, at).toBe(isHeardOut ? 'pass' : 'incomplete')
      const checked = events.filter(({ type }) => type === 'checked').length
      expect(theirs.coverage.audited, at).toBe(checked)
      if (!isHeardOut)
        expect(
          theirs.findings.map(({ reason }) => reason),
          at,
        ).toContain('channel-lost')
      const openings = heard.filter((type) => type === 'opening' || type === 'sample').length
      expect(checked, at).toBe(openings)
    }
  })
})
