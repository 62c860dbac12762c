import type { NewGraph } from '@tensor-assay/onnx-model'
import {
  count,
  floatFeed,
  floatTensor,
  int64Tensor,
  Numbers,
  node,
  onnxFile,
  type TestModel,
  tensor,
  weight,
} from './writer.ts'

/** Products inside the bodies of If and Loop, beside one outside. */
export function controlFlow(): TestModel {
  const numbers = new Numbers(40)
  const branch = (name: string): NewGraph => ({
    name,
    nodes: [node('MatMul', ['hidden', name], `${name}_out`)],
    initializers: [weight(numbers, name, [6, 4])],
    outputs: [{ name: `${name}_out`, type: 'float32' }],
  })
  const body: NewGraph = {
    name: 'body',
    nodes: [node('MatMul', ['state', 'square'], 'next'), node('Identity', ['go'], 'goOn')],
    inputs: [
      { name: 'iteration', type: 'int64', dims: [] },
      { name: 'go', type: 'bool', dims: [] },
      { name: 'state', type: 'float32', dims: ['batch', 6] },
    ],
    outputs: [
      { name: 'goOn', type: 'bool', dims: [] },
      { name: 'next', type: 'float32', dims: ['batch', 6] },
    ],
  }
  return {
    name: 'control flow',
    file: onnxFile({
      nodes: [
        node('MatMul', ['x', 'outer'], 'hidden'),
        node('If', ['condition'], 'y1', { then_branch: branch('yes'), else_branch: branch('no') }),
        node('Loop', ['trips', 'true', 'hidden'], 'y2', { body }),
      ],
      initializers: [
        weight(numbers, 'outer', [6, 6]),
        weight(numbers, 'square', [6, 6]),
        int64Tensor('trips', [3], []),
        tensor('true', 'bool', [], Uint8Array.of(1)),
      ],
      inputs: [
        { name: 'x', type: 'float32', dims: ['batch', 6] },
        { name: 'condition', type: 'bool', dims: [] },
      ],
      outputs: ['y1', 'y2'].map((name) => ({ name, type: 'float32' })),
    }),
    feeds: { x: floatFeed(numbers, [3, 6]), condition: { type: 'bool', data: Uint8Array.of(1), dims: [] } },
  }
}

/** Operators that multiply matrices inside, where no tap reaches. */
export function recurrent(): TestModel {
  const numbers = new Numbers(41)
  const [input, hidden] = [5, 4]
  const gates = (name: string, dims: readonly number[]) => floatTensor(name, dims, numbers.floats(count(dims), 0.5))
  return {
    name: 'recurrent',
    file: onnxFile({
      nodes: [
        node('LSTM', ['x', 'lw', 'lr'], 'lstm', { hidden_size: BigInt(hidden) }),
        node('GRU', ['x', 'gw', 'gr'], 'gru', { hidden_size: BigInt(hidden) }),
        node('RNN', ['x', 'rw', 'rr'], 'rnn', { hidden_size: BigInt(hidden) }),
        node('Einsum', ['x', 'e'], 'einsum', { equation: 'sbi,ij->sbj' }),
      ],
      initializers: [
        gates('lw', [1, 4 * hidden, input]),
        gates('lr', [1, 4 * hidden, hidden]),
        gates('gw', [1, 3 * hidden, input]),
        gates('gr', [1, 3 * hidden, hidden]),
        gates('rw', [1, hidden, input]),
        gates('rr', [1, hidden, hidden]),
        gates('e', [input, 3]),
      ],
      inputs: [{ name: 'x', type: 'float32', dims: ['steps', 'batch', input] }],
      outputs: ['lstm', 'gru', 'rnn', 'einsum'].map((name) => ({ name, type: 'float32' })),
    }),
    feeds: { x: floatFeed(numbers, [6, 2, input]) },
  }
}
