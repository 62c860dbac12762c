import { quantizeRow } from '@tensor-assay/core'
import { expect, test } from 'vitest'
import { handleOf } from '../src/products/operands.ts'
import { leftOperand } from '../src/products/rounded-blocks.ts'
import { TensorKeys } from '../src/products/tensor-keys.ts'
import { bytesOf, Numbers } from './models/writer.ts'

const [m, k, n] = [3, 96, 20]
const numbers = new Numbers(40)
const a = numbers.floats(m * k)
const b = numbers.floats(n * k)
const bias = numbers.floats(n)
const tap = (data: Float32Array, ...dims: number[]) => ({ type: 'float32', dims, bytes: () => bytesOf(data) }) as const
const handle = (data: Float32Array, cols: number) =>
  handleOf(
    {
      tensor: tap(data, data.length / cols, cols),
      matrices: { count: 1, rows: data.length / cols, cols, transposed: false },
    },
    new TensorKeys(),
  )!

/** C as an engine computes it that does `round` to each row of A. */
function product(round: (row: Float64Array) => Float64Array, added = false): Float32Array {
  return Float32Array.from({ length: m * n }, (_, i) => {
    const row = round(Float64Array.from(a.subarray(Math.floor(i / n) * k, (Math.floor(i / n) + 1) * k)))
    const sum = row.reduce((total, value, t) => total + value * b[(i % n) * k + t]!, 0)
    return sum + (added ? bias[i % n]! : 0)
  })
}
const found = (c: Float32Array, block = 32) =>
  leftOperand(block, { a: handle(a, k), b: tap(b, n, k), c: handle(c, n), bias: undefined, held: undefined })

test('what an operator did to A shows in its result', () => {
  expect(found(product((row) => row))).toBe('given')
  expect(found(product((row) => quantizeRow(row, 32).a))).toBe('rounded')
})

test('other blocks and other ways of rounding are not known', () => {
  expect(found(product((row) => quantizeRow(row, 96).a))).toBe('unknown')
  expect(found(product((row) => row.map((value) => Math.round(value * 64) / 64)))).toBe('unknown')
  expect(found(product((row) => row.map(() => Number.NaN)))).toBe('unknown')
})

test('a bias is taken off first', () => {
  const c = product((row) => quantizeRow(row, 32).a, true)
  const tensors = { a: handle(a, k), b: tap(b, n, k), c: handle(c, n), held: undefined }
  expect(leftOperand(32, { ...tensors, bias: tap(bias, n) })).toBe('rounded')
  expect(leftOperand(32, { ...tensors, bias: undefined })).toBe('unknown')
})

test('zeros are rounded to themselves', () => {
  const [a, c] = [handle(new Float32Array(m * k), k), handle(new Float32Array(m * n), n)]
  expect(leftOperand(32, { a, b: tap(b, n, k), c, bias: undefined, held: undefined })).toBe('rounded')
})
