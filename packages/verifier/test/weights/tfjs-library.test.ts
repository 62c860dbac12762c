import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { weightDigest } from '@tensor-assay/core'
import { loadGraphModel } from '@tensorflow/tfjs-converter'
import * as tf from '@tensorflow/tfjs-core'
import '@tensorflow/tfjs-backend-cpu'
import * as layers from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, it } from 'vitest'
import { tfjsWeights } from '../../src/index.ts'
import { bytesOf, concat, expectValid, folderOf } from './helpers.ts'
import { readGroup } from './tfjs-helpers.ts'

type Specs = tf.io.WeightsManifestEntry[]

beforeAll(() => tf.setBackend('cpu'))

/** What TensorFlow.js itself makes of the same bytes. */
async function decoded(specs: Specs, data: Uint8Array): Promise<Uint8Array[]> {
  const tensors = tf.io.decodeWeights(data.slice().buffer, specs)
  return Promise.all(specs.map(async ({ name }) => bytesOf(await tensors[name]!.data())))
}

describe('against TensorFlow.js', () => {
  it('holds the weights of a layers model that model.save wrote', async () => {
    const model = layers.sequential({
      layers: [
        layers.layers.conv2d({
          filters: 3,
          kernelSize: 2,
          inputShape: [6, 6, 1],
          useBias: true,
          biasInitializer: 'ones',
        }),
        layers.layers.batchNormalization(),
        layers.layers.flatten(),
        layers.layers.dense({ units: 4, kernelInitializer: layers.initializers.randomNormal({ seed: 7 }) }),
      ],
    })
    const folder = await folderOf({})
    const save = tf.io.withSaveHandler(async (artifacts) => {
      const data = new Uint8Array(tf.io.CompositeArrayBuffer.join(artifacts.weightData as ArrayBuffer))
      const paths = ['./group1-shard1of3.bin', 'group1-shard2of3.bin', 'group1-shard3of3.bin']
      const weightsManifest = [{ paths, weights: artifacts.weightSpecs! }]
      // Cut where no tensor ends, as the converter does.
      const cuts = [0, 13, 14, data.length]
      for (const [i, path] of paths.entries()) await writeFile(join(folder, path), data.slice(cuts[i], cuts[i + 1]))
      const { weightData: _, weightSpecs: __, ...json } = artifacts
      await writeFile(join(folder, 'model.json'), JSON.stringify({ ...json, weightsManifest }))
      return { modelArtifactsInfo: { dateSaved: new Date(0), modelTopologyType: 'JSON' } }
    })
    await model.save(save)

    const store = await tfjsWeights(join(folder, 'model.json'))
    expect(store.skipped).toEqual([])
    expect(store.weights.map(({ name }) => name)).toEqual(model.weights.map(({ originalName }) => originalName))
    for (const [i, variable] of model.weights.entries()) {
      const weight = store.weights[i]!
      expect(weight).toMatchObject({ dtype: 'float32', shape: variable.shape })
      expect(await weight.read()).toEqual(bytesOf(await variable.read().data()))
      await expectValid(weight)
    }
  })

  it('holds what a quantised graph model multiplies with', async () => {
    const specs: Specs = [
      { name: 'half', shape: [2, 3], dtype: 'float32', quantization: { dtype: 'float16' } },
      { name: 'bytes', shape: [3, 2], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.1, min: -3.3 } },
    ]
    const data = Uint8Array.from({ length: 18 }, (_, i) => i * 13)
    const float = { type: 1 }
    const constant = (name: string) => ({ name, op: 'Const', attr: { dtype: float } })
    const matmul = (name: string, ...input: string[]) => ({ name, op: 'MatMul', input, attr: { T: float } })
    const modelTopology = {
      node: [
        { name: 'x', op: 'Placeholder', attr: { dtype: float, shape: { shape: { dim: [{ size: 1 }, { size: 2 }] } } } },
        constant('half'),
        constant('bytes'),
        matmul('hidden', 'x', 'half'),
        matmul('y', 'hidden', 'bytes'),
      ],
      versions: { producer: 1 },
    }
    const model = await loadGraphModel(
      tf.io.fromMemory({ modelTopology, weightSpecs: specs, weightData: data.slice().buffer, format: 'graph-model' }),
    )
    const weightsManifest = [{ paths: ['shard.bin'], weights: specs }]
    const folder = await folderOf({
      'model.json': JSON.stringify({ format: 'graph-model', modelTopology, weightsManifest }),
      'shard.bin': data,
    })
    const store = await tfjsWeights(join(folder, 'model.json'))
    expect(store.weights).toHaveLength(2)
    const operands: Uint8Array[] = []
    for (const { name } of specs) operands.push(bytesOf(await model.weights[name]![0]!.data()))
    expect(await Promise.all(store.weights.map((weight) => weight.read()))).toEqual(operands)
    expect(store.find(weightDigest('float32', operands[1]!))).toBe(store.weights[1])
    // The weights are the ones in use: the model's own product agrees with one made from the store.
    const [half, bytes] = store.weights.map((_, i) =>
      tf.tensor2d(new Float32Array(operands[i]!.slice().buffer), specs[i]!.shape as [number, number]),
    )
    const x = tf.tensor2d([[1, 2]])
    const y = model.predict(x) as tf.Tensor
    expect(await y.data()).toEqual(await tf.matMul(tf.matMul(x, half!), bytes!).data())
  })

  const every16 = Uint16Array.from({ length: 2 ** 16 }, (_, i) => i)
  const every8 = Uint8Array.from({ length: 2 ** 8 }, (_, i) => i)
  const affine = [
    { scale: 0.003921568859368563, min: -0.5 },
    { scale: 1 / 3, min: 1e-7 },
    { scale: 1e-40, min: -1e-45 },
    { scale: -1e-46, min: 0 },
    { scale: 1e38, min: 1e38 },
    { scale: 16843009.5, min: -2147483648.5 },
  ]
  type Case = ['float32' | 'int32', Uint8Array | Uint16Array, NonNullable<Specs[number]['quantization']>]
  it.each<Case>([
    ['float32', every16, { dtype: 'float16' }],
    ...affine.flatMap((pair): Case[] => [
      ['float32', every8, { dtype: 'uint8', ...pair }],
      ['float32', every16, { dtype: 'uint16', ...pair }],
      ['int32', every8, { dtype: 'uint8', ...pair }],
      ['int32', every16, { dtype: 'uint16', ...pair }],
    ]),
  ])(
    'unpacks to the bits of %s that io.decodeWeights gives, for every packed value: %#',
    async (dtype, packed, quantization) => {
      const specs: Specs = [{ name: 'w', shape: [packed.length], dtype, quantization }]
      const [weight] = (await readGroup(specs, bytesOf(packed))).weights
      const [expected] = await decoded(specs, bytesOf(packed))
      expect(weight).toMatchObject({ dtype, shape: [packed.length] })
      expect(Buffer.compare(await weight!.read(), expected!)).toBe(0)
    },
  )

  it('reads plain types as io.decodeWeights does, bool as uint8', async () => {
    const specs: Specs = [
      { name: 'scalar', shape: [], dtype: 'float32' },
      { name: 'int', shape: [2], dtype: 'int32' },
      { name: 'bool', shape: [3], dtype: 'bool' },
      { name: 'none', shape: [0, 4], dtype: 'float32' },
      { name: 'unaligned', shape: [1, 2], dtype: 'float32', group: 'optimizer' },
    ]
    const data = Uint8Array.from({ length: 4 + 8 + 3 + 8 }, (_, i) => (i === 12 ? 1 : i))
    const store = await readGroup(specs, data)
    expect(store.weights.map(({ dtype }) => dtype)).toEqual(['float32', 'int32', 'uint8', 'float32', 'float32'])
    expect(await Promise.all(store.weights.map((weight) => weight.read()))).toEqual(await decoded(specs, data))
    for (const weight of store.weights) await expectValid(weight)
  })

  it('skips text and complex tensors and finds what follows them', async () => {
    const text = tf.tensor(['a', '', 'longer text', 'é'], [2, 2], 'string')
    const many = tf.tensor(
      Array.from({ length: 300 }, (_, i) => 'x'.repeat(i * 3)),
      [300],
      'string',
    )
    const w = tf.tensor1d([1, 2, 3])
    const { data, specs } = await tf.io.encodeWeights({ text, many, w })
    specs.push({ name: 'complex', shape: [1], dtype: 'complex64' })
    const bytes = concat(new Uint8Array(data), new Uint8Array(8))
    const store = await readGroup(specs, bytes.slice(0, 100), bytes.slice(100))
    expect(store.weights.map(({ name }) => name)).toEqual(['w'])
    expect(await store.weights[0]!.read()).toEqual(bytesOf(new Float32Array([1, 2, 3])))
    expect(store.skipped.map(({ name, reason }) => [name, reason.split(' ')[0]])).toEqual([
      ['text', 'string'],
      ['many', 'string'],
      ['complex', 'complex64'],
    ])
  })
})
