import { describe, expect, test } from 'vitest'
import { backendConformance, ConformanceError } from '../../src/conformance/index.ts'
import { referenceBackend } from '../../src/testing/index.ts'
import { interceptionFaults } from './backend-faults/interception.ts'
import { readingFaults } from './backend-faults/reading.ts'
import type { BackendFault } from './backend-faults/spoil.ts'
import { statementFaults } from './backend-faults/statement.ts'
import { referenceHarness } from './reference-harness.ts'

describe('the reference backend keeps the contract of a backend', () => {
  const harness = referenceHarness(referenceBackend())
  for (const { name, requires = [], run } of backendConformance) {
    test(name, async () => {
      expect(requires.filter((capability) => !harness.capabilities.includes(capability))).toEqual([])
      await run(harness)
    })
  }
})

const faults: Record<string, BackendFault> = { ...statementFaults, ...readingFaults, ...interceptionFaults }

describe('the backend cases catch planted faults', () => {
  for (const [name, { fault, caughtBy, message }] of Object.entries(faults)) {
    test(name, async () => {
      const backendCase = backendConformance.find((candidate) => candidate.name === caughtBy)
      expect(backendCase, caughtBy).toBeDefined()
      const good = referenceBackend()
      const found = await backendCase!.run(fault(referenceHarness(good), good)).then(
        () => undefined,
        (error: unknown) => error,
      )
      expect(found).toBeInstanceOf(ConformanceError)
      expect(String(found)).toMatch(message)
    })
  }

  test('every case but the variants of one catches at least one', () => {
    const ofOneKind = [/^a product is reported/, /^a convolution is reported/, /^rows read alone/, /in any order/]
    const caught = new Set(Object.values(faults).map(({ caughtBy }) => caughtBy))
    const idle = backendConformance.map(({ name }) => name).filter((name) => !caught.has(name))
    expect(idle.filter((name) => !ofOneKind.some((kind) => kind.test(name)))).toEqual([])
  })

  test('names of cases are unique', () => {
    expect(new Set(backendConformance.map(({ name }) => name)).size).toBe(backendConformance.length)
  })
})
