import { createProver } from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { createVerifier, interactive } from '@tensor-assay/verifier'
import { expect, test } from 'vitest'
import { gatedChannel } from '../support/gated-channel.ts'
import { modelWeights } from '../support/model.ts'
import { plain, plainLibrary } from '../support/plain-backend.ts'
import { plainSession } from '../support/plain-session.ts'

/** A verifier that opens a session and then reads no more. */
async function deafVerifier(policy = interactive()) {
  const verifier = createVerifier({ weights: modelWeights, policy })
  const stop = new AbortController()
  const transport = memoryTransport()
  const listener = await transport.listen('memory:deaf', (channel) => {
    void verifier.accept(gatedChannel(channel, 2).channel, { signal: stop.signal })
  })
  return {
    dial: () => transport.dial(listener.address),
    async [Symbol.asyncDispose]() {
      stop.abort()
      await listener.close()
    },
  }
}

test('a verdict is waited for as long as the prover is told, and no longer', async () => {
  await using verifier = await deafVerifier()
  const session = await plainSession(await verifier.dial(), { verdictTimeoutMs: 50 })
  await session.step()
  expect(await session.close()).toMatchObject({
    status: 'incomplete',
    findings: [{ reason: 'deadline-exceeded', message: expect.stringContaining('50 ms') }],
  })
})

test('room is waited for as long as the prover is told, and then the run begins', async () => {
  await using verifier = await deafVerifier()
  const options = { maxRetainedBytes: 8 * 1024, verdictTimeoutMs: 50 }
  const session = await plainSession(await verifier.dial(), { ...options, maxWaitMs: 50 })
  for (let step = 0; step < 4; step++) await session.step()
  expect((await session.close()).status).toBe('incomplete')

  const patient = await plainSession(await verifier.dial(), { ...options, maxWaitMs: 2 ** 31 - 1 })
  let steps = 0
  const steady = (async () => {
    for (; steps < 4; steps++) await patient.step()
  })()
  const ended = expect(steady).rejects.toThrow('audit() was called after close()')
  expect((await patient.close()).status).toBe('incomplete')
  expect(steps).toBeLessThan(4)
  await ended
})

test('so many operations wait to be sent, and with one more the session is given up', async () => {
  await using verifier = await deafVerifier(interactive({ window: 1 }))
  const library = plainLibrary()
  const prover = await createProver({ backend: library.backend, channel: await verifier.dial() })
  const [a, b] = [plain(1, 1, () => 1), plain(1, 1, () => 2)]
  const c = await prover.audit(() => {
    let last = a
    for (let i = 0; i < 16_384 + 2; i++) last = library.matMul(a, b)
    return last
  })
  // The run is what it is all the same.
  expect(c.data[0]).toBe(2)
  expect(await prover.close()).toMatchObject({
    status: 'incomplete',
    findings: [{ reason: 'channel-lost', message: expect.stringContaining('16384 operations wait') }],
  })
})
