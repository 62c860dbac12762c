import type { Manifest, Matrix, Product, Verdict, WeightStore } from '@tensor-assay/core'
import { bytesSource, readModel } from '@tensor-assay/onnx-model'
import { interactive, spot } from '@tensor-assay/verifier'
import * as ort from 'onnxruntime-node'
import { beforeAll, describe, expect, test } from 'vitest'
import { generatedModels, mlp, type TestModel, transformer } from '../../packages/backend-onnx/test/models/index.ts'
import { sharedModels } from '../../packages/backend-onnx/test/models/shared.ts'
import { contents, feedsFor } from '../../packages/backend-onnx/test/support/ort.ts'
import { dishonestly, replaceA, replaceC, withInt8Weights } from '../support/dishonestly.ts'
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

/** What tells that the A of a product is not what it should be: its result, or the tensor that it is said to be. */
const inputReasons = new Set(['value-out-of-tolerance', 'link-broken'])
/** What tells that a B is not the public one: its digest, or that it is no weight at all then. */
const weightReasons = new Set(['operation-mismatch', 'operation-unexpected', 'operation-omitted'])

/** The model with the lowest bit of each byte of one weight changed; undefined if it multiplies by none of float32. */
function withOtherWeights(model: Uint8Array): Uint8Array | undefined {
  const { nodes, initializers } = readModel(bytesSource(model)).graph
  const weight = nodes
    .filter(({ opType }) => ['MatMul', 'Gemm', 'FusedMatMul', 'Conv', 'Einsum'].includes(opType))
    .flatMap(({ inputs }) => initializers.get(inputs[1]!) ?? [])
    .find(({ type, dims, data }) => type === 'float32' && dims.length >= 2 && data.kind === 'raw')
  if (weight?.data.kind !== 'raw') return undefined
  const { offset, length } = weight.data.range
  const file = model.slice()
  for (let i = offset; i < offset + length; i++) file[i]! ^= 1
  return file
}

/** The public tensors that only what happens between products reads, by name. */
function namesBetween({ operations }: Manifest, weights: WeightStore): Set<string> {
  const products = operations.filter((operation) => operation.kind === 'product')
  const multiplied = new Set(products.flatMap(({ b, bias, scales }) => [b?.digest, bias, scales]))
  const steps = products.flatMap(({ relations = {} }) => Object.values(relations).flat())
  const digests = steps.flatMap((step) => (step?.op === 'weight' && !multiplied.has(step.digest) ? step.digest : []))
  return new Set(digests.map((digest) => weights.find(digest)!.name))
}

/** The model with every element of some initializers changed by a tenth at least, or by much less than 1 if it is 0. */
function withOthers(model: Uint8Array, names: ReadonlySet<string>): Uint8Array | undefined {
  const file = model.slice()
  const view = new DataView(file.buffer, file.byteOffset)
  let changed = 0
  for (const [name, { type, data }] of readModel(bytesSource(model)).graph.initializers) {
    if (!names.has(name) || type !== 'float32' || data.kind !== 'raw') continue
    const { offset, length } = data.range
    for (let i = offset; i < offset + length; i += 4) {
      view.setFloat32(i, 1.1 * view.getFloat32(i, true) + 0.01, true)
      changed++
    }
  }
  return changed === 0 ? undefined : file
}

