import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import { setTimeout } from 'node:timers/promises'
import { createProver, type MessageType, type Verdict } from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { tcp } from '@tensor-assay/transport-tcp'
import { createVerifier, interactive, spot } from '@tensor-assay/verifier'
import { describe, expect, test } from 'vitest'
import { Child } from '../support/child.ts'
import { gatedChannel } from '../support/gated-channel.ts'
import { inputOf, layers, modelWeights } from '../support/model.ts'
import { plainLibrary } from '../support/plain-backend.ts'
import { plainSession } from '../support/plain-session.ts'
import { watchedChannel } from '../support/watched-channel.ts'

describe.each([
  ['interactive', interactive()],
  ['spot', spot()],
] as const)('%s', (mode, policy) => {
  test('1000 operations take one connection and one handshake', async () => {
    let sockets = 0
    const onSocket = () => sockets++
    subscribe('net.client.socket', onSocket)
    let channels = 0
    const received: MessageType[] = []
    const verdicts: Promise<Verdict>[] = []
    const verifier = createVerifier({ weights: modelWeights, policy })
    await using listener = await tcp().listen('tcp://127.0.0.1:0', (channel) => {
      channels++
      const watched = watchedChannel(channel, (passage, type) => void (passage === 'received' && received.push(type)))
      verdicts.push(verifier.accept(watched))
    })

    const session = await plainSession(await tcp().dial(listener.address))
    for (let step = 0; step < 500; step++) await session.step()
    const verdict = await session.close()
    unsubscribe('net.client.socket', onSocket)

    expect(verdict).toMatchObject({ status: 'pass', coverage: { operations: 1000, audited: 1000 } })
    // The inputs; what the second layer reads is what the first one gave.
    expect(verdict.coverage.foreignTensors).toBe(mode === 'spot' ? undefined : 500)
    expect(await Promise.all(verdicts)).toEqual([verdict])
    expect({ sockets, channels }).toEqual({ sockets: 1, channels: 1 })
    const times = (type: MessageType) => received.filter((each) => each === type).length
    expect({ hello: times('hello'), open: times('open'), close: times('close') }).toEqual({
      hello: 1,
      open: 1,
      close: 1,
    })
  })

  test('a verifier that does not keep up: what does not fit is left out, and said to be', async () => {
    const maxRetainedBytes = 16 * 1024
    const products = 200
    const transport = memoryTransport({ maxBufferedBytes: 4096 })
    const verifier = createVerifier({ weights: modelWeights, policy })
    let theirs: Promise<Verdict> | undefined
    let open = () => {}
    await using listener = await transport.listen('memory:slow', (channel) => {
      const gated = gatedChannel(channel, 2)
      open = gated.open
      theirs = verifier.accept(gated.channel)
    })
    const library = plainLibrary()
    const channel = await transport.dial(listener.address)
    const prover = await createProver({ backend: library.backend, channel, maxRetainedBytes })
    const [weight] = layers.map(({ shape: [rows, cols], data }) => ({ rows, cols, data }))
    const results = await prover.audit(() =>
      Array.from({ length: products }, (_, i) => library.matMul({ rows: 16, cols: 24, data: inputOf(i) }, weight!)),
    )
    open()
    const verdict = await prover.close()

    expect(verdict).toEqual(await theirs)
    expect(results).toHaveLength(products)
    const { status, coverage, findings, findingCount } = verdict
    expect(status).toBe('incomplete')
    expect(coverage.operations).toBe(products)
    expect(coverage.audited).toBeGreaterThan(0)
    expect(coverage.skipped).toBeGreaterThan(0)
    expect(coverage.audited + coverage.skipped).toBe(products)
    expect(findingCount).toBe(coverage.skipped)
    for (const { reason, message } of findings) {
      expect(reason).toBe('operation-skipped')
      const [, held] = /(\d+) (?:retained|bytes were waiting)/.exec(message) ?? []
      // A spot session looks before a product's rows are taken, and so is over by one product's at most.
      const rows = mode === 'spot' ? 2 * (24 + 40) * 4 : 0
      expect(Number(held)).toBeLessThanOrEqual(maxRetainedBytes + rows)
    }
  })

  test('a run that waits for a verifier goes on when that is lost', async () => {
    const transport = memoryTransport({ maxBufferedBytes: 4096 })
    const verifier = createVerifier({ weights: modelWeights, policy })
    let lose = () => {}
    await using listener = await transport.listen('memory:lost', (channel) => {
      lose = () => channel.abort(new Error('lost'))
      void verifier.accept(gatedChannel(channel, 2).channel)
    })
    const session = await plainSession(await transport.dial(listener.address), { maxRetainedBytes: 16 * 1024 })
    let steps = 0
    const run = (async () => {
      for (; steps < 100; steps++) await session.step()
    })()
    for (let before = -1; before < steps; await setTimeout(100)) before = steps
    expect(steps).toBeLessThan(100)
    lose()
    await run
    expect(await session.close()).toMatchObject({ status: 'incomplete', findings: [{ reason: 'channel-lost' }] })
  })

  test('the memory of the prover stays bounded', async () => {
    const maxRetainedBytes = mode === 'spot' ? 2 ** 19 : 2 ** 22
    await using child = new Child<{ result: { heldBytes: number; verdict: Verdict } }>(
      './slow-verifier-process.ts',
      mode,
      String(maxRetainedBytes),
      '1000',
    )
    const { heldBytes, verdict } = await child.next('result')
    // What is retained, the hashes over it, messages under way, and the products of the last turn. All have 62 MiB.
    expect(heldBytes).toBeLessThan(2 * maxRetainedBytes + 2 * 2 ** 20)
    expect(verdict).toMatchObject({ status: 'incomplete', coverage: { operations: 1000 } })
    expect(await child.end()).toEqual({ code: 0, stderr: '' })
  })
})
