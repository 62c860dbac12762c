import { onnx } from '@tensor-assay/backend-onnx'
import {
  createReceiptProver,
  type Manifest,
  type ManifestProduct,
  type Product,
  type Verdict,
  type WeightStore,
} from '@tensor-assay/core'
import { describeVerdict, interactive, receipt, spot, verifyReceipt } from '@tensor-assay/verifier'
import * as ort from 'onnxruntime-node'
import { beforeAll, describe, expect, test } from 'vitest'
import { gemmAddends, resnet } from '../../packages/backend-onnx/test/models/index.ts'
import { feedsFor } from '../../packages/backend-onnx/test/support/ort.ts'
import { dishonestly, replaceAddend, replaceC } from '../support/dishonestly.ts'
import { auditOnnx, manifestOf, publicWeights } from '../support/onnx-audit.ts'

const reasons = (verdict: Verdict) => verdict.findings.map(({ reason }) => reason)
const withAddend = (manifest: Manifest) =>
  manifest.operations.filter(
    (operation): operation is ManifestProduct => operation.kind === 'product' && !!operation.addend,
  )

/** Residual sums that ONNX Runtime makes part of a convolution, and Gemm whose third operand the run computes. */
const cases = [
  ['resnet, in blocks of channels', resnet(), 'all', 3, 0],
  ['resnet, fused without blocks', resnet(), 'extended', 0, 0],
  ['resnet, as it is', resnet(), 'disabled', 0, 0],
  ['gemm addends', gemmAddends(), 'all', 3, 1],
] as const

describe.each(cases)('%s', (_, model, level, addends, opaque) => {
  const options = { logSeverityLevel: 3, graphOptimizationLevel: level } as const
  let weights: WeightStore
  let manifest: Manifest
  beforeAll(async () => {
    weights = await publicWeights(model.file)
    manifest = await manifestOf(model, weights, options)
  })
  const fused = addends > 0

  test.each([
    ['interactive', interactive()],
    ['spot', spot()],
  ])('an honest run passes, and every addend is tied to an operation before: %s', async (mode, policy) => {
    const { verdict } = await auditOnnx({ model, weights, options, manifest, policy })
    expect(verdict.findings).toEqual([])
    expect(verdict.coverage.opaque).toBe(opaque)
    expect(verdict.coverage.freeAddends).toBeUndefined()
    expect(verdict.coverage.audited).toBe(verdict.coverage.operations - opaque)
    expect(withAddend(manifest)).toHaveLength(addends)
    for (const { links } of withAddend(manifest)) expect(links.addend).toBeDefined()
    if (mode === 'interactive') expect(verdict.coverage.manifestLinks).toBeGreaterThanOrEqual(addends)
  })

  test('a result that is not the sum fails', async () => {
    const dishonest = dishonestly((product) =>
      fused && product.addend === undefined ? product : replaceC((c) => c.map((value) => value * 1.001))(product),
    )
    const { verdict } = await auditOnnx({ model, weights, options, manifest, dishonest })
    expect(reasons(verdict)).toContain('value-out-of-tolerance')
  })

  if (!fused) return

  test('without a manifest an addend may explain any C, and the verdict says so', async () => {
    const { verdict } = await auditOnnx({ model, weights, options })
    expect(verdict.status).toBe('inconclusive')
    expect(reasons(verdict).filter((reason) => reason === 'addend-unbound')).toHaveLength(addends)
    expect(verdict.coverage.freeAddends).toBe(addends)
    expect(describeVerdict(verdict).replace(/\s+/g, ' ')).toContain(`${addends} products to which a tensor is added`)
    const accepted = await auditOnnx({ model, weights, options, policy: interactive({ acceptActivations: true }) })
    expect(reasons(accepted.verdict)).not.toContain('addend-unbound')
    expect(accepted.verdict.coverage.freeAddends).toBe(addends)
  })

  test('another tensor in the place of the addend fails, by its values and by its link', async () => {
    const dishonest = dishonestly(replaceAddend((addend) => addend.toReversed()))
    const { verdict } = await auditOnnx({ model, weights, options, manifest, dishonest })
    expect(reasons(verdict)).toContain('value-out-of-tolerance')
    expect(reasons(verdict)).toContain('link-broken')
  })

  test('a copy of the addend is not the tensor that the manifest ties', async () => {
    const dishonest = dishonestly(replaceAddend((addend) => addend))
    const { verdict } = await auditOnnx({ model, weights, options, manifest, dishonest })
    expect(new Set(reasons(verdict))).toEqual(new Set(['link-broken']))
    // What binds nothing sees nothing: the mode says that it finds faults.
    const faults = await auditOnnx({ model, weights, options, manifest, dishonest, policy: spot() })
    expect(faults.verdict.status).toBe('pass')
  })

  test('an addend that is not declared is another operation', async () => {
    const dishonest = dishonestly(({ addend: _left, ...product }: Product) => product)
    const { verdict } = await auditOnnx({ model, weights, options, manifest, dishonest })
    expect(verdict.status).toBe('fail')
    expect(reasons(verdict).some((reason) => reason.startsWith('operation-'))).toBe(true)
  })

  test('a receipt of an honest run passes', async () => {
    using backend = onnx(ort)
    const session = await ort.InferenceSession.create(model.file, options)
    const prover = await createReceiptProver({
      backend,
      weights,
      iterations: 1,
      manifest,
    })
    await prover.audit(() => session.run(feedsFor(session, model.feeds)))
    const file = await prover.finish()
    await session.release()
    const verdict = await verifyReceipt(file, { weights, manifest, policy: receipt({ iterations: 1 }) })
    expect(verdict.findings).toEqual([])
    expect(verdict.coverage.audited).toBe(verdict.coverage.operations - opaque)
  })
})
