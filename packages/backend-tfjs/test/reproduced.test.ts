import {
  checkRow,
  geometryOf,
  type Matrix,
  type NumericEpilogue,
  type Product,
  prepareMatrix,
  profiles,
  toFloat64,
} from '@tensor-assay/core'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeEach, describe, expect, test } from 'vitest'
import { tfjs } from '../src/index.ts'
import { allocate } from './observe.ts'
import './wasm-path.ts'

interface Seen {
  readonly product: Product
  readonly a: Matrix
  readonly b: Matrix
  readonly c: Matrix
  readonly bias: Float64Array | undefined
}

function observed(run: () => unknown): Seen {
  const seen: Seen[] = []
  const interception = tfjs(tf, { exact: true }).intercept({
    product(product) {
      const [a, b, c] = [product.a, product.b, product.c].map((handle) => handle.read(undefined, allocate) as Matrix)
      const stored = product.epilogue.bias?.stored() as { bytes: Uint8Array } | undefined
      seen.push({ product, a: a!, b: b!, c: c!, bias: stored && toFloat64(stored.bytes.slice(), 'float32') })
    },
    opaque: () => undefined,
  })
  tf.tidy(() => void run())
  interception.restore()
  expect(seen).toHaveLength(1)
  return seen[0]!
}

/** Rows that the declared profile does not accept, after `spoil` has had its way with C. */
function rejectedRows({ product, a, b, c, bias }: Seen, spoil: (c: Float64Array) => void = () => undefined): number {
  const { rows, n, k, ...geometry } = geometryOf(product.layout)
  const look = (matrix: Matrix, values: Float64Array) => (row: number) =>
    values.subarray(row * matrix.cols, (row + 1) * matrix.cols)
  const [left, result] = [toFloat64(a.bytes, 'float32'), toFloat64(c.bytes, 'float32')]
  spoil(result)
  const { alpha, activation } = product.epilogue
  if (activation.name === 'prelu') throw new Error('not tried here')
  const epilogue: NumericEpilogue = { alpha, activation, ...(bias && { bias }) }
  const prepared = Array.from({ length: geometry.matrices }, (_, i) => {
    const bytes = b.bytes.subarray(4 * i * n * k, 4 * (i + 1) * n * k)
    return prepareMatrix({ bytes, dtype: 'float32', k, n, transposed: true })
  })
  return Array.from({ length: rows }, (_, r) =>
    checkRow({
      a: geometry.readA(r, look(a, left)),
      b: prepared[geometry.matrixOf(r)]!,
      c: geometry.readC(r, look(c, result)),
      profile: profiles[product.profile],
      epilogue,
    }),
  ).filter(({ outcome }) => outcome !== 'accept').length
}

const normal = (shape: readonly number[], seed: number) => tf.randomNormal([...shape], 0, 1, 'float32', seed)
const cases = [
  ['one block', [5, 48], [48, 7], false, false],
  ['a block and one term', [5, 49], [49, 7], false, false],
  ['many blocks', [60, 1000], [1000, 70], false, false],
  ['A transposed', [130, 9], [130, 50], true, false],
  ['B transposed', [9, 130], [50, 130], false, true],
  ['a batch', [3, 9, 100], [3, 100, 11], false, false],
  ['B broadcast', [3, 9, 100], [1, 100, 11], false, false],
  ['one term', [5, 1], [1, 3], false, false],
] as const

describe('on cpu', () => {
  beforeEach(async () => {
    await tf.setBackend('cpu')
  })

  test.each(cases)('%s: every value is the one that the profile reproduces, and no other', (_, a, b, ...transposed) => {
    const seen = observed(() => tf.matMul(normal(a, 1), normal(b, 2), ...transposed))
    expect(seen.product.profile).toBe('exact')
    expect(rejectedRows(seen)).toBe(0)
    // The neighbour of one value.
    const ulp = (c: Float64Array) => {
      c[3] = Math.fround(c[3]! * (1 + 2 ** -23))
    }
    expect(rejectedRows(seen, ulp)).toBe(1)
  })

  test.each(['linear', 'relu', 'relu6'] as const)('a bias and %s are reproduced as well', (activation) => {
    const bias = normal([30], 5)
    const seen = observed(() => tf.fused.matMul({ a: normal([20, 300], 3), b: normal([300, 30], 4), bias, activation }))
    expect(seen.product.profile).toBe('exact')
    expect(rejectedRows(seen)).toBe(0)
  })

  test('values of all sizes are', () => {
    const scaled = (shape: readonly number[], seed: number) => tf.pow(normal(shape, seed), tf.scalar(9))
    expect(rejectedRows(observed(() => tf.matMul(scaled([20, 200], 6), scaled([200, 30], 7))))).toBe(0)
  })

  test('a convolution is not declared so: it rounds after each term', () => {
    const seen = observed(() =>
      tf.conv2d(normal([1, 6, 6, 20], 8) as tf.Tensor4D, normal([3, 3, 20, 4], 9) as tf.Tensor4D, 1, 'valid'),
    )
    expect(seen.product.profile).toBe('float32')
    expect(rejectedRows(seen)).toBe(0)
    expect(rejectedRows({ ...seen, product: { ...seen.product, profile: 'exact' } })).toBeGreaterThan(0)
  })

  test('integers are not, nor is a backend that sums in other blocks', () => {
    const ones = () => tf.ones([2, 3], 'int32')
    expect(observed(() => tf.matMul(ones(), ones(), false, true)).product.profile).toBe('int32')
    const backend = tf.backend() as unknown as { blockSize: number }
    backend.blockSize = 32
    try {
      expect(observed(() => tf.matMul(normal([2, 50], 1), normal([50, 2], 2))).product.profile).toBe('float32')
    } finally {
      backend.blockSize = 48
    }
  })
})

test('on wasm nothing is declared exact', async () => {
  await tf.setBackend('wasm')
  const seen = observed(() => tf.matMul(normal([20, 300], 1), normal([300, 30], 2)))
  expect(seen.product.profile).toBe('float32')
  expect(rejectedRows(seen)).toBe(0)
  expect(rejectedRows({ ...seen, product: { ...seen.product, profile: 'exact' } })).toBeGreaterThan(0)
})
