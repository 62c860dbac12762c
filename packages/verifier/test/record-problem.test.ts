import { hexToBytes } from '@noble/hashes/utils.js'
import { type DType, dtypes, type ProductRecord, type TensorShape } from '@tensor-assay/core'
import { describe, expect, test } from 'vitest'
import { interactive, memoryWeights, type Policy } from '../src/index.ts'
import { recordProblem } from '../src/record-problem.ts'

const store = memoryWeights([
  { name: 'w', shape: [4, 6], data: new Float32Array(24) },
  { name: 'q', shape: [4, 6], data: new Int8Array(24) },
  { name: 'bias', shape: [6], data: new Float32Array(6).fill(1) },
  { name: 'integer bias', shape: [6], data: new Int32Array(6).fill(1) },
  { name: 'zero points', shape: [6], data: new Int8Array(6) },
  { name: 'short', shape: [5], data: new Float32Array(5) },
  { name: 'one', shape: [1], data: new Float32Array(1) },
  { name: 'heads', shape: [2, 4, 3], data: new Float32Array(24).fill(3) },
  { name: 'list', shape: [24], data: new Float32Array(24).fill(4) },
  { name: 'filters', shape: [2, 2, 1, 6], data: new Float32Array(24).fill(2) },
])
const digestOf = (name: string) => hexToBytes(store.weights.find((weight) => weight.name === name)!.digest)
const vector = (name: string, length: number, dtype: DType) => ({ digest: digestOf(name), length, dtype })
const weight = (name: string, transposed = false) => ({ kind: 'weight', digest: digestOf(name), transposed }) as const
const tensor = (rows: number, cols: number, dtype: DType = 'float32'): TensorShape => ({ tensor: 0, rows, cols, dtype })

const product: ProductRecord = {
  kind: 'product',
  sequence: 0,
  step: 0,
  operation: 'MatMul',
  layout: { kind: 'matmul', m: 3, k: 4, n: 6, aBatch: [], bBatch: [] },
  a: 0,
  b: weight('w'),
  c: 1,
  alpha: 1,
  activation: { name: 'linear' },
  profile: 'float32',
}
const quantised: ProductRecord = { ...product, b: weight('q'), profile: 'int8' }
const convolution: ProductRecord = {
  ...product,
  layout: {
    kind: 'convolution',
    channelsLast: true,
    batch: 1,
    groups: 1,
    inChannels: 1,
    outChannels: 6,
    input: [4, 4],
    output: [3, 3],
    kernel: [2, 2],
    strides: [1, 1],
    dilations: [1, 1],
    padding: [0, 0],
  },
  b: weight('filters'),
}
const floats = { a: tensor(3, 4), c: tensor(3, 6), b: undefined }
const bytes = { a: tensor(3, 4, 'int8'), c: tensor(3, 6, 'float32'), b: undefined }
const images = { a: tensor(16, 1), c: tensor(9, 6), b: undefined }
const added = { ...floats, addend: tensor(3, 6) }
const policy = interactive()
const batched = (count: number, k: number, n: number): ProductRecord['layout'] => ({
  ...{ kind: 'matmul', m: 3, k, n },
  ...{ aBatch: [count], bBatch: [count] },
})

const problem = (record: ProductRecord, tensors: Parameters<typeof recordProblem>[1], with_: Policy = policy) =>
  recordProblem(record, tensors, with_, store)

describe('a record that holds together', () => {
  test.each([
    ['a product', product, floats],
    ['with a bias', { ...product, bias: vector('bias', 6, 'float32') }, floats],
    ['with an addend', { ...product, addend: 2 }, added],
    ['with a factor of an addend', { ...product, addend: 2, beta: 0.5 }, added],
    ['with one bias for all columns', { ...product, bias: vector('one', 1, 'float32') }, floats],
    ['of 8-bit integers', quantised, bytes],
    ['of 8-bit integers with an integer bias', { ...quantised, bias: vector('integer bias', 6, 'int32') }, bytes],
    ['with zero points', { ...quantised, zeroPoints: { a: 3, b: vector('zero points', 6, 'int8') } }, bytes],
    ['a convolution', convolution, images],
  ] as const)('%s has no problem', (_, record, tensors) => {
    expect(problem(record, tensors)).toBeUndefined()
  })
})

