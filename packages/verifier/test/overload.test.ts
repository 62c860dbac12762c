import { createProver } from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { afterEach, expect, test, vi } from 'vitest'
import { noise, plain, plainLibrary } from '../../../integration/support/plain-backend.ts'
import { createVerifier, interactive, memoryWeights } from '../src/index.ts'

afterEach(() => vi.restoreAllMocks())

// Once failed an honest prover: an opening counted as late when the verifier came to it late.
test('a verifier that is busy for longer than it waits for an opening does not call the prover late', async () => {
  const b = plain(8, 8, noise(1))
  const verifier = createVerifier({
    weights: memoryWeights([{ name: 'w', shape: [8, 8], data: b.data }]),
    policy: interactive({ openingTimeoutMs: 5000, idleTimeoutMs: 5000 }),
    // Each check takes a minute.
    onEvent: ({ type }) => {
      if (type === 'checked') busyMs += 60_000
    },
  })
  const clock = performance.now.bind(performance)
  let busyMs = 0
  vi.spyOn(performance, 'now').mockImplementation(() => clock() + busyMs)
  const transport = memoryTransport()
  const verdicts: Promise<unknown>[] = []
  const listener = await transport.listen('memory://busy', (channel) => verdicts.push(verifier.accept(channel)))
  const library = plainLibrary()
  const prover = await createProver({ backend: library.backend, channel: await transport.dial(listener.address) })
  await prover.audit(() => {
    for (let i = 0; i < 8; i++) library.matMul(plain(8, 8, noise(i)), b)
  })
  expect(await prover.close()).toMatchObject({ status: 'pass', coverage: { audited: 8 } })
  await Promise.all(verdicts)
  await listener.close()
})