/** Models of which nothing is foreign but their inputs: how many tensors these are to products. */
const inOnePiece: Readonly<Record<string, number>> = {
  mlp: 1,
  resnet: 1,
  mobilenet: 1,
  densenet: 1,
  'vision transformer': 1,
  'mnist.onnx': 1,
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
  'folded convolutions',
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
      const foreign = inOnePiece[model.name]
      if (foreign !== undefined) expect(verdict.coverage.foreignTensors).toBe(foreign)
      const related = manifest.operations.flatMap((operation) =>
        operation.kind === 'product' ? Object.values(operation.relations ?? {}) : [],
      )
      // Zeros alone show nothing.
      if (related.length > 0) expect(verdict.coverage.relations).toBeGreaterThanOrEqual(related.length / 2)
    })

    test('honest runs in spot mode, of which the later ones are read row by row, never fail', async () => {
      const { verdict, outputs } = await auditOnnx({ model, weights, options, manifest, policy: spot(), runs: 3 })
      expect(outputs).toEqual(await plainOutputs(model))
      // One row of few entries may cancel by chance.
      const harmless = new Set(['empty-product', 'nothing-sampled', 'tolerance-guard'])
      expect(reasons(verdict).filter((reason) => !harmless.has(reason))).toEqual([])
      expect(verdict.coverage.manifestSteps).toBe(3)
    })

    test('a result that is not the product fails in spot mode too', async () => {
      // All of it, because what is read of a convolution is a single position.
      const dishonest = dishonestly(replaceC((c) => c.map((value) => value + 1 + Math.abs(value))))
      const { verdict } = await auditOnnx({ model, weights, options, manifest, dishonest, policy: spot() })
      expect(verdict.status).toBe('fail')
      expect(reasons(verdict)).toContain('value-out-of-tolerance')
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

    test('another input of a product than was multiplied fails', async () => {
      const dishonest = dishonestly(
        replaceA((a) => a.map((value, i) => (i % 2 === 0 ? value + 1 + Math.abs(value) : value))),
      )
      const { verdict } = await auditOnnx({ model, weights, options, manifest, dishonest })
      expect(verdict.status).toBe('fail')
      expect(reasons(verdict).some((reason) => inputReasons.has(reason))).toBe(true)
    })

    test('a product that is left out is missed', async () => {
      const omitted = Math.floor(manifest.operations.filter(({ kind }) => kind === 'product').length / 2)
      let products = 0
      const dishonest = dishonestly((product) => (products++ === omitted ? undefined : product))
      const { verdict } = await auditOnnx({ model, weights, options, manifest, dishonest })
      // Of a run of one product nothing is left, and nothing that was seen cannot pass.
      const isAll = manifest.operations.length === 1
      expect(verdict.status).toBe(isAll ? 'inconclusive' : 'fail')
      expect(reasons(verdict)).toContain(isAll ? 'nothing-sampled' : 'operation-omitted')
    })

    test('weights of 8 bits for those of float32 fail', async ({ skip }) => {
      const isCoarse = (operation: Manifest['operations'][number]) =>
        operation.kind === 'product' &&
        operation.b !== null &&
        operation.profile === 'float32' &&
        operation.layout.kind === 'matmul'
      if (!manifest.operations.some(isCoarse)) skip('it has no product of float32 by a matrix of weights')
      const dishonest = dishonestly(replaceC(withInt8Weights))
      const { verdict } = await auditOnnx({ model, weights, options, manifest, dishonest })
      expect(verdict.status).toBe('fail')
      expect(reasons(verdict)).toContain('value-out-of-tolerance')
    })

    test('other weights are named', async ({ skip }) => {
      const run = withOtherWeights(model.file)
      if (run === undefined) return skip('it multiplies by no weights of float32')
      const { verdict } = await auditOnnx({ model, weights, options, manifest, run })
      expect(verdict.status).toBe('fail')
      expect(reasons(verdict).some((reason) => weightReasons.has(reason))).toBe(true)
    })

    test('other scales and biases between products are noticed', async ({ skip }) => {
      const run = withOthers(model.file, namesBetween(manifest, weights))
      if (run === undefined) return skip('nothing public is read between its products')
      const { verdict } = await auditOnnx({ model, weights, options, manifest, run })
      expect(verdict.status).toBe('fail')
      expect(new Set(reasons(verdict))).toEqual(new Set(['relation-broken']))
    })

    test('another output than that of the last product is noticed', async () => {
      const last = manifest.operations.findLastIndex(({ kind }) => kind === 'product')
      if (last !== manifest.operations.length - 1) return
      let delivered: Matrix | undefined
      const watch = dishonestly((product) => {
        delivered = product.c.read(undefined, (bytes) => new Uint8Array(bytes)) as Matrix
        return product
      })
      await auditOnnx({ model, weights, options, manifest, dishonest: watch })
      const { bytes, ...shape } = delivered!
      const judge = (output: Uint8Array) =>
        auditOnnx({ model, weights, options, manifest, inputs: { outputs: [{ ...shape, bytes: output }] } })
      const honest = (await judge(bytes)).verdict
      expect(honest.coverage.outputsBound).toBe(1)
      expect(reasons(honest)).not.toContain('output-mismatch')
      const { verdict } = await judge(bytes.map((byte) => byte ^ 1))
      expect(verdict.status).toBe('fail')
      expect(reasons(verdict)).toContain('output-mismatch')
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

  test('of which some vectors cannot be derived, make no honest run fail', async () => {
    const matrices = weights.weights.filter(({ shape }) => shape.length > 1)
    const some: WeightStore = {
      weights: matrices,
      find: (digest) => matrices.find((weight) => weight.digest === digest),
    }
    const { verdict } = await auditOnnx({ model, weights: some, options, manifest })
    expect(verdict.status).toBe('inconclusive')
    expect(new Set(reasons(verdict))).toEqual(new Set(['vector-unknown', 'nothing-sampled']))
  })

  test('run openly, are named', async () => {
    const { verdict } = await auditOnnx({ model, weights, options, manifest, run: withOtherWeights(model.file)! })
    expect(verdict.status).toBe('fail')
    expect(reasons(verdict).some((reason) => reason.startsWith('operation-'))).toBe(true)
  })

  test('run under the names of the public ones, are found by their results', async () => {
    const dishonest = dishonestly(replaceC(withInt8Weights))
    const { verdict } = await auditOnnx({ model, weights, options, manifest, dishonest })
    expect(reasons(verdict)).toContain('value-out-of-tolerance')
  })
})
