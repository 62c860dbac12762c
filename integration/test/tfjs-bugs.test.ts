import { tfjs } from '@tensor-assay/backend-tfjs'
import { rows } from '@tensor-assay/core'
import { createVerifier, interactive, memoryWeights } from '@tensor-assay/verifier'
import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, test } from 'vitest'
import { audit } from '../support/audit.ts'
import { normal, stream } from '../support/random.ts'
import { type TfBackend, tensorFlow } from '../support/tensorflow.ts'

// Honest runs of TensorFlow.js 4.22 whose results are not A·B. Each has a twin that differs in nothing but what triggers
// the bug. Every row is checked, so that nothing is left to chance.
const policy = interactive({ sampler: rows({ rate: 1 }) })

interface Bug {
  readonly name: string
  readonly backend: TfBackend
  readonly weights: Readonly<Record<string, readonly number[]>>
  readonly buggy: (weights: Record<string, tf.Tensor>) => unknown
  readonly twin: (weights: Record<string, tf.Tensor>) => unknown
}

const x = (shape: readonly number[]) => tf.tensor(values(shape, 1), [...shape])
const fused = (a: tf.Tensor, options: Omit<Parameters<typeof tf.fused.matMul>[0], 'a'>) =>
  tf.fused.matMul({ a: a as tf.Tensor2D, ...options })

const bugs: readonly Bug[] = [
  {
    name: 'wasm: a fused bias beside a transposed operand is added in the wrong places',
    backend: 'wasm',
    weights: { b: [16, 96], bias: [16] },
    buggy: ({ b, bias }) => fused(x([24, 96]), { b: b!, bias: bias!, transposeB: true }),
    twin: ({ b }) => fused(x([24, 96]), { b: b!, transposeB: true }),
  },
  {
    name: 'wasm: a fused bias of a batch is added in the wrong places',
    backend: 'wasm',
    weights: { b: [96, 16], bias: [16] },
    buggy: ({ b, bias }) => fused(x([3, 8, 96]), { b: b as tf.Tensor2D, bias: bias! }),
    twin: ({ b, bias }) => fused(x([24, 96]), { b: b!, bias: bias! }),
  },
  {
    name: 'wasm: beside a transposed operand relu is applied to every 48 terms of a sum',
    backend: 'wasm',
    weights: { b: [16, 96] },
    buggy: ({ b }) => fused(x([24, 96]), { b: b!, transposeB: true, activation: 'relu' }),
    twin: ({ b }) => tf.relu(fused(x([24, 96]), { b: b!, transposeB: true })),
  },
  {
    name: 'wasm: a fused bias of one element is taken for one of each column',
    backend: 'wasm',
    weights: { b: [96, 16], bias: [1] },
    buggy: ({ b, bias }) => fused(x([24, 96]), { b: b!, bias: bias! }),
    twin: ({ b, bias }) => tf.add(fused(x([24, 96]), { b: b! }), bias!),
  },
  {
    name: 'wasm: a weight that is reshaped and used again is multiplied in its first shape',
    backend: 'wasm',
    weights: { b: [96, 16] },
    buggy: ({ b }) => [tf.matMul(x([24, 96]), b!), tf.matMul(x([24, 48]), tf.reshape(b!, [48, 32]))],
    twin: ({ b }) => [tf.matMul(x([24, 96]), b!), tf.matMul(x([24, 96]), b!)],
  },
  ...(['cpu', 'wasm'] as const).map(
    (backend): Bug => ({
      name: `${backend}: batches that repeat within each other are paired wrongly`,
      backend,
      weights: { b: [2, 1, 16, 4] },
      buggy: ({ b }) => tf.matMul(x([2, 3, 5, 16]), b!),
      twin: ({ b }) => tf.matMul(x([2, 1, 5, 16]), b!),
    }),
  ),
]

describe('a bug of TensorFlow.js is caught', () => {
  test.each(bugs)('$name', async ({ backend, weights: shapes, buggy, twin }) => {
    await tensorFlow(backend)
    const entries = Object.entries(shapes).map(([name, shape], i) => ({ name, shape, data: values(shape, i + 2) }))
    // A store that knows no shape takes a weight in any: one of these bugs is about a weight of two shapes.
    const weights = memoryWeights(entries.map((entry) => ({ ...entry, shape: [entry.data.length] })))
    const run = async (body: Bug['buggy']) => {
      const verifier = createVerifier({ weights, policy })
      const tensors = Object.fromEntries(entries.map(({ name, shape, data }) => [name, tf.tensor(data, [...shape])]))
      return (await audit({ verifier, backend: tfjs(tf), run: () => void body(tensors) })).verifier
    }
    const { status, findings } = await run(buggy)
    expect([status, findings[0]?.reason]).toEqual(['fail', 'value-out-of-tolerance'])
    expect(await run(twin)).toMatchObject({ status: 'pass', findings: [] })
  })
})

function values(shape: readonly number[], seed: number): Float32Array {
  const random = stream('tfjs bugs', seed)
  const length = shape.reduce((product, size) => product * size, 1)
  return Float32Array.from({ length }, () => normal(random))
}
