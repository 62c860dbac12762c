import type { NewNode, NewTensor } from '@tensor-assay/onnx-model'
import { floatFeed, floatTensor, int64Tensor, Numbers, node, onnxFile, type TestModel, weight } from './writer.ts'

export interface TransformerOptions {
  readonly layers?: number
  readonly d?: number
  readonly heads?: number
  readonly batch?: number
  /** Positions. */
  readonly length?: number
}

/** An encoder as exporters write it: attention and LayerNorm spelled out, GELU through Erf. */
export function transformer({
  layers = 2,
  d = 32,
  heads = 4,
  batch = 2,
  length = 7,
}: TransformerOptions = {}): TestModel {
  const numbers = new Numbers(10)
  const nodes: NewNode[] = []
  const initializers: NewTensor[] = [
    int64Tensor('split', [0, 0, heads, d / heads]),
    int64Tensor('merge', [0, 0, d]),
    floatTensor('sqrt', [], [Math.sqrt(d / heads)]),
    floatTensor('sqrt2', [], [Math.SQRT2]),
    floatTensor('one', [], [1]),
    floatTensor('half', [], [0.5]),
  ]
  const ones = new Float32Array(d).fill(1)

  function linear(name: string, x: string, k: number, n: number): string {
    initializers.push(
      weight(numbers, `${name}.weight`, [k, n]),
      floatTensor(`${name}.bias`, [n], numbers.floats(n, 0.1)),
    )
    nodes.push(node('MatMul', [x, `${name}.weight`], `${name}.product`))
    nodes.push(node('Add', [`${name}.product`, `${name}.bias`], `${name}.out`))
    return `${name}.out`
  }
  function splitHeads(name: string, x: string, perm: readonly bigint[]): string {
    nodes.push(node('Reshape', [x, 'split'], `${name}.split`))
    nodes.push(node('Transpose', [`${name}.split`], `${name}.heads`, { perm }))
    return `${name}.heads`
  }
  function normalise(name: string, x: string): string {
    initializers.push(
      floatTensor(`${name}.scale`, [d], ones),
      floatTensor(`${name}.shift`, [d], numbers.floats(d, 0.1)),
    )
    nodes.push(
      node('LayerNormalization', [x, `${name}.scale`, `${name}.shift`], `${name}.out`, { axis: -1n, epsilon: 1e-5 }),
    )
    return `${name}.out`
  }

  let x = 'x'
  for (let layer = 0; layer < layers; layer++) {
    const name = (part: string) => `layer${layer}.${part}`
    const q = splitHeads(name('q'), linear(name('query'), x, d, d), [0n, 2n, 1n, 3n])
    const k = splitHeads(name('k'), linear(name('key'), x, d, d), [0n, 2n, 3n, 1n])
    const v = splitHeads(name('v'), linear(name('value'), x, d, d), [0n, 2n, 1n, 3n])
    nodes.push(node('MatMul', [q, k], name('scores')))
    nodes.push(node('Div', [name('scores'), 'sqrt'], name('scaled')))
    nodes.push(node('Softmax', [name('scaled')], name('attention'), { axis: -1n }))
    nodes.push(node('MatMul', [name('attention'), v], name('mixed')))
    nodes.push(node('Transpose', [name('mixed')], name('unsplit'), { perm: [0n, 2n, 1n, 3n] }))
    nodes.push(node('Reshape', [name('unsplit'), 'merge'], name('merged')))
    nodes.push(node('Add', [linear(name('output'), name('merged'), d, d), x], name('residual1')))
    const middle = normalise(name('norm1'), name('residual1'))
    const up = linear(name('up'), middle, d, 4 * d)
    nodes.push(node('Div', [up, 'sqrt2'], name('gelu1')))
    nodes.push(node('Erf', [name('gelu1')], name('gelu2')))
    nodes.push(node('Add', [name('gelu2'), 'one'], name('gelu3')))
    nodes.push(node('Mul', [up, name('gelu3')], name('gelu4')))
    nodes.push(node('Mul', [name('gelu4'), 'half'], name('gelu')))
    nodes.push(node('Add', [linear(name('down'), name('gelu'), 4 * d, d), middle], name('residual2')))
    x = normalise(name('norm2'), name('residual2'))
  }
  return {
    name: `transformer of ${layers} layers, d = ${d}`,
    file: onnxFile({
      nodes,
      initializers,
      inputs: [{ name: 'x', type: 'float32', dims: ['batch', 'length', d] }],
      outputs: [{ name: x, type: 'float32', dims: ['batch', 'length', d] }],
    }),
    feeds: { x: floatFeed(numbers, [batch, length, d]) },
  }
}
