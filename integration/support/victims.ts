import { type Backend, deriveSeed, type Matrix, randomStream, type WeightStore } from '@tensor-assay/core'
import { type ReferenceLibrary, type ReferenceTensor, referenceBackend } from '@tensor-assay/core/testing'
import { memoryWeights } from '@tensor-assay/verifier'

/** A model, what runs it, and what its user knows of it. */
export interface Victim {
  readonly backend: Backend
  readonly store: WeightStore
  /** Operations of one step. */
  readonly operations: number
  /** Whether it multiplies or adds activations, which a verifier must be told to accept. */
  readonly acceptsActivations?: boolean
  /** What the user sends in a step, as rows. */
  input(step: number): Matrix
  /** Runs the model on it; returns what the user receives, as rows. */
  run(step: number): Matrix
}

/** Reproducible float32 values, uniform between −scale and scale. */
export function values(count: number, seed: number, scale = 1): Float32Array {
  const { signedUnit } = randomStream(deriveSeed(new Uint8Array(32), 'victim', seed))
  return Float32Array.from({ length: count }, () => scale * signedUnit())
}

export function asRows(data: Float32Array, cols: number): Matrix {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
  return { rows: data.length / cols, cols, dtype: 'float32', bytes }
}

/** Three layers without anything between them: [rows, 32] by [32, 32]. */
export function linearVictim(rows = 24): Victim {
  const shapes = Array.from({ length: 3 }, () => [32, 32] as const)
  const weights = shapes.map(([k, n], i) => values(k * n, i + 1, 0.3))
  const store = memoryWeights(weights.map((data, i) => ({ name: `w${i}`, shape: shapes[i]!, data })))
  return referenceVictim([rows, 32], store, 3, (library, x) =>
    weights.reduce((y, data, i) => library.matMul(y, library.tensor(shapes[i]!, data)), x),
  )
}

/** Two dense layers: [20, 40] by [40, 24] with a bias and relu, then by [24, 16] with a bias. */
export function fusedVictim(): Victim {
  const layers = [
    { shape: [40, 24], w: values(40 * 24, 1, 0.3), b: values(24, 2), activation: 'relu' },
    { shape: [24, 16], w: values(24 * 16, 3, 0.3), b: values(16, 4), activation: 'linear' },
  ] as const
  const store = memoryWeights(
    layers.flatMap(({ shape, w, b }, i) => [
      { name: `w${i}`, shape, data: w },
      { name: `b${i}`, shape: [b.length], data: b },
    ]),
  )
  return referenceVictim([20, 40], store, 2, (library, x) =>
    layers.reduce(
      (y, { shape, w, b, activation }) =>
        library.matMul(y, library.tensor(shape, w), {
          bias: library.tensor([b.length], b),
          activation: { name: activation },
        }),
      x,
    ),
  )
}

/** Two convolutions, channels last: [1, 7, 6, 3] by 5 filters of 3×3 with relu, then by 4 of 2×2. */
export function convolutionVictim(): Victim {
  const first = values(3 * 3 * 3 * 5, 1, 0.3)
  const second = values(2 * 2 * 5 * 4, 2, 0.3)
  const store = memoryWeights([
    { name: 'first', shape: [3, 3, 3, 5], data: first },
    { name: 'second', shape: [2, 2, 5, 4], data: second },
  ])
  return referenceVictim([1, 7, 6, 3], store, 2, (library, x) => {
    const y = library.conv2d(x, library.tensor([3, 3, 3, 5], first), {
      channelsLast: true,
      padding: [1, 1],
      activation: { name: 'relu' },
    })
    return library.conv2d(y, library.tensor([2, 2, 5, 4], second), { channelsLast: true })
  })
}

/** Scores of attention: x·Q and x·K of [20, 24] by [24, 16], then the one by the other transposed. */
export function attentionVictim(): Victim {
  const [q, k] = [values(24 * 16, 1, 0.3), values(24 * 16, 2, 0.3)]
  const store = memoryWeights([
    { name: 'q', shape: [24, 16], data: q },
    { name: 'k', shape: [24, 16], data: k },
  ])
  const victim = referenceVictim([20, 24], store, 3, (library, x) => {
    const queries = library.matMul(x, library.tensor([24, 16], q))
    const keys = library.matMul(x, library.tensor([24, 16], k))
    return library.matMul(queries, keys, { transposeB: true })
  })
  return { ...victim, acceptsActivations: true }
}

/** Three layers of [20, 32] by [32, 32]; the second adds the input, the third a bias and what the first gave. */
export function residualVictim(): Victim {
  const weights = [1, 2, 3].map((seed) => values(32 * 32, seed, 0.3))
  const bias = values(32, 4)
  const store = memoryWeights([
    ...weights.map((data, i) => ({ name: `w${i}`, shape: [32, 32], data })),
    { name: 'bias', shape: [32], data: bias },
  ])
  const victim = referenceVictim([20, 32], store, 3, (library, x) => {
    const [first, second, third] = weights.map((data) => library.tensor([32, 32], data))
    const h = library.matMul(x, first!)
    const y = library.matMul(h, second!, { addend: x, activation: { name: 'relu' } })
    return library.matMul(y, third!, { addend: h, bias: library.tensor([32], bias), alpha: 0.5, beta: -1.5 })
  })
  return { ...victim, acceptsActivations: true }
}

function referenceVictim(
  inputShape: readonly number[],
  store: WeightStore,
  operations: number,
  model: (library: ReferenceLibrary, x: ReferenceTensor) => ReferenceTensor,
): Victim {
  const backend = referenceBackend()
  const { library } = backend
  const count = inputShape.reduce((product, size) => product * size, 1)
  const inputs = (step: number) => values(count, 100 + step)
  return {
    backend,
    store,
    operations,
    input: (step) => asRows(inputs(step), inputShape.at(-1)!),
    run(step) {
      const { shape, data } = model(library, library.tensor(inputShape, inputs(step)))
      return asRows(data, shape.at(-1)!)
    },
  }
}
