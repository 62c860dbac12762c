import type { Derivation } from '@tensor-assay/core'
import type { NewNode } from '@tensor-assay/onnx-model'
import { describe, expect, test } from 'vitest'
import { floatFeed, int64Tensor, Numbers, node, onnxFile, weight } from '../models/writer.ts'
import { type DerivedOperand, derivedOperands, deviationOf } from '../support/derived.ts'

const numbers = new Numbers(81)

/** Of x, [2, 4, 4], and what is computed of it; w is [4, 4], w2 [3, 16]. */
function derived(nodes: readonly NewNode[]): Promise<DerivedOperand[]> {
  const outputs = nodes.at(-1)!.outputs.map((name) => ({ name, type: 'float32' as const }))
  const dims = [2, 4, 4]
  const inputs = [{ name: 'x', type: 'float32' as const, dims }]
  const file = onnxFile({
    nodes,
    initializers: [weight(numbers, 'w', [4, 4]), weight(numbers, 'w2', [3, 16]), int64Tensor('axis', [0])],
    inputs,
    outputs,
  })
  return derivedOperands({ file, feeds: { x: floatFeed(numbers, dims) } }, 'disabled')
}

/** The steps from the last to a leaf, along what is read first. */
function line(derivation: Derivation | undefined): string[] {
  if (derivation === undefined) return []
  return [derivation.op, ...('x' in derivation ? line(derivation.x) : [])]
}

describe('a value of a product before', () => {
  test('that is read in the same rows is a link already', async () => {
    const [, a] = await derived([node('MatMul', ['x', 'w'], 'h'), node('MatMul', ['h', 'w'], 'y')])
    expect(a).toMatchObject({ isLinked: true, derivation: undefined, reason: 'the same rows as before' })
  })

  test('that is read as columns is transposed', async () => {
    const [, a, b] = await derived([node('MatMul', ['x', 'w'], 'h'), node('MatMul', ['x', 'h'], 'y')])
    expect(a).toMatchObject({ isLinked: true })
    expect(line(b!.derivation)).toEqual(['transpose', 'tensor'])
    expect(b!.deviation).toBe(0)
  })

  test('that was read as columns is transposed back', async () => {
    const [, b, later] = await derived([
      node('MatMul', ['w', 'x'], 'h'),
      node('Abs', ['x'], 'size'),
      node('MatMul', ['size', 'w'], 'y0'),
      node('Add', ['h', 'y0'], 'y'),
    ])
    expect(b).toMatchObject({ name: 'b', reason: 'input x' })
    expect(line(later!.derivation)).toEqual(['abs', 'transpose', 'tensor'])
    expect(later!.deviation).toBe(0)
  })

  test('that is transposed in the graph and read as columns is not transposed at all', async () => {
    const operands = await derived([
      node('MatMul', ['x', 'w'], 'h'),
      node('Transpose', ['h'], 't', { perm: [0n, 2n, 1n] }),
      node('MatMul', ['x', 't'], 'y'),
    ])
    const b = operands.at(-1)!
    expect(line(b.derivation)).toEqual(['tensor'])
    expect(b.deviation).toBe(0)
  })

  test('is what the product gave rather than what another read', async () => {
    const operands = await derived([
      node('MatMul', ['x', 'w'], 'h'),
      node('MatMul', ['x', 'h'], 'g'),
      node('Tanh', ['h'], 't'),
      node('MatMul', ['t', 'w'], 'y0'),
      node('Add', ['g', 'y0'], 'y'),
    ])
    const last = operands.find(({ node }) => node.startsWith('y0'))!
    expect(line(last.derivation)).toEqual(['tanh', 'tensor'])
    expect(last.deviation).toBeLessThan(1e-6)
  })

  test('tells what it is a view of', async () => {
    const operands = await derived([
      node('Transpose', ['x'], 't', { perm: [1n, 2n, 0n] }),
      node('Flatten', ['t'], 'f', { axis: 2n }),
      node('Unsqueeze', ['f', 'axis'], 'u'),
      node('MatMul', ['w2', 'u'], 'h'),
      node('Abs', ['x'], 'size'),
      node('Neg', ['size'], 'minus'),
      node('Neg', ['minus'], 'plus'),
      node('MatMul', ['plus', 'w'], 'y'),
    ])
    const last = operands.at(-1)!
    expect(line(last.derivation)).toEqual(['negate', 'negate', 'abs', 'transpose', 'reshape', 'transpose', 'tensor'])
    expect(last.deviation).toBe(0)
  })

  test('may be an input of the graph that a product has read', async () => {
    const operands = await derived([
      node('MatMul', ['x', 'w'], 'h'),
      node('Add', ['h', 'x'], 'sum'),
      node('MatMul', ['sum', 'w'], 'y'),
    ])
    expect(line(operands.at(-1)!.derivation)).toEqual(['add', 'tensor'])
    expect(operands.at(-1)!.deviation).toBeLessThan(1e-6)
  })
})

test('a derivation of another tensor is not what was read', async () => {
  const sound = await derived([
    node('MatMul', ['x', 'w'], 'h'),
    node('Tanh', ['h'], 't'),
    node('MatMul', ['t', 'w'], 'y'),
  ])
  const { derivation, deviation, read, before } = sound[1]!
  if (derivation?.op !== 'tanh') throw new TypeError(`expected tanh, got ${derivation?.op}`)
  expect(deviation).toBeLessThan(1e-6)
  expect(deviationOf(read, { op: 'sigmoid', x: derivation.x }, before)).toBeGreaterThan(0.1)
})

describe('rows that a product reads transposed', () => {
  test('of matrices', async () => {
    const operands = await derived([
      node('MatMul', ['x', 'w'], 'h'),
      node('Flatten', ['x'], 'right', { axis: 2n }),
      node('Flatten', ['h'], 'flat', { axis: 2n }),
      node('Tanh', ['flat'], 'left'),
      node('Gemm', ['left', 'right'], 'y', { transA: 1n }),
    ])
    expect(operands.slice(1).map(({ name }) => name)).toEqual(['a', 'b'])
    for (const { derivation, deviation } of operands.slice(1)) {
      expect(derivation?.op).toBe('transpose')
      expect(deviation).toBeLessThan(1e-6)
    }
  })

  test('of several axes', async () => {
    const operands = await derived([
      node('MatMul', ['x', 'w'], 'h'),
      node('Tanh', ['h'], 't'),
      node('Einsum', ['x', 't'], 'y', { equation: 'abc,abd->cd' }),
    ])
    const b = operands.at(-1)!
    expect(line(b.derivation)).toEqual(['transpose', 'reshape', 'tanh', 'tensor'])
    expect(b.deviation).toBeLessThan(1e-6)
  })
})
