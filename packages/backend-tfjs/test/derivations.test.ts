import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import * as layers from '@tensorflow/tfjs-layers'
import { beforeAll, describe, expect, test } from 'vitest'
import { tfjs } from '../src/index.ts'
import { type Derived, derive, stepsOf } from './derived.ts'
import './wasm-path.ts'

type Op = (x: tf.Tensor) => tf.Tensor

let seeds = 0
const random = (shape: number[]) => tf.randomNormal(shape, 0, 1, 'float32', ++seeds)
const vector = (scale: number) => tf.tensor1d(Array.from({ length: 6 }, (_, i) => scale * (1 + Math.sin(i))))

const image = (x: tf.Tensor) => tf.reshape(x, [1, 4, 4, 3]) as tf.Tensor4D

/** Of a tensor [2, 4, 6] of a product; what it gives is read as rows of its last axis. */
const ops: Readonly<Record<string, Op>> = {
  identity: (x) => tf.clone(x),
  reshape: (x) => tf.reshape(x, [4, 12]),
  'expand and squeeze': (x) => tf.squeeze(tf.expandDims(x, 1)),
  transpose: (x) => tf.transpose(x, [1, 2, 0]),
  'reshape, transpose and reshape': (x) =>
    tf.reshape(tf.transpose(tf.reshape(x, [2, 4, 3, 2]), [0, 2, 1, 3]), [2, 3, 8]),
  concat: (x) => tf.concat([x, tf.neg(x), random([2, 4, 6])], -1),
  slice: (x) => tf.slice(x, [0, 1, 2], [2, 2, 3]),
  'slice of fewer axes': (x) => tf.slice(x, [1], [1]),
  split: (x) => tf.sub(...(tf.split(x, 2, -1) as [tf.Tensor, tf.Tensor])),
  'split by sizes': (x) => tf.split(x, [1, 2, 3], -1)[1]!,
  stack: (x) => tf.stack([x, tf.abs(x)], 1),
  unstack: (x) => tf.unstack(x, 1)[2]!,
  add: (x) => tf.add(x, random([4, 6])),
  'add a number': (x) => tf.add(x, 2.5),
  'add an integer': (x) => tf.add(x, tf.scalar(2, 'int32')),
  sub: (x) => tf.sub(tf.scalar(1), x),
  multiply: (x) => tf.mul(x, vector(0.5)),
  divide: (x) => tf.div(x, 3),
  maximum: (x) => tf.maximum(x, vector(0.2)),
  minimum: (x) => tf.minimum(x, vector(0.2)),
  'add of many': (x) => tf.addN([x, tf.square(x), random([2, 4, 6])]),
  'squared difference': (x) => tf.squaredDifference(x, vector(1)),
  neg: (x) => tf.neg(x),
  abs: (x) => tf.abs(x),
  square: (x) => tf.square(x),
  sqrt: (x) => tf.sqrt(tf.abs(x)),
  rsqrt: (x) => tf.rsqrt(tf.add(tf.square(x), 1e-3)),
  reciprocal: (x) => tf.reciprocal(tf.add(tf.abs(x), 1)),
  exp: (x) => tf.exp(x),
  log: (x) => tf.log(tf.add(tf.square(x), 0.1)),
  erf: (x) => tf.erf(x),
  tanh: (x) => tf.tanh(x),
  sigmoid: (x) => tf.sigmoid(x),
  'pow 2': (x) => tf.pow(x, 2),
  'pow 3': (x) => tf.pow(x, tf.scalar(3)),
  relu: (x) => tf.relu(x),
  relu6: (x) => tf.relu6(tf.mul(x, 10)),
  'leaky relu': (x) => tf.leakyRelu(x, 0.3),
  prelu: (x) => tf.prelu(x, vector(0.4)),
  elu: (x) => tf.elu(x),
  clip: (x) => tf.clipByValue(x, -0.5, 0.75),
  'clip from one side': (x) => tf.clipByValue(x, -0.5, Number.POSITIVE_INFINITY),
  softmax: (x) => tf.softmax(x),
  sum: (x) => tf.sum(x, 1),
  mean: (x) => tf.mean(x, [-1, 0], true),
  'mean of all': (x) => tf.mul(tf.mean(x), tf.ones([1, 1])),
  max: (x) => tf.max(x, -1, true),
  'max pooling': (x) => tf.maxPool(image(x), 2, 2, 'valid'),
  'max pooling that leaves rows out': (x) => tf.maxPool(image(x), [3, 2], [3, 2], 'valid'),
  'average pooling': (x) => tf.avgPool(image(x), 2, 2, 'same'),
  pad: (x) =>
    tf.pad(x, [
      [0, 0],
      [1, 2],
      [3, 0],
    ]),
  'pad with a number': (x) =>
    tf.pad(
      x,
      [
        [1, 1],
        [0, 0],
        [0, 4],
      ],
      -1.5,
    ),
  'batch normalisation': (x) =>
    tf.batchNorm(tf.reshape(x, [2, 2, 2, 6]), vector(0.1), vector(0.7), vector(0.3), vector(2), 1e-3),
  'batch normalisation without scale and offset': (x) => tf.batchNorm(x, vector(0.1), vector(0.7)),
  'layer normalisation': (x) => {
    const { mean, variance } = tf.moments(x, -1, true)
    return tf.mul(tf.mul(tf.sub(x, mean), tf.rsqrt(tf.add(variance, 1e-5))), vector(1.5))
  },
  'tiled operands': (x) =>
    tf.mul(tf.sub(x, tf.tile(tf.mean(x, 2, true), [1, 1, 6])), tf.tile(random([1, 4, 1]), [2, 1, 6])),
  gelu: (x) => tf.mul(tf.mul(x, 0.5), tf.add(1, tf.erf(tf.div(x, Math.SQRT2)))),
}

