import { describe, expect, test } from 'vitest'
import { AssayError, type AssayErrorCode } from '../../src/errors.ts'
import { samplerFactories, samplerNamed } from '../../src/sampling/registry.ts'
import { rows } from '../../src/sampling/rows.ts'

const failing = (code: AssayErrorCode) =>
  expect.toSatisfy((error: unknown) => AssayError.isInstance(error) && error.code === code)

describe('samplerNamed', () => {
  test('makes a sampler again from its name and parameters', () => {
    for (const factory of Object.values(samplerFactories)) {
      const { name, parameters } = factory({ atLeast: 3 })
      expect(samplerNamed(name, parameters)).toMatchObject({ name, parameters })
    }
  })

  test.each(['', 'Rows', 'toString', '__proto__', 'constructor'])('does not know %j', (name) => {
    expect(() => samplerNamed(name, {})).toThrow(failing('sampler-unknown'))
  })

  test.each([{ atLeast: 0 }, { rate: Number.NaN }, { mystery: 1 }, JSON.parse('{"__proto__": 1}')])(
    'refuses parameters %j of the other side',
    (parameters) => {
      expect(() => samplerNamed('rows', parameters)).toThrow(failing('message-malformed'))
    },
  )

  test('knows the samplers that it is given, and passes on their defects', () => {
    const mine = { ...samplerFactories, mine: () => ({ ...rows(), name: 'mine' }) }
    expect(samplerNamed('mine', {}, mine).name).toBe('mine')
    const defect = new TypeError('defect')
    const broken = () => {
      throw defect
    }
    expect(() => samplerNamed('broken', {}, { broken })).toThrow(defect)
  })
})
