import { expect, test } from 'vitest'
import { layoutOf, type Shapes } from '../../src/graph/layout-of.ts'
import type { ConvolutionForm, MatmulForm } from '../../src/graph/statement.ts'

const matmul = (transposeA = false, transposeB = false): MatmulForm => ({ kind: 'matmul', transposeA, transposeB })
const product = (m: number, k: number, n: number, aBatch: number[] = [], bBatch: number[] = []) => {
  return { kind: 'matmul', m, k, n, aBatch, bBatch }
}
const unstatable = { reason: expect.stringMatching(/^operands of shapes /) }

test('products as NumPy has them', () => {
  expect(layoutOf(matmul(), { a: [2, 3], b: [3, 4], c: [2, 4] })).toEqual(product(2, 3, 4))
  expect(layoutOf(matmul(true, true), { a: [3, 2], b: [4, 3], c: [2, 4] })).toEqual(product(2, 3, 4))
  expect(layoutOf(matmul(), { a: [3], b: [3, 4], c: [4] })).toEqual(product(1, 3, 4))
  expect(layoutOf(matmul(), { a: [2, 3], b: [3], c: [2] })).toEqual(product(2, 3, 1))
  expect(layoutOf(matmul(), { a: [3], b: [3], c: [] })).toEqual(product(1, 3, 1))
  const batched = { a: [5, 1, 2, 3], b: [7, 3, 4], c: [5, 7, 2, 4] }
  expect(layoutOf(matmul(), batched)).toEqual(product(2, 3, 4, [5, 1], [7]))
  expect(layoutOf(matmul(), { a: [0, 3], b: [3, 4], c: [0, 4] })).toEqual(product(0, 3, 4))
})

test('products over several axes at once', () => {
  const form: MatmulForm = { ...matmul(false, true), axes: { batchA: 1, batchB: 1, m: 2, k: 1, n: 1 } }
  expect(layoutOf(form, { a: [6, 2, 3, 5], b: [6, 4, 5], c: [6, 2, 3, 4] })).toEqual(product(6, 5, 4, [6], [6]))
  expect(layoutOf(form, { a: [6, 2, 3], b: [6, 4, 5], c: [6, 2, 4] })).toEqual(unstatable)
})

test('shapes that contradict each other', () => {
  const wrong: Shapes[] = [
    { a: [2, 3], b: [4, 4], c: [2, 4] },
    { a: [2, 3], b: [3, 4], c: [2, 5] },
    { a: [2, 2, 3], b: [3, 3, 4], c: [2, 2, 4] },
    { a: [], b: [3, 4], c: [4] },
  ]
  for (const shapes of wrong) expect(layoutOf(matmul(), shapes)).toEqual(unstatable)
})

const convolution = (options: Partial<ConvolutionForm> = {}): ConvolutionForm => {
  return { kind: 'convolution', groups: 1, autoPad: 'NOTSET', ...options }
}

test('convolutions', () => {
  const shapes = { a: [2, 4, 9, 9], b: [6, 2, 3, 3], c: [2, 6, 4, 4] }
  const form = convolution({ groups: 2, strides: [2, 2], dilations: [1, 1], pads: [1, 0, 0, 1] })
  expect(layoutOf(form, shapes)).toEqual({
    kind: 'convolution',
    channelsLast: false,
    batch: 2,
    groups: 2,
    inChannels: 4,
    outChannels: 6,
    input: [9, 9],
    output: [4, 4],
    kernel: [3, 3],
    strides: [2, 2],
    dilations: [1, 1],
    padding: [1, 0],
  })
  expect(layoutOf(convolution(), { a: [1, 1, 5], b: [1, 1, 2], c: [1, 1, 4] })).toMatchObject({
    strides: [1],
    dilations: [1],
    padding: [0],
  })
})

test('padding that follows from the sizes', () => {
  const shapes = { a: [1, 1, 5], b: [1, 1, 4], c: [1, 1, 3] }
  // (3 − 1)·2 + 4 − 5 = 3 elements: the odd one goes to the end, or to the beginning.
  const options = { strides: [2], pads: [9, 9] }
  const padding = (autoPad: ConvolutionForm['autoPad']) => layoutOf(convolution({ ...options, autoPad }), shapes)
  expect(padding('SAME_UPPER')).toMatchObject({ padding: [1] })
  expect(padding('SAME_LOWER')).toMatchObject({ padding: [2] })
  expect(padding('VALID')).toMatchObject({ padding: [0] })
})

test('convolutions whose shapes contradict each other', () => {
  const shapes = { a: [2, 4, 9], b: [6, 4, 3], c: [2, 6, 7] }
  const wrong: [Partial<Shapes>, Partial<ConvolutionForm>?][] = [
    [{ a: [3, 4, 9] }],
    [{ b: [5, 4, 3] }],
    [{ b: [6, 3, 3] }],
    [{ b: [6, 4, 3, 3] }],
    [{}, { groups: 0 }],
    [{ a: [2, 16, 9] }, { groups: 4 }],
    [{}, { strides: [1, 1] }],
    [{}, { pads: [1] }],
    [{ a: [2, 4], b: [6, 4], c: [2, 6] }],
  ]
  expect(layoutOf(convolution(), shapes)).toHaveProperty('kind')
  for (const [changed, form] of wrong)
    expect(layoutOf(convolution(form), { ...shapes, ...changed })).toEqual(unstatable)
})
