import type { Manifest, Product, Verdict, WeightStore } from '@tensor-assay/core'
import { bytesSource, readModel } from '@tensor-assay/onnx-model'
import { interactive, spot } from '@tensor-assay/verifier'
import * as ort from 'onnxruntime-node'
import { beforeAll, describe, expect, test } from 'vitest'
import { generatedModels, mlp, type TestModel, transformer } from '../../packages/backend-onnx/test/models/index.ts'
import { sharedModels } from '../../packages/backend-onnx/test/models/shared.ts'
import { contents, feedsFor } from '../../packages/backend-onnx/test/support/ort.ts'
import { dishonestly, replaceC } from '../support/dishonestly.ts'
import { auditOnnx, manifestOf, publicWeights } from '../support/onnx-audit.ts'

const options = { logSeverityLevel: 3 } as const
const reasons = (verdict: Verdict) => verdict.findings.map(({ reason }) => reason)

async function plainOutputs(model: TestModel) {
  const session = await ort.InferenceSession.create(model.file, options)
  try {
    return contents(await session.run(feedsFor(session, model.feeds)))
  } finally {
    await session.release()
  }
}

/** Models whose every product can be stated, on weights that a verifier derives without ONNX Runtime. */
const wholly = new Set([
  'mlp',
  'derived weights',
  'batch normalised',
  'cnn',
  'blocked convolutions',
  'int8 qdq mlp',
  'int8 qdq cnn',
  'dynamically quantised',
  'quantised within the product',
  'float16',
  'densenet',
  'operator set 7',
  'mnist.onnx',
])

for (const model of [...generatedModels, ...sharedModels()]) {
  describe(model.name, () => {
    let weights: WeightStore
    let manifest: Manifest
    beforeAll(async () => {
      weights = await publicWeights(model.file)
      manifest = await manifestOf(model, weights, options)
    })

    test('an honest run gives what the plain one gives, and never fails', async () => {
      const { verdict, outputs } = await auditOnnx({ model, weights, options, manifest })
      expect(outputs).toEqual(await plainOutputs(model))
      const harmless = new Set(['empty-product', 'nothing-sampled'])
      expect(reasons(verdict).filter((reason) => !harmless.has(reason))).toEqual([])
      expect(verdict.coverage.manifestSteps).toBe(1)
      expect(verdict.coverage.audited).toBeGreaterThan(0)
    })

    const passes = wholly.has(model.name)
    test(`without a manifest it ${passes ? 'passes: every weight is known' : 'does not pass'}`, async () => {
      const { verdict } = await auditOnnx({ model, weights, options })
      const { opaque, activationProducts, freeAddends = 0 } = verdict.coverage
      const hasEmpty = reasons(verdict).includes('empty-product')
      expect(verdict.status === 'pass').toBe(passes)
      const isRounded = reasons(verdict).includes('profile-refused')
      expect(opaque + activationProducts + freeAddends > 0 || hasEmpty || isRounded).toBe(!passes)
    })

    test('a result that is not the product fails', async () => {
      const dishonest = dishonestly(
        replaceC((c) => c.map((value, i) => (i % 2 === 0 ? value + 1 + Math.abs(value) : value))),
      )
      const { verdict } = await auditOnnx({ model, weights, options, manifest, dishonest })
      expect(verdict.status).toBe('fail')
      expect(reasons(verdict)).toContain('value-out-of-tolerance')
    })
  })
}

describe('a dishonest run of a transformer', () => {
  const model = transformer()
  let weights: WeightStore
  let manifest: Manifest
  beforeAll(async () => {
    weights = await publicWeights(model.file)
    manifest = await manifestOf(model, weights, options)
  })

  test.each([
    ['interactive', interactive()],
    ['spot', spot()],
  ])('honest: %s', async (_, policy) => {
    const { verdict } = await auditOnnx({ model, weights, options, manifest, policy })
    expect(verdict.findings).toEqual([])
  })

  test('a layer is left out', async () => {
    let products = 0
    const dishonest = dishonestly((product) => (products++ === 3 ? undefined : product))
    const { verdict } = await auditOnnx({ model, weights, options, manifest, dishonest })
    expect(reasons(verdict)).toContain('operation-omitted')
  })

  test('another input is shown than the one that was multiplied', async () => {
    const shown = new Map<object, Product['a']>()
    let first: Product['a'] | undefined
    const dishonest = dishonestly((product) => {
      first ??= product.a
      const a = product.a.rows === first.rows && product.a.cols === first.cols ? first : product.a
      shown.set(product.a.key, a)
      return { ...product, a }
    })
    const { verdict } = await auditOnnx({ model, weights, options, manifest, dishonest })
    expect(verdict.status).toBe('fail')
  })
})

describe('weights that are not the public ones', () => {
  const model = mlp()
  let weights: WeightStore
  let manifest: Manifest
  beforeAll(async () => {
    weights = await publicWeights(model.file)
    manifest = await manifestOf(model, weights, options)
  })

  /** The model with the last bits of one of its weights changed. */
  function altered(): Uint8Array {
    const file = model.file.slice()
    const { graph } = readModel(bytesSource(model.file))
    const weight = [...graph.initializers.values()].find(({ dims, data }) => dims.length === 2 && data.kind === 'raw')
    if (weight?.data.kind !== 'raw') throw new Error('expected a weight of raw bytes')
    const { offset, length } = weight.data.range
    for (let i = offset; i < offset + length; i += 4) file[i]! ^= 1
    return file
  }

  test('run openly, are named', async () => {
    const { verdict } = await auditOnnx({ model, weights, options, manifest, run: altered() })
    expect(verdict.status).toBe('fail')
    expect(reasons(verdict).some((reason) => reason.startsWith('operation-'))).toBe(true)
  })

  test('run under the names of the public ones, are found by their results', async () => {
    const dishonest = dishonestly(
      replaceC((c, { a, b, layout }) => {
        if (layout.kind !== 'matmul') return c
        const { m, k, n } = layout
        // Weights rounded to 8 bits, column by column.
        return c.map((value, i) => {
          const [r, j] = [Math.floor(i / n), i % n]
          if (r >= m) return value
          let scale = 0
          for (let t = 0; t < k; t++) scale = Math.max(scale, Math.abs(b[j * k + t]!) / 127)
          let difference = 0
          for (let t = 0; t < k; t++) {
            difference += a[r * k + t]! * (Math.round(b[j * k + t]! / scale) * scale - b[j * k + t]!)
          }
          return value + difference
        })
      }),
    )
    const { verdict } = await auditOnnx({ model, weights, options, manifest, dishonest })
    expect(reasons(verdict)).toContain('value-out-of-tolerance')
  })
})
