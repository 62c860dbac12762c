import type { Matrix, ProductRecord } from '@tensor-assay/core'
import { describe, expect, test } from 'vitest'
import { Bindings } from '../src/bindings.ts'
import { interactive } from '../src/index.ts'
import { Ledger } from '../src/ledger.ts'
import type { OpenedProduct } from '../src/opened.ts'

const [m, k, n] = [4, 3, 2]
const matrix = (rows: number, cols: number, start: number): Matrix => ({
  rows,
  cols,
  dtype: 'float32',
  bytes: new Uint8Array(Float32Array.from({ length: rows * cols }, (_, i) => start + i).buffer),
})
const input = matrix(m, k, 1)
const output = matrix(m, n, 100)

const record = (sequence: number, step = 0): ProductRecord => ({
  kind: 'product',
  sequence,
  step,
  operation: 'matMul',
  layout: { kind: 'matmul', m, k, n, aBatch: [], bBatch: [] },
  a: 0,
  b: { kind: 'weight', digest: new Uint8Array(32), transposed: false },
  c: 1,
  alpha: 1,
  activation: { name: 'linear' },
  profile: 'float32',
})

/** Every row of A and of C. */
function opened(a: Matrix, c: Matrix): OpenedProduct {
  const indices = Uint32Array.from({ length: m }, (_, i) => i)
  const tensor = ({ cols, dtype, bytes }: Matrix, number: number) => ({ tensor: number, cols, dtype, bytes, indices })
  return { plan: { rows: indices }, a: tensor(a, 0), c: tensor(c, 1) }
}

function changed(from: Matrix, byte: number): Matrix {
  const bytes = from.bytes.slice()
  bytes[byte]! ^= 1
  return { ...from, bytes }
}

/** Products of one step, in order; those without rows were not checked. */
function bound(products: readonly (OpenedProduct | undefined)[], inputs = [input], outputs = [output]) {
  const bindings = new Bindings(inputs, outputs)
  const ledger = new Ledger(interactive(), 0)
  for (const [sequence, product] of products.entries()) {
    bindings.step(record(sequence))
    if (product) bindings.compare(record(sequence), product, ledger)
  }
  bindings.finish(ledger)
  const { inputsBound, outputsBound } = ledger.coverage
  const found = ledger.verdict('', '').findings.map(({ reason }) => reason)
  return { found: found.filter((reason) => reason !== 'nothing-sampled'), inputsBound, outputsBound }
}

const right = opened(input, output)
const middle = opened(matrix(m, k, 7), matrix(m, n, 70))

test('the first A and the last C are bound', () => {
  expect(bound([right])).toEqual({ found: [], inputsBound: 1, outputsBound: 1 })
  expect(bound([opened(input, middle.c as never), middle, opened(matrix(m, k, 9), output)])).toEqual({
    found: [],
    inputsBound: 1,
    outputsBound: 1,
  })
})

describe('an input', () => {
  test.each([0, 1, 4 * k - 1, 4 * k, 4 * m * k - 1])('that differs in byte %i is another', (byte) => {
    expect(bound([opened(changed(input, byte), output)]).found).toEqual(['input-mismatch'])
  })

  test('of another shape or type is another, whatever its bytes are', () => {
    const turned = { ...input, rows: k, cols: m }
    const integers = { ...input, dtype: 'int32' } as const
    const longer = matrix(m + 1, k, 1)
    for (const other of [turned, integers, longer]) expect(bound([right], [other]).found).toEqual(['input-mismatch'])
  })

  test('that no checked product reads is not bound', () => {
    expect(bound([undefined, right])).toMatchObject({ found: ['input-unbound'], inputsBound: 0 })
    expect(bound([])).toMatchObject({ found: ['input-unbound', 'output-unbound'] })
  })
})

describe('an output', () => {
  test('that differs in its last byte is another', () => {
    expect(bound([opened(input, changed(output, 4 * m * n - 1))])).toMatchObject({
      found: ['output-mismatch'],
      outputsBound: 0,
    })
  })

  test('that is not the last of its step, or was not checked, is not bound', () => {
    expect(bound([right, middle]).found).toEqual(['output-mismatch'])
    expect(bound([right, undefined]).found).toEqual(['output-unbound'])
  })
})

test('what must be audited is the first product of a step, and what may be its last', () => {
  const bindings = new Bindings([input], [undefined as never, output])
  for (const [sequence, step] of [
    [0, 0],
    [1, 0],
    [2, 1],
    [3, 2],
  ] as const) {
    bindings.step(record(sequence, step))
  }
  expect([record(0, 0), record(1, 0), record(2, 1), record(3, 2)].map((one) => bindings.wants(one))).toEqual([
    true,
    false,
    true,
    false,
  ])
})
