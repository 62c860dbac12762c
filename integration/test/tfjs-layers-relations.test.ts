import { tfjs } from '@tensor-assay/backend-tfjs'
import { createProver, type Manifest, recordManifest, rows, type Verdict } from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { createVerifier, interactive, memoryWeights } from '@tensor-assay/verifier'
import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { describe, expect, test } from 'vitest'
import { tensorFlow, tfBackends } from '../support/tensorflow.ts'

/** What a provider of the model may have changed to save work. */
interface Details {
  readonly slope?: number
  readonly epsilon?: number
}

/** A model of TensorFlow.js's own layers, eight of which multiply. */
function layersModel({ slope = 0.3, epsilon = 1e-3 }: Details = {}): layers.Sequential {
  const L = layers.layers
  return layers.sequential({
    layers: [
      L.zeroPadding2d({ padding: 1, inputShape: [16, 16, 3] }),
      L.conv2d({ filters: 8, kernelSize: 3, activation: 'relu' }),
      L.batchNormalization(),
      L.activation({ activation: 'relu' }),
      L.zeroPadding2d({ padding: 1 }),
      L.conv2d({ filters: 8, kernelSize: 3, strides: 2 }),
      L.batchNormalization(),
      L.leakyReLU({ alpha: slope }),
      L.averagePooling2d({ poolSize: 2 }),
      L.conv2d({ filters: 16, kernelSize: 1 }),
      L.globalAveragePooling2d({}),
      L.dense({ units: 12, activation: 'tanh' }),
      L.layerNormalization({ epsilon }),
      L.dropout({ rate: 0.5 }),
      L.dense({ units: 8, activation: 'softmax' }),
      L.dense({ units: 4, activation: 'elu' }),
      L.reshape({ targetShape: [2, 2] }),
      L.permute({ dims: [2, 1] }),
      L.dense({ units: 3, activation: 'swish' }),
      L.flatten({}),
      L.dense({ units: 2 }),
    ],
  })
}

let names = 0

describe.each(tfBackends)('on %s', (tfBackend) => {
  async function setUp() {
    await tensorFlow(tfBackend)
    const model = layersModel()
    const tensors = model.getWeights().map((tensor, i) => ({
      name: `tensor ${i}`,
      shape: tensor.shape,
      data: tensor.dataSync<'float32'>().slice(),
    }))
    return { model, store: memoryWeights(tensors), backend: tfjs(tf) }
  }

  function predict(model: layers.Sequential, batch: number): void {
    tf.tidy(() => {
      const x = tf.randomNormal([batch, 16, 16, 3], 0, 1, 'float32', 7 + batch)
      return void (model.predict(x) as tf.Tensor).dataSync()
    })
  }

  async function audit(
    { store, backend }: Awaited<ReturnType<typeof setUp>>,
    manifest: Manifest,
    model: layers.Sequential,
  ): Promise<Verdict> {
    const verifier = createVerifier({
      weights: store,
      manifest,
      policy: interactive({ sampler: rows({ atLeast: 8 }) }),
    })
    const transport = memoryTransport()
    const address = `memory:tfjs-layers-${names++}`
    await using _ = await transport.listen(address, (channel) => void verifier.accept(channel))
    const prover = await createProver({ backend, channel: await transport.dial(address) })
    for (const batch of [1, 3]) await prover.audit(() => predict(model, batch))
    return prover.close()
  }

  test('a model of layers is of one piece, for batches of every size, and no other passes for it', async () => {
    const known = await setUp()
    const { model, store, backend } = known
    const runs = [1, 8].map((batch) => () => predict(model, batch))
    const manifest = await recordManifest({ backend, weights: store, runs })

    const honest = await audit(known, manifest, model)
    expect(honest.findings).toEqual([])
    // The inputs of both steps alone come from nowhere.
    expect(honest).toMatchObject({ status: 'pass', coverage: { audited: 16, relations: 14, foreignTensors: 2 } })

    for (const details of [{ slope: 0.31 }, { epsilon: 1e-2 }]) {
      const other = layersModel(details)
      other.setWeights(model.getWeights())
      const { status, findings } = await audit(known, manifest, other)
      expect(status).toBe('fail')
      expect([...new Set(findings.map(({ reason }) => reason))]).toEqual(['relation-broken'])
    }
  })
})
