import { onnx } from '@tensor-assay/backend-onnx'
import { createProver, decodeMessage, encodeMessage, isStepRead, type Verdict } from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { createVerifier, describeVerdict, spot } from '@tensor-assay/verifier'
import * as ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { mlp } from '../../packages/backend-onnx/test/models/index.ts'
import { contents, feedsFor } from '../../packages/backend-onnx/test/support/ort.ts'
import { modelWeights } from '../support/model.ts'
import { publicWeights } from '../support/onnx-audit.ts'
import { plainSession } from '../support/plain-session.ts'

const steps = 60
const operationRate = 0.25

interface Samples {
  /** Numbers of the steps that were sampled. */
  readonly read: Set<number>
  /** Those that the policy draws. */
  drawn: number[]
}

/** A spot session at a quarter of the steps; what `drive` does with its channel, and what the verifier saw and says. */
async function session(
  weights: Parameters<typeof createVerifier>[0]['weights'],
  drive: (channel: Awaited<ReturnType<ReturnType<typeof memoryTransport>['dial']>>) => Promise<unknown>,
  restep: (step: number) => number = (step) => step,
): Promise<{ verdict: Verdict; samples: Samples }> {
  const transport = memoryTransport()
  const verifier = createVerifier({ weights, policy: spot({ operationRate }) })
  const samples: Samples = { read: new Set(), drawn: [] }
  let seed: Uint8Array | undefined
  let verdict: Promise<Verdict> | undefined
  await using listener = await transport.listen('memory:step-rate', (channel) => {
    verdict = verifier.accept({
      peer: channel.peer,
      maxMessageBytes: channel.maxMessageBytes,
      close: (options) => channel.close(options),
      abort: (error) => channel.abort(error),
      async send(message) {
        const decoded = decodeMessage(Buffer.concat(message))
        if (decoded.type === 'policy') seed = decoded.control.spotSeed
        await channel.send(message)
      },
      async *[Symbol.asyncIterator]() {
        for await (const message of channel) {
          const decoded = decodeMessage(message)
          if (decoded.type === 'open') {
            const { session: id } = decoded.control
            samples.drawn = Array.from({ length: steps }, (_, step) => step).filter((step) =>
              isStepRead(seed!, id, step, operationRate),
            )
          }
          if (decoded.type !== 'sample') yield message
          else {
            const { control, segments } = decoded
            samples.read.add(control.record.step)
            const record = { ...control.record, step: restep(control.record.step) }
            yield Buffer.concat(encodeMessage('sample', { ...control, record }, segments))
          }
        }
      },
    })
  })
  await drive(await transport.dial(listener.address))
  return { verdict: await verdict!, samples }
}

describe('a share of the steps', () => {
  test('is read in spot mode, the first one always, and the claims are that much smaller', async () => {
    const { verdict, samples } = await session(modelWeights, async (channel) => {
      const prover = await plainSession(channel)
      for (let step = 0; step < steps; step++) await prover.step()
      await prover.close()
    })
    expect(verdict.status).toBe('pass')
    expect([...samples.read]).toEqual(samples.drawn)
    expect(samples.drawn[0]).toBe(0)
    expect(samples.drawn.length).toBeLessThan(steps)
    expect(verdict.coverage).toMatchObject({
      operations: 2 * samples.drawn.length,
      audited: 2 * samples.drawn.length,
    })
    expect(verdict.coverage.stepRate).toBe(operationRate)
    expect(describeVerdict(verdict)).toMatch(/draws 25% of them, and the first; nothing is known of\s+the others/)
    expect(verdict.detection.oneRow).toBeLessThanOrEqual(operationRate)
  })

  test('sent of another step ends the session', async () => {
    let sent = 0
    const { verdict } = await session(
      modelWeights,
      async (channel) => {
        const prover = await plainSession(channel)
        for (let step = 0; step < steps; step++) await prover.step()
        await prover.close()
      },
      // Numbers that were not drawn are found among so many.
      (step) => (step === 0 ? 0 : 1000 + sent++),
    )
    expect(verdict.findings).toMatchObject([{ reason: 'protocol-violation' }])
    expect(verdict.findings[0]!.message).toContain('which was not drawn')
  })

  test('of the runs of an ONNX session that is watched', async () => {
    const { file, feeds } = mlp()
    const plain = await ort.InferenceSession.create(file)
    const expected = contents(await plain.run(feedsFor(plain, feeds)))
    using backend = onnx(ort)
    const model = await ort.InferenceSession.create(file)
    const { verdict, samples } = await session(await publicWeights(file), async (channel) => {
      const prover = await createProver({ backend, channel })
      using watching = prover.watch()
      expect(watching.active).toBe(true)
      for (let step = 0; step < steps; step++) {
        expect(contents(await model.run(feedsFor(model, feeds)))).toEqual(expected)
      }
      await prover.close()
    })
    expect(verdict.status).toBe('pass')
    expect([...samples.read]).toEqual(samples.drawn)
    expect(verdict.coverage.operations % samples.drawn.length).toBe(0)
  })
})
