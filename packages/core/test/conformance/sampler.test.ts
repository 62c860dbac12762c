import { describe, expect, test } from 'vitest'
import { ConformanceError, samplerConformance } from '../../src/conformance/index.ts'
import { samplerFactories } from '../../src/sampling/registry.ts'
import { faults } from './sampler-faults.ts'

for (const [name, factory] of Object.entries(samplerFactories)) {
  describe(`${name} keeps the contract of a sampler`, () => {
    for (const { name, run } of samplerConformance) test(name, () => run({ factory }))
  })
}

describe('the sampler cases catch planted faults', () => {
  for (const [name, { factory, caughtBy, message }] of Object.entries(faults)) {
    test(name, () => {
      const sampleCase = samplerConformance.find((candidate) => candidate.name === caughtBy)
      expect(sampleCase).toBeDefined()
      expect(() => sampleCase?.run({ factory })).toThrow(ConformanceError)
      expect(() => sampleCase?.run({ factory })).toThrow(message)
    })
  }

  test('every case catches at least one', () => {
    const needed = samplerConformance.map(({ name }) => name)
    expect(new Set(Object.values(faults).map(({ caughtBy }) => caughtBy))).toEqual(new Set(needed))
  })
})
