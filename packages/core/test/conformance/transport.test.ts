import { describe, expect, test } from 'vitest'
import { transportConformance } from '../../src/conformance/index.ts'
import { memoryTransport } from '../../src/testing/index.ts'
import { deliveryFaults } from './transport-faults/delivery.ts'
import { endingFaults } from './transport-faults/ending.ts'
import { listeningFaults } from './transport-faults/listening.ts'
import type { Fault } from './transport-faults/spoil.ts'

const faults = { ...deliveryFaults, ...endingFaults, ...listeningFaults }

/** Runs one case against a spoilt transport. */
async function runCase(name: string, fault: Fault): Promise<void> {
  const transport = fault(memoryTransport({ maxMessageBytes: 2 ** 18, maxBufferedBytes: 2 ** 17, closeTimeoutMs: 50 }))
  const found = transportConformance.find((each) => each.name === name)
  if (found === undefined) throw new Error(`there is no case "${name}"`)
  let addresses = 0
  const listenAddress = () => `memory:${++addresses}`
  await found.run({ transport, listenAddress, maxInFlightBytes: 2 ** 21, timeoutMs: 500 })
}

describe.concurrent('the transport cases catch planted faults', () => {
  for (const [name, { fault, caughtBy, message }] of Object.entries(faults)) {
    test(name, async ({ expect }) => {
      await expect(runCase(caughtBy, fault)).rejects.toThrow(message)
      await expect(runCase(caughtBy, (good) => good)).resolves.toBeUndefined()
    })
  }
})

test('names of cases are unique', () => {
  expect(new Set(transportConformance.map(({ name }) => name)).size).toBe(transportConformance.length)
})
