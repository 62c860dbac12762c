import { tfjs } from '@tensor-assay/backend-tfjs'
import {
  createProver,
  createReceiptProver,
  type Manifest,
  recordManifest,
  rows,
  type Verdict,
} from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { createVerifier, interactive, receipt, verifyReceipt } from '@tensor-assay/verifier'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, test } from 'vitest'
import { tensorFlow, tfBackends } from '../support/tensorflow.ts'
import { type TensorAlteration, tfjsNetwork, tfjsTransformer } from '../support/tfjs-layers.ts'

const sampler = rows({ atLeast: 8 })
const reasons = ({ findings }: Verdict) => [...new Set(findings.map(({ reason }) => reason))]
const honest: TensorAlteration = (_, tensor) => tensor
let names = 0

/** A model on a backend: what it is, how it is recorded, and how it is audited. */
function audited(
  model: typeof tfjsTransformer | typeof tfjsNetwork,
  recorded: readonly [number, number],
  size: number,
) {
  const { store, run, input } = model()
  const backend = tfjs(tf)
  const tidily = (length: number, seed: number, alter: TensorAlteration) =>
    tf.tidy(() => void run(input(length, seed), alter).dataSync())

  const record = () =>
    recordManifest({ backend, weights: store, runs: recorded.map((length) => () => tidily(length, length, honest)) })

  async function session(manifest: Manifest, alter = honest): Promise<Verdict> {
    const verifier = createVerifier({ weights: store, manifest, policy: interactive({ sampler }) })
    const transport = memoryTransport()
    const address = `memory:tfjs-relations-${names++}`
    await using _ = await transport.listen(address, (channel) => void verifier.accept(channel))
    const prover = await createProver({ backend, channel: await transport.dial(address) })
    for (const step of [0, 1]) await prover.audit(() => tidily(size + step, step, alter))
    return prover.close()
  }

  async function writtenDown(manifest: Manifest, alter = honest): Promise<Verdict> {
    const options = { weights: store, manifest }
    const prover = await createReceiptProver({ ...options, backend, sampler, iterations: 10 })
    await prover.audit(() => tidily(size, 7, alter))
    return verifyReceipt(await prover.finish(), { ...options, policy: receipt({ sampler, iterations: 10 }) })
  }
  return { record, session, writtenDown }
}

const models = {
  'a layer of a transformer': {
    audits: () => audited(tfjsTransformer, [20, 13], 17),
    operations: 10,
    relations: [['', '', '', '', 'ab', 'ab', 'a', 'a', 'a', 'a'], 8],
    cheats: {
      'another temperature': ['scores', (s) => tf.mul(s, 1.01)],
      'attention to everything alike': ['attention', (p) => tf.fill(p.shape, 1 / p.shape.at(-1)!)],
      'no normalisation': ['normalisation', (n) => tf.sin(n)],
      'ReLU for GELU': ['gelu', (g) => tf.relu(g)],
    },
  },
  'a network of convolutions': {
    audits: () => audited(tfjsNetwork, [2, 1], 2),
    operations: 3,
    relations: [['', 'a', 'a'], 2],
    cheats: {
      'another normalisation': ['normalisation', (n) => tf.mul(n, 1.001)],
      'coarser features': ['features', (f) => tf.div(tf.round(tf.mul(f, 16)), 16)],
    },
  },
} as const satisfies Record<
  string,
  {
    audits: () => ReturnType<typeof audited>
    operations: number
    relations: readonly [readonly string[], number]
    cheats: Record<string, readonly [string, (tensor: tf.Tensor) => tf.Tensor]>
  }
>

describe.each(tfBackends)('on %s', (tfBackend) => {
  describe.each(Object.values(models).map((model, i) => [Object.keys(models)[i]!, model] as const))(
    '%s',
    (_, model) => {
      let audits: ReturnType<typeof audited>
      let manifest: Manifest
      beforeAll(async () => {
        await tensorFlow(tfBackend)
        audits = model.audits()
        manifest = await audits.record()
      })

      test('is recorded with what its tensors follow from, for every size', () => {
        const relations = manifest.operations.map((operation) =>
          operation.kind === 'product' ? Object.keys(operation.relations ?? {}).join('') : '',
        )
        expect(relations).toEqual(model.relations[0])
      })

      test('passes as a whole while it runs, and by a receipt', async () => {
        const [operations, relations] = [model.operations, model.relations[1]]
        const session = await audits.session(manifest)
        expect(session.findings).toEqual([])
        expect(session).toMatchObject({
          status: 'pass',
          coverage: { audited: 2 * operations, relations: 2 * relations, foreignTensors: 2 },
        })
        const receipt = await audits.writtenDown(manifest)
        expect(receipt.findings).toEqual([])
        expect(receipt).toMatchObject({
          status: 'pass',
          coverage: { audited: operations, relations, foreignTensors: 1 },
        })
      })

      test.each(Object.entries(model.cheats))('fails with %s', async (_, [where, change]) => {
        const alter: TensorAlteration = (name, tensor) => (name === where ? change(tensor) : tensor)
        for (const verdict of [await audits.session(manifest, alter), await audits.writtenDown(manifest, alter)]) {
          expect(verdict.status).toBe('fail')
          expect(reasons(verdict)).toEqual(['relation-broken'])
        }
      })
    },
  )
})
