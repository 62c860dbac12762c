import { tfjs } from '@tensor-assay/backend-tfjs'
import { createVerifier, interactive, memoryWeights, spot } from '@tensor-assay/verifier'
import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, test } from 'vitest'
import { alteredBackend } from '../support/altered-backend.ts'
import { audit } from '../support/audit.ts'
import { honestAudits } from '../support/honest-audits.ts'
import { tensorFlow, tfBackends } from '../support/tensorflow.ts'

describe.each(tfBackends)('products of varied shapes on %s', (backend) => {
  test('never fail where they are honest, and say nothing where they are empty', async () => {
    const { wrong, passed, empty, untelling, audits } = await honestAudits(backend, { audits: 400 })
    expect(wrong).toEqual([])
    expect(empty).toBeGreaterThan(0)
    expect((passed + empty + untelling) / audits).toBeGreaterThan(0.99)
    // A, B and the bias have sizes that are up to 10⁶ apart, and many products have few entries.
    expect(untelling / audits).toBeLessThan(0.08)
  })

  test('never pass where all of a result is off by a thousandth', async () => {
    const wrap = (honest: ReturnType<typeof tfjs>) =>
      alteredBackend(honest, (c) => {
        c.set(c.map((value) => value * 1.001 + 1e-30))
      })
    const { wrong, passed, empty, untelling, audits } = await honestAudits(backend, { audits: 100, first: 1000, wrap })
    // Integers are left as they are, and where little is sampled of a result it may be all zeros.
    expect(wrong.length).toBeGreaterThan(0.7 * audits)
    expect(wrong.length + passed + empty + untelling).toBe(audits)
  })
})

describe('what shows nothing is inconclusive', () => {
  const weights = memoryWeights([{ name: 'b', shape: [3, 4], data: new Float32Array(12) }])
  const nothing = memoryWeights([{ name: 'b', shape: [0], data: new Float32Array(0) }])

  test.each([
    ['no rows', [0, 3], [3, 4]],
    ['no terms', [2, 0], [0, 4]],
    ['no columns', [2, 3], [3, 0]],
  ] as const)('a product of %s', async (_, a, b) => {
    await tensorFlow('cpu')
    const store = b.includes(0 as never) ? nothing : weights
    const run = () => void tf.matMul(tf.zeros([...a]), tf.zeros([...b]))
    for (const policy of [interactive(), spot()]) {
      const { verifier } = await audit({ verifier: createVerifier({ weights: store, policy }), backend: tfjs(tf), run })
      expect(verifier).toMatchObject({ status: 'inconclusive', findings: [{ reason: 'empty-product' }, {}] })
      expect(verifier.detection).toMatchObject({ oneRow: 0, power: 0 })
    }
  })

  test('a session without products', async () => {
    const { verifier } = await audit({ verifier: createVerifier({ weights }), backend: tfjs(tf), run: () => {} })
    expect(verifier).toMatchObject({ status: 'inconclusive', findings: [{ reason: 'nothing-sampled' }] })
  })

  test('a session of which no product was drawn', async () => {
    await tensorFlow('cpu')
    const verifier = createVerifier({ weights, policy: interactive({ operationRate: 1e-9 }) })
    const run = () => void tf.matMul(tf.ones([2, 3]), tf.zeros([3, 4]))
    const { verifier: verdict } = await audit({ verifier, backend: tfjs(tf), run })
    expect(verdict).toMatchObject({ status: 'inconclusive', findings: [{ reason: 'nothing-sampled' }] })
    expect(verdict.coverage).toMatchObject({ operations: 1, audited: 0 })
    expect(verdict.detection).toMatchObject({ oneRow: 0, power: 0, badRowsBelow95: 1 })
  })

  test('fewer rows than the policy asks for', async () => {
    await tensorFlow('cpu')
    const ones = memoryWeights([{ name: 'b', shape: [3, 4], data: new Float32Array(12).fill(1) }])
    const verifier = createVerifier({ weights: ones, policy: interactive({ minRows: 3 }) })
    const run = () => void tf.matMul(tf.ones([2, 3]), tf.ones([3, 4]))
    const { verifier: verdict } = await audit({ verifier, backend: tfjs(tf), run })
    expect(verdict).toMatchObject({ status: 'inconclusive', findings: [{ reason: 'too-few-rows' }] })
  })

  test('a session of nothing but zeros', async () => {
    await tensorFlow('cpu')
    const run = () => void tf.matMul(tf.ones([2, 3]), tf.zeros([3, 4]))
    const { verifier } = await audit({ verifier: createVerifier({ weights }), backend: tfjs(tf), run })
    expect(verifier).toMatchObject({ status: 'inconclusive', findings: [{ reason: 'nothing-sampled' }] })
    expect(verifier.coverage).toMatchObject({ audited: 0, untelling: 1 })
  })
})
