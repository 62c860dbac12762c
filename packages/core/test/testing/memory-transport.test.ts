import { describe, expect, test } from 'vitest'
import { type TransportCapability, transportConformance } from '../../src/conformance/index.ts'
import { memoryTransport } from '../../src/testing/index.ts'
import type { Channel, Message } from '../../src/transport.ts'

const capabilities: readonly TransportCapability[] = ['half-close', 'close-deadline', 'max-channels']

describe('memoryTransport keeps the contract', () => {
  const transport = memoryTransport({ maxMessageBytes: 2 ** 20, maxBufferedBytes: 2 ** 18, closeTimeoutMs: 200 })
  let addresses = 0
  for (const { name, requires = [], run } of transportConformance) {
    const missing = requires.filter((capability) => !capabilities.includes(capability))
    test(name, async (context) => {
      context.skip(missing.length > 0, `memoryTransport does not offer ${missing.join(', ')}`)
      await run({
        transport,
        listenAddress: () => `memory:${++addresses}`,
        maxInFlightBytes: 2 ** 22,
        timeoutMs: 30_000,
      })
    })
  }
})

test('each transport has names of its own', async () => {
  const [one, other] = [memoryTransport(), memoryTransport()]
  await using _first = await one.listen('memory:x', () => {})
  await using _second = await other.listen('memory:x', () => {})
  await expect(memoryTransport().dial('memory:x')).rejects.toMatchObject({ code: 'peer-unreachable' })
})

test('a flood of empty messages meets back-pressure', async () => {
  const transport = memoryTransport({ maxBufferedBytes: 64 * 10 })
  await using listener = await transport.listen('memory:x', () => {})
  const channel = await transport.dial(listener.address)
  let resolved = 0
  for (let i = 0; i < 1000; i++) {
    channel.send([]).then(
      () => resolved++,
      () => {},
    )
  }
  await new Promise((resolve) => setTimeout(resolve, 20))
  expect(resolved).toBeGreaterThan(0)
  expect(resolved).toBeLessThanOrEqual(11)
  channel.abort(new Error('the test is over'))
})

test('slips of a programmer show what was given', async () => {
  const transport = memoryTransport()
  let accepted!: Channel
  await using listener = await transport.listen('memory:x', (channel) => {
    accepted = channel
  })
  const channel = await transport.dial(listener.address)
  await expect(channel.send(new Uint8Array(3) as unknown as Message)).rejects.toThrow(TypeError)
  expect(() => memoryTransport({ maxMessageBytes: 0 })).toThrow('maxMessageBytes must be a positive integer, got 0')
  await expect(transport.listen('memory:y', () => {}, { maxChannels: Number.NaN })).rejects.toThrow(RangeError)
  await Promise.all([channel.close(), accepted.close()])
  expect(() => channel[Symbol.asyncIterator]()).toThrow(expect.objectContaining({ code: 'channel-closed' }))
})
