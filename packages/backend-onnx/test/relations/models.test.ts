import { describe, expect, test } from 'vitest'
import { generatedModels } from '../models/index.ts'
import { sharedModels } from '../models/shared.ts'
import { derivedOperands } from '../support/derived.ts'

const levels = ['disabled', 'all'] as const

for (const model of [...generatedModels, ...sharedModels()]) {
  test.each(levels)(`${model.name}, level %s: derivations give what was read`, async (level) => {
    for (const { node, name, deviation, isLinked, derivation, reason } of await derivedOperands(model, level)) {
      const operand = `${name} of ${node}`
      expect(isLinked && derivation !== undefined, operand).toBe(false)
      expect(isLinked, `${operand}: ${reason}`).toBe(reason === 'the same rows as before')
      if (derivation) expect(deviation, operand).toBeLessThan(2e-6)
    }
  })
}

const named = (name: string) => generatedModels.find((model) => model.name === name)!

describe('everything but what comes of an input is stated', () => {
  const names = ['bert', 'decoder', 'vision transformer', 'resnet', 'mobilenet', 'efficientnet', 'densenet']
  const models = [generatedModels.find(({ name }) => name.startsWith('transformer'))!, ...names.map(named)]
  test.each(models.flatMap((model) => levels.map((level) => [model.name, level, model] as const)))(
    '%s, level %s',
    async (_name, level, model) => {
      const operands = await derivedOperands(model, level)
      const rest = operands.filter(({ isLinked, derivation }) => !isLinked && !derivation)
      expect(rest.map(({ reason }) => reason).filter((reason) => !reason!.startsWith('input '))).toEqual([])
      expect(operands.filter(({ derivation }) => derivation).length).toBeGreaterThan(1)
    },
  )
})