/** matMul → op → matMul, with what the operands of the second product follow from. */
function between(op: Op): [Derived, Derived] {
  const derived = derive(() => {
    const x = op(tf.matMul(random([2, 4, 5]), random([2, 5, 6])))
    const rows = tf.reshape(x, [-1, x.shape.at(-1)!])
    tf.matMul(rows, random([rows.shape[1]!, 3]))
  })
  return derived.slice(2) as [Derived, Derived]
}

/** Of what was read to what it follows from, relative where that is more than 1; all differences must lie within the bounds of the evaluation. */
function largestDifference({ read, followed }: Derived): number {
  if (followed?.values.length !== read.length) throw new Error(`${followed?.values.length} elements of ${read.length}`)
  const { values, errors } = followed
  const differences = read.map((value, i) => Math.abs(value - values[i]!))
  expect(differences.every((difference, i) => difference <= errors[i]!)).toBe(true)
  return Math.max(...differences.map((difference, i) => difference / Math.max(1, Math.abs(values[i]!))))
}

describe.each(['cpu', 'wasm'])('on %s', (backend) => {
  beforeAll(async () => {
    await tf.setBackend(backend)
    await tf.ready()
  })

  test.each(Object.entries(ops))('%s', (_, op) => {
    const [a] = between(op)
    expect(largestDifference(a)).toBeLessThan(1e-5)
  })

  test.each([[[2, 4, 6]], [[8, 6]], [[1, 8, 6]]])('layer normalisation of a layers model, of shape %j', (shape) => {
    const layer = layers.layers.layerNormalization()
    const [a] = between((x) => layer.apply(tf.reshape(x, shape)) as tf.Tensor)
    layer.dispose()
    expect(largestDifference(a)).toBeLessThan(1e-5)
  })

  test('a B that was computed, however it is held', () => {
    for (const transposeB of [false, true]) {
      const derived = derive(() => {
        const x = tf.softmax(tf.matMul(random([2, 4, 5]), random([2, 5, 4])))
        tf.matMul(random([2, 4, 4]), x, false, transposeB)
      })
      expect(largestDifference(derived[3]!)).toBeLessThan(1e-5)
    }
  })

  test('an A that is read transposed', () => {
    const derived = derive(() => {
      const x = random([2, 5, 4])
      tf.matMul(x, random([2, 5, 4]), true)
      // Known from the product above, where its rows were columns.
      tf.matMul(tf.relu(x), random([2, 4, 3]))
      tf.matMul(tf.relu(x), random([2, 5, 3]), true)
    })
    expect([derived[2]!, derived[4]!].map(largestDifference)).toEqual([0, 0])
  })

  test('a B that is no public tensor is known after its product', () => {
    const derived = derive(() => {
      const filters = tf.cos(random([5, 4]))
      tf.matMul(random([3, 5]), filters)
      tf.matMul(tf.abs(filters), random([4, 2]))
    })
    expect(derived[1]!.derivation).toBeUndefined()
    expect(largestDifference(derived[2]!)).toBe(0)
  })

  test('convolutions, of which a dense layer reads what is flattened, and filters that were computed', () => {
    const derived = derive(() => {
      const x = tf.conv2d(random([1, 5, 6, 2]) as tf.Tensor4D, random([3, 3, 2, 4]) as tf.Tensor4D, 1, 'same')
      const filters = tf.reshape(tf.tanh(x), [2, 3, 5, 4]) as tf.Tensor4D
      tf.conv2d(random([1, 4, 4, 5]) as tf.Tensor4D, filters, 1, 'valid')
      tf.matMul(tf.reshape(x, [1, -1]), random([120, 2]))
      tf.matMul(tf.reshape(tf.exp(filters), [6, 20]), random([20, 2]))
    })
    expect(largestDifference(derived[3]!)).toBeLessThan(1e-5)
    expect(stepsOf(derived[4]!.derivation!)).toEqual(['tensor'])
    expect(largestDifference(derived[4]!)).toBe(0)
    expect(largestDifference(derived[6]!)).toBeLessThan(1e-5)
  })

  test('a batch of one is stated as others are', () => {
    const layer = (batch: number) => {
      const dense = (x: tf.Tensor) =>
        tf.reshape(tf.fused.matMul({ a: tf.reshape(x, [-1, 6]), b: random([6, 6]) }), [batch, 4, 6])
      const derived = derive(() => dense(tf.transpose(tf.relu(dense(random([batch, 4, 6]))), [0, 2, 1])))
      expect(largestDifference(derived[2]!)).toBe(0)
      return stepsOf(derived[2]!.derivation!)
    }
    expect(layer(1)).toEqual(['tensor', 'reshape', 'number', 'maximum', 'transpose'])
    expect(layer(3)).toEqual(layer(1))
  })

  test('what follows from an A is stated from there', () => {
    const derived = derive(() => {
      const x = tf.softmax(tf.matMul(random([4, 5]), random([5, 6])))
      tf.matMul(x, random([6, 6]))
      tf.matMul(tf.square(x), random([6, 2]))
    })
    expect(stepsOf(derived[2]!.derivation!)).toEqual(['tensor', 'softmax'])
    expect(stepsOf(derived[4]!.derivation!)).toEqual(['tensor', 'square'])
  })

  test.each<[string, Op]>([
    ['a kernel that is not stated', (x) => tf.cos(x)],
    ['what follows from one', (x) => tf.add(x, tf.cos(x))],
    ['a pooling of windows that overlap', (x) => tf.maxPool(image(x), 2, 1, 'valid')],
    ['a pooling of windows that reach beyond', (x) => tf.avgPool(image(x), 3, 3, 'same')],
    [
      'a padding wider than the tensor',
      (x) =>
        tf.pad(x, [
          [0, 3],
          [0, 0],
          [0, 0],
        ]),
    ],
    ['a tile that a product reads', (x) => tf.tile(tf.mean(x, 2, true), [1, 1, 6])],
    ['what is made of a tile alone', (x) => tf.exp(tf.tile(tf.mean(x, 2, true), [1, 1, 6]))],
    ['two tiles', (x) => tf.add(tf.tile(tf.mean(x, 2, true), [1, 1, 6]), tf.tile(tf.max(x, 0, true), [2, 1, 1]))],
    ['a tile of several elements', (x) => tf.add(tf.concat([x, x], 1), tf.tile(x, [1, 2, 1]))],
    ['another exponent', (x) => tf.pow(tf.abs(x), 1.5)],
    ['a number that is not finite', (x) => tf.maximum(x, Number.NEGATIVE_INFINITY)],
    ['a vector of integers', (x) => tf.add(x, tf.tensor1d([1, 2, 3, 4, 5, 6], 'int32'))],
    [
      'a public tensor that is gone',
      (x) => {
        const gone = vector(1)
        const sum = tf.add(x, gone)
        gone.dispose()
        return sum
      },
    ],
  ])('%s has no derivation', (_, op) => {
    expect(between(op)[0].derivation).toBeUndefined()
  })

  test.each<[string, (x: tf.Tensor) => tf.Tensor]>([
    ['as it is', (x) => x],
    ['after operations', (x) => tf.relu(tf.mul(x, 2))],
  ])('an input that a product reads as A %s follows from nothing', (_, op) => {
    for (const shape of [
      [3, 4],
      [1, 1],
    ]) {
      const [a] = derive(() => tf.matMul(op(random(shape)), random([shape[1]!, 5])))
      expect(a!.derivation).toBeUndefined()
    }
  })

  test('a B that was made of public tensors follows from these', () => {
    const weights = random([5, 4])
    const derived = derive(() => tf.matMul(random([3, 4]), tf.mul(tf.transpose(weights), 2)))
    expect(stepsOf(derived[1]!.derivation!)).toEqual(['weight', 'transpose', 'number', 'multiply', 'transpose'])
    expect(largestDifference(derived[1]!)).toBe(0)
  })

  test('results, the memory of the library and its registry stay as they are', () => {
    const kernels = () => new Map(tf.getKernelsForBackend(backend).map((kernel) => [kernel.kernelName, kernel]))
    const x = random([8, 6])
    const weights = random([6, 6])
    const run = () => tf.tidy(() => Object.values(ops).map((op) => op(tf.reshape(tf.matMul(x, weights), [2, 4, 6]))))
    const numbers = (tensors: tf.Tensor[]) => tensors.map((tensor) => Array.from(tensor.dataSync()))
    seeds = 0
    const before = tf.memory()
    const plain = run()
    const used = tf.memory()
    const expected = numbers(plain)
    tf.dispose(plain)
    expect(tf.memory()).toEqual(before)
    const registered = kernels()

    const audit = tfjs(tf).intercept({ product: () => undefined, opaque: () => undefined })
    const audited = kernels()
    const recording = tfjs(tf).intercept({
      wantsDerivations: true,
      product: ({ a, b }) => void [a.derivation?.(), b.derivation?.()],
      opaque: () => undefined,
    })
    seeds = 0
    const results = run()
    expect(tf.memory()).toEqual(used)
    expect(numbers(results)).toEqual(expected)
    tf.dispose(results)
    recording.restore()
    expect(kernels()).toEqual(audited)
    audit.restore()
    expect(kernels()).toEqual(registered)
    tf.dispose([x, weights])
  })

  test('nothing more is patched for an observer that wants no derivations', () => {
    const names = ['Add', 'Softmax', 'Reshape']
    const kernels = () => names.map((name) => tf.getKernel(name, backend))
    const before = kernels()
    const backendOfBoth = tfjs(tf)
    const audit = backendOfBoth.intercept({ product: () => undefined, opaque: () => undefined })
    expect(kernels()).toEqual(before)
    const recording = backendOfBoth.intercept({
      wantsDerivations: true,
      product: () => undefined,
      opaque: () => undefined,
    })
    expect(kernels().some((kernel, i) => kernel === before[i])).toBe(false)
    recording.restore()
    expect(kernels().every((kernel, i) => kernel === before[i])).toBe(true)
    expect(audit.active).toBe(true)
    audit.restore()
  })
})