describe('a record is refused', () => {
  test.each([
    ['sizes that contradict each other', { ...convolution, layout: { ...convolution.layout, groups: 5 } }, images],
    [
      'tensors of more elements than numbers count',
      { ...product, layout: { ...product.layout, m: 2 ** 25, k: 1, n: 2 ** 24 } },
      { a: tensor(2 ** 25, 1), c: tensor(2 ** 25, 2 ** 24), b: undefined },
    ],
    ['A of another shape', product, { ...floats, a: tensor(4, 3) }],
    ['A with fewer rows', product, { ...floats, a: tensor(2, 4) }],
    ['A of another type', product, { ...floats, a: tensor(3, 4, 'float16') }],
    ['C of another shape', product, { ...floats, c: tensor(6, 3) }],
    ['C with more columns', product, { ...floats, c: tensor(3, 7) }],
    ['C of another type', product, { ...floats, c: tensor(3, 6, 'int32') }],
    ['scales in a float32 product', { ...product, scales: vector('bias', 6, 'float32') }, floats],
    ['a zero point in a float32 product', { ...product, zeroPoint: 1 }, floats],
    ['zero points in a float32 product', { ...product, zeroPoints: { a: 0 } }, floats],
    ['a factor of nothing', { ...product, beta: 0.5 }, floats],
    ['an addend of another shape', { ...product, addend: 2 }, { ...floats, addend: tensor(6, 3) }],
    ['an addend with fewer rows', { ...product, addend: 2 }, { ...floats, addend: tensor(2, 6) }],
    ['an addend of another type', { ...product, addend: 2 }, { ...floats, addend: tensor(3, 6, 'float16') }],
    ['an addend of integers', { ...quantised, addend: 2 }, { ...bytes, addend: tensor(3, 6) }],
    ['a vector of another length', { ...product, bias: vector('short', 5, 'float32') }, floats],
    ['filters that lie the other way', { ...convolution, b: weight('filters', true) }, images],
  ] as const)('%s: record-malformed', (_, record, tensors) => {
    expect(problem(record as ProductRecord, tensors)?.reason).toBe('record-malformed')
  })

  test.each([
    ['A', { ...floats, a: undefined }],
    ['C', { ...floats, c: undefined }],
  ])('%s that was never committed to: tensor-unknown', (_, tensors) => {
    expect(problem(product, tensors)?.reason).toBe('tensor-unknown')
  })

  test('a rounded A that neither manifest nor policy accepts: profile-refused', () => {
    const accepting = interactive({ acceptRounding: true })
    expect(problem({ ...product, roundedBlocks: 32 }, floats)?.reason).toBe('profile-refused')
    expect(problem({ ...product, roundedBlocks: 32 }, floats, accepting)).toBeUndefined()
    const biased = { ...product, roundedBlocks: 32, bias: vector('bias', 6, 'float32') }
    expect(problem(biased, floats, accepting)).toBeUndefined()
  })

  test.each<[string, Partial<ProductRecord>, Parameters<typeof recordProblem>[1]]>([
    ['of a convolution', { ...convolution }, images],
    ['of integers', { ...quantised }, bytes],
    ['with a factor', { alpha: 2 }, floats],
    ['behind an activation', { activation: { name: 'relu' } }, floats],
    ['beside an addend', { addend: 2 }, added],
    ['by an activation', { b: { kind: 'activation', tensor: 2 } }, { ...floats, b: tensor(6, 4) }],
  ])('a rounded A %s, where no operation does so: record-malformed', (_, changes, tensors) => {
    const accepting = interactive({ acceptRounding: true, acceptActivations: true })
    expect(problem({ ...product, ...changes }, tensors, accepting)).toBeUndefined()
    expect(problem({ ...product, ...changes, roundedBlocks: 8 }, tensors, accepting)?.reason).toBe('record-malformed')
  })

  test('an addend that was never committed to: tensor-unknown', () => {
    expect(problem({ ...product, addend: 2 }, floats)?.reason).toBe('tensor-unknown')
  })

  // Engines of a reproducible order are not known to add a tensor in any one way, and a looser rule would be a place to hide.
  test('an addend in reproduced arithmetic: record-malformed', () => {
    const policyOfExact = interactive({ profiles: ['exact'] })
    expect(problem({ ...product, profile: 'exact' }, floats, policyOfExact)).toBeUndefined()
    expect(problem({ ...product, profile: 'exact', addend: 2 }, added, policyOfExact)?.reason).toBe('record-malformed')
  })

  test('B that was never committed to: tensor-unknown', () => {
    const record: ProductRecord = { ...product, b: { kind: 'activation', tensor: 7 } }
    const permissive = interactive({ acceptActivations: true })
    expect(problem(record, floats, permissive)?.reason).toBe('tensor-unknown')
    expect(problem(record, { ...floats, b: tensor(6, 4) }, permissive)).toBeUndefined()
    expect(problem(record, { ...floats, b: tensor(4, 6) }, permissive)?.reason).toBe('record-malformed')
  })

  test('B that is no weight where the policy wants one: activation-refused', () => {
    const record: ProductRecord = { ...product, b: { kind: 'activation', tensor: 2 } }
    expect(problem(record, { ...floats, b: tensor(6, 4) })?.reason).toBe('activation-refused')
  })

  const unknown = { digest: new Uint8Array(32), length: 6, dtype: 'float32' } as const
  test.each([
    ['a weight', { b: { ...weight('w'), digest: unknown.digest } }, 'weight-unknown'],
    ['a bias', { bias: unknown }, 'vector-unknown'],
    ['slopes', { activation: { name: 'prelu', slopes: unknown } }, 'vector-unknown'],
  ] as const)('%s that the verifier does not hold', (_, changes, reason) => {
    expect(problem({ ...product, ...changes } as ProductRecord, floats)?.reason).toBe(reason)
  })

  test('a vector that the verifier does not hold hides nothing worse', () => {
    const record: ProductRecord = { ...product, b: { kind: 'activation', tensor: 2 }, bias: { ...unknown } }
    expect(problem(record, { ...floats, b: tensor(6, 4) })?.reason).toBe('activation-refused')
  })

  test.each([
    ['a weight of another size', { b: weight('bias') }, floats],
    ['a weight of another type', { b: weight('q') }, floats],
    ['a bias of integers in a float32 product', { bias: vector('integer bias', 6, 'int32') }, floats],
    ['a bias that says it is float32, and is not', { bias: vector('integer bias', 6, 'float32') }, floats],
    ['a bias of another length than it says', { bias: vector('short', 6, 'float32') }, floats],
  ] as const)('%s: weight-mismatch', (_, changes, tensors) => {
    expect(problem({ ...product, ...changes } as ProductRecord, tensors)?.reason).toBe('weight-mismatch')
  })

  // Before the scales or after them: a verifier that believed the declared type added a float32 bias to the integer sum.
  test.each(dtypes.filter((dtype) => dtype !== 'float32'))(
    'a float32 bias that is declared %s: weight-mismatch',
    (dtype) => {
      expect(problem({ ...quantised, bias: vector('bias', 6, dtype) }, bytes)?.reason).toBe('weight-mismatch')
    },
  )

  test('arithmetic that the policy does not accept: profile-refused', () => {
    expect(problem(product, floats, interactive({ profiles: ['int32'] }))?.reason).toBe('profile-refused')
  })

  test('a weight that is turned: weight-reshaped', () => {
    expect(problem({ ...product, b: weight('w', true) } as ProductRecord, floats)?.reason).toBe('weight-reshaped')
  })

  test('filters whose last dimension is another: weight-reshaped', () => {
    const layout = { ...convolution.layout, inChannels: 2, outChannels: 3, input: [4, 4] } as ProductRecord['layout']
    const tensors = { a: tensor(16, 2), c: tensor(9, 3), b: undefined }
    expect(problem({ ...convolution, layout }, tensors)?.reason).toBe('weight-reshaped')
  })

  // Without a manifest, two products of half of the terms each once passed for one.
  test('a matrix that is cut into two: weight-reshaped', () => {
    const halves = { a: tensor(6, 2), c: tensor(6, 6), b: undefined }
    expect(problem({ ...product, layout: batched(2, 2, 6) }, halves)?.reason).toBe('weight-reshaped')
    const rows = { a: tensor(12, 1), c: tensor(12, 6), b: undefined }
    expect(problem({ ...product, layout: batched(4, 1, 6) }, rows)?.reason).toBe('weight-reshaped')
  })

  test('a list is of any shape', () => {
    expect(problem({ ...product, b: weight('list') }, floats)).toBeUndefined()
  })

  test('matrices that are taken together or one by one, as they lie, have no problem', () => {
    const [one, two] = [{ ...product.layout, k: 8, n: 3 }, batched(2, 4, 3)] as ProductRecord['layout'][]
    const together = { a: tensor(3, 8), c: tensor(3, 3), b: undefined }
    expect(problem({ ...product, layout: one!, b: weight('heads') }, together)).toBeUndefined()
    const each = { a: tensor(6, 4), c: tensor(6, 3), b: undefined }
    expect(problem({ ...product, layout: two!, b: weight('heads') }, each)).toBeUndefined()
  })

  test('filters of other dimensions: weight-reshaped', () => {
    const line = { ...convolution.layout, input: [8], output: [5], kernel: [4] }
    const layout = { ...line, strides: [1], dilations: [1], padding: [0] } as ProductRecord['layout']
    const tensors = { a: tensor(8, 1), c: tensor(5, 6), b: undefined }
    expect(problem({ ...convolution, layout }, tensors)?.reason).toBe('weight-reshaped')
  })

  // Once it hid what else was wrong, and the check ended in an internal error.
  test('a reshaped weight hides nothing that is worse', () => {
    const turned = { ...product, b: weight('w', true) } as ProductRecord
    expect(problem({ ...turned, bias: vector('short', 5, 'float32') }, floats)?.reason).toBe('record-malformed')
    expect(problem({ ...turned, bias: vector('integer bias', 6, 'int32') }, floats)?.reason).toBe('weight-mismatch')
    const slopes = vector('short', 5, 'float32')
    expect(problem({ ...turned, activation: { name: 'prelu', slopes } }, floats)?.reason).toBe('record-malformed')
  })
})
