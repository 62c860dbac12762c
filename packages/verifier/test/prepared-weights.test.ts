import { hexToBytes } from '@noble/hashes/utils.js'
import type { ProductRecord, Weight, WeightStore } from '@tensor-assay/core'
import { describe, expect, test } from 'vitest'
import { memoryWeights } from '../src/index.ts'
import { preparedWeights } from '../src/prepared-weights.ts'

const size = 5040
const values = (offset: number) => Float32Array.from({ length: size }, (_, i) => i + offset)

/** A store that counts how often its weights are read, and how many are being read at once. */
function counting(...weights: Weight[]) {
  const reads = { count: 0, now: 0, most: 0 }
  const counted = weights.map((weight) => ({
    ...weight,
    async read() {
      reads.count++
      reads.most = Math.max(reads.most, ++reads.now)
      await new Promise((resolve) => setTimeout(resolve, 1))
      reads.now--
      return weight.read()
    },
  }))
  const store: WeightStore = { weights: counted, find: (digest) => counted.find((weight) => weight.digest === digest) }
  return { store, reads }
}

const { weights } = memoryWeights([
  { name: 'flat', shape: [size], data: values(0) },
  { name: 'matrix', shape: [70, 72], data: values(7) },
  { name: 'bias', shape: [72], data: values(0).slice(0, 72) },
])
const [flat, matrix, bias] = weights as [Weight, Weight, Weight]

function product({ digest }: Weight, k: number, n: number, changes: Partial<ProductRecord> = {}): ProductRecord {
  return {
    kind: 'product',
    sequence: 0,
    step: 0,
    operation: 'MatMul',
    layout: { kind: 'matmul', m: 1, k, n, aBatch: [], bBatch: [] },
    a: 0,
    b: { kind: 'weight', digest: hexToBytes(digest), transposed: false },
    c: 1,
    alpha: 1,
    activation: { name: 'linear' },
    profile: 'float32',
    ...changes,
  }
}

const divisors = Array.from({ length: size }, (_, i) => i + 1).filter((k) => size % k === 0)

describe('what a verifier keeps of its weights', () => {
  test('is read once, however often it is asked for', async () => {
    const { store, reads } = counting(matrix, bias)
    const prepared = preparedWeights(store)
    const biased = { bias: { digest: hexToBytes(bias.digest), length: 72, dtype: 'float32' } } as const
    for (let i = 0; i < 5; i++) await prepared.of(product(matrix, 70, 72, biased), 'float32')
    expect(reads.count).toBe(2)
    expect(prepared.heldBytes).toBeGreaterThanOrEqual(4 * size + 8 * 72)
  })

  test('is bounded, in however many forms a prover asks for it', async () => {
    const maxBytes = 10 * 4 * size
    const { store, reads } = counting(flat)
    const prepared = preparedWeights(store, maxBytes)
    expect(divisors.length).toBeGreaterThan(50)
    for (const k of divisors) {
      const { matrices } = await prepared.of(product(flat, k, size / k), 'float32')
      // Row 0 of [k, n] begins with the elements 0, 1, …: they are the first of each column.
      expect(matrices[0]!.columns[0]).toBe(0)
      if (k < size) expect(matrices[0]!.columns[k]).toBe(1)
      expect(prepared.heldBytes).toBeLessThanOrEqual(maxBytes)
    }
    expect(reads.count).toBe(divisors.length)
  })

  test('is forgotten by the time of its last use', async () => {
    const { store, reads } = counting(flat, matrix)
    const prepared = preparedWeights(store, 4 * (4 * size + 512))
    await prepared.of(product(matrix, 70, 72), 'float32')
    for (const k of divisors.slice(0, 20)) {
      await prepared.of(product(flat, k, size / k), 'float32')
      await prepared.of(product(matrix, 70, 72), 'float32')
    }
    expect(reads.count).toBe(21)
  })

  test('holds one form of every weight, and another, unless a bound is given', async () => {
    const { store, reads } = counting(flat, matrix)
    const prepared = preparedWeights(store)
    for (let round = 0; round < 3; round++) {
      await prepared.of(product(flat, 1, size), 'float32')
      await prepared.of(product(flat, size, 1), 'float32')
      await prepared.of(product(matrix, 70, 72), 'float32')
    }
    expect(reads.count).toBe(3)
  })

  test('is prepared one after the other, however many ask at once', async () => {
    const { store, reads } = counting(flat)
    const prepared = preparedWeights(store, 4 * size)
    await Promise.all(divisors.map((k) => prepared.of(product(flat, k, size / k), 'float32')))
    expect(reads).toMatchObject({ most: 1, count: divisors.length })
  })

  test('is asked for again where it could not be read', async () => {
    let fails = true
    const spoilt: Weight = {
      ...matrix,
      read: () => (fails ? Promise.reject(new Error('the disk is away')) : matrix.read()),
    }
    const prepared = preparedWeights({ weights: [spoilt], find: () => spoilt })
    await expect(prepared.of(product(matrix, 70, 72), 'float32')).rejects.toThrow('the disk is away')
    expect(prepared.heldBytes).toBe(0)
    fails = false
    expect((await prepared.of(product(matrix, 70, 72), 'float32')).matrices).toHaveLength(1)
  })

  test('counts what a matrix takes besides its elements', async () => {
    const { store } = counting(flat)
    const prepared = preparedWeights(store)
    const layout = { kind: 'matmul', m: 1, k: 1, n: 1, aBatch: [], bBatch: [size] } as ProductRecord['layout']
    expect((await prepared.of(product(flat, 1, 1, { layout }), 'float32')).matrices).toHaveLength(size)
    expect(prepared.heldBytes).toBeGreaterThan(500 * size)
  })
})
