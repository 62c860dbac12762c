import type { Manifest } from '@tensor-assay/core'
import { describe, expect, test } from 'vitest'
import { generatedModels, type TestModel } from '../../packages/backend-onnx/test/models/index.ts'
import { auditOnnx, manifestOf, publicWeights } from '../support/onnx-audit.ts'

const levels = ['disabled', 'all'] as const

function modelNamed(start: string): TestModel {
  const found = generatedModels.find(({ name }) => name.startsWith(start))
  if (found === undefined) throw new RangeError(`no model is named ${start}`)
  return found
}

const countRelations = ({ operations }: Manifest) =>
  operations.reduce((sum, operation) => {
    return sum + (operation.kind === 'product' ? Object.keys(operation.relations ?? {}).length : 0)
  }, 0)

/** The file with the operators of one type replaced by those of another whose name is as long. */
function withOperator(file: Uint8Array, from: string, to: string): Uint8Array {
  const text = Buffer.from(file).toString('latin1').replaceAll(from, to)
  return new Uint8Array(Buffer.from(text, 'latin1'))
}

/** In some of them no chosen element follows from a tensor that the relation names: a part of what is put together. */
const honest = ['transformer', 'vision transformer', 'densenet', 'mobilenet', 'operator set 7']

describe.each(levels)('level %s', (level) => {
  const options = { graphOptimizationLevel: level, logSeverityLevel: 3 } as const

  test.each(honest)('an honest %s has the relations of its manifest', async (name) => {
    const model = modelNamed(name)
    const weights = await publicWeights(model.file)
    const manifest = await manifestOf(model, weights, options)
    expect(countRelations(manifest)).toBeGreaterThan(0)
    const { verdict } = await auditOnnx({ model, weights, options, manifest, runs: 2 })
    expect(verdict.findings).toEqual([])
    expect(verdict.status).toBe('pass')
    // Rows that a rectifier leaves at 0 show nothing.
    expect(verdict.coverage.relations).toBeGreaterThanOrEqual(1.5 * countRelations(manifest))
  })

  test.each([
    ['bert', 'Relu', 'Tanh'],
    ['decoder', 'Tanh', 'Sinh'],
  ])('a %s with %s replaced by %s between its products is found out', async (name, from, to) => {
    const model = modelNamed(name)
    const weights = await publicWeights(model.file)
    const manifest = await manifestOf(model, weights, options)
    const run = withOperator(model.file, from, to)
    const { verdict } = await auditOnnx({ model, weights, options, manifest, run })
    expect(verdict.status).toBe('fail')
    expect(verdict.findings.map(({ reason }) => reason)).toContain('relation-broken')
    // Every product by itself is sound.
    const operations = manifest.operations.map((operation) => {
      if (operation.kind === 'opaque') return operation
      const { relations: _relations, ...product } = operation
      return product
    })
    const products = await auditOnnx({ model, weights, options, manifest: { ...manifest, operations }, run })
    expect(products.verdict.findings).toEqual([])
  })
})
