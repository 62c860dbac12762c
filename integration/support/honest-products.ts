import type { RandomStream } from '@tensor-assay/core'
import type { MemoryWeight } from '@tensor-assay/verifier'
import type * as tfjs from '@tensorflow/tfjs-core'
import { normal, pick } from './random.ts'
import type { TfBackend } from './tensorflow.ts'

/** A product that TensorFlow.js computes as it should. */
export interface HonestProduct {
  /** Everything that matters of it, to find it again. */
  readonly description: string
  /** Whether it has no entries, or entries that are sums of nothing. */
  readonly isEmpty: boolean
  /** B, and the bias and slopes where there are any. */
  readonly weights: readonly MemoryWeight[]
  run(): void
}

const sizes = [1, 1, 2, 3, 5, 7, 8, 13, 17, 31, 48, 64, 97, 128] as const
const unclampedActivations = ['linear', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const
const activations = [...unclampedActivations, 'relu', 'relu6'] as const

/** Batch shapes of A and B, `size` matrices in the larger one. */
const batches: readonly ((size: number) => readonly [number[], number[]])[] = [
  () => [[], []],
  () => [[], []],
  (size) => [[size], [size]],
  (size) => [[size], [1]],
  (size) => [[1], [size]],
  (size) => [[size], []],
  (size) => [[], [size]],
  (size) => [
    [2, size],
    [2, size],
  ],
  (size) => [
    [2, size],
    [1, 1],
  ],
]

/**
 * Draws a product of varied shape, operands, transposes, bias and activation. Left out is what TensorFlow.js is known to
 * get wrong. On wasm: beside a transpose or a batch a fused bias, and, where k > 48, a fused relu or relu6; a fused bias
 * of one element for several columns; empty products that are fused or batched, which throw, and those without terms or
 * columns, which its library refuses. Everywhere: batches that repeat within each other.
 */
export function drawHonestProduct(tf: typeof tfjs, backend: TfBackend, random: RandomStream): HonestProduct {
  const [aBatch, bBatch] = pick(random, batches)(1 + random.below(8))
  const isBatched = aBatch.length + bBatch.length > 0
  const limit = isBatched ? 48 : 128
  const size = () =>
    pick(
      random,
      sizes.filter((value) => value <= limit),
    )
  const dimensions: [number, number, number] = [size(), size(), size()]
  if (random.below(20) === 0 && !(backend === 'wasm' && isBatched)) {
    dimensions[backend === 'wasm' ? 0 : random.below(3)] = 0
  }
  const [m, k, n] = dimensions
  const transposeA = random.below(4) === 0
  const transposeB = random.below(4) === 0
  const isEmpty = m * k * n === 0
  // The wasm backend multiplies float32 only.
  const dtype = backend === 'cpu' && random.below(8) === 0 ? 'int32' : 'float32'
  const isFused = dtype === 'float32' && random.below(2) === 0 && !(backend === 'wasm' && isEmpty)
  // Computed in blocks of 48 terms, each of which is given the bias and is clamped.
  const isCutInBlocks = backend === 'wasm' && (transposeA || transposeB || isBatched)
  const activation = isFused ? pick(random, isCutInBlocks && k > 48 ? unclampedActivations : activations) : 'linear'
  const hasBias = isFused && !isCutInBlocks && random.below(2) === 0

  const aShape = [...aBatch, ...(transposeA ? [k, m] : [m, k])]
  const bShape = [...bBatch, ...(transposeB ? [n, k] : [k, n])]
  const dataOf = (shape: readonly number[]) => drawData(random, count(shape), dtype)
  const a = dataOf(aShape)
  const b = { name: 'B', shape: bShape, data: dataOf(bShape) }
  const bias = hasBias ? { name: 'bias', shape: [n], data: dataOf([n]) } : undefined
  const slopes = activation === 'prelu' ? { name: 'slopes', shape: [1, n], data: dataOf([1, n]) } : undefined

  return {
    description: `${dtype} [${aShape}]${transposeA ? 'ᵀ' : ''}·[${bShape}]${transposeB ? 'ᵀ' : ''}${isFused ? ` fused ${activation}` : ''}${hasBias ? ' with bias' : ''}`,
    isEmpty,
    weights: [b, bias, slopes].filter((weight) => weight !== undefined),
    run() {
      tf.tidy(() => {
        const tensor = ({ shape, data }: { shape: readonly number[]; data: Float32Array | Int32Array }) =>
          tf.tensor(data, [...shape], dtype)
        const x = tensor({ shape: aShape, data: a })
        const y = tensor(b)
        if (!isFused) return tf.matMul(x, y, transposeA, transposeB)
        return tf.fused.matMul({
          a: x,
          b: y,
          transposeA,
          transposeB,
          activation,
          ...(bias === undefined ? {} : { bias: tensor(bias) }),
          ...(slopes === undefined ? {} : { preluActivationWeights: tensor(slopes) }),
        })
      })
    },
  }
}

/** Values as they occur: of every sign or one, many zeros, the same everywhere, of any size. */
function drawData(random: RandomStream, length: number, dtype: 'float32' | 'int32'): Float32Array | Int32Array {
  if (dtype === 'int32') return Int32Array.from({ length }, () => random.below(2001) - 1000)
  const scale = pick(random, [1, 1, 1e-3, 1e3])
  const constant = normal(random)
  const kinds: readonly (() => number)[] = [
    () => normal(random),
    () => normal(random),
    () => Math.max(0, normal(random)),
    () => Math.abs(random.signedUnit()),
    () => (random.below(10) === 0 ? normal(random) : 0),
    () => normal(random) ** 5,
    () => constant,
  ]
  const value = pick(random, kinds)
  return Float32Array.from({ length }, () => scale * value())
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}
