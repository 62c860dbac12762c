import type { NewNode, NewTensor } from '@tensor-assay/onnx-model'
import { describe, expect, test } from 'vitest'
import type { TestModel } from '../models/index.ts'
import { floatFeed, floatTensor, int64Tensor, Numbers, node, onnxFile, tensor, weight } from '../models/writer.ts'
import { derivedOperands } from '../support/derived.ts'

interface Case {
  readonly name: string
  /** From h to z. */
  readonly nodes: readonly NewNode[]
  readonly initializers?: readonly NewTensor[]
  readonly opset?: number
  /** Of h; [2, 5, 8] unless given. */
  readonly h?: readonly [number, number, number] | readonly [number, number, number, number]
  /** Last size of z; that of h unless given. */
  readonly k?: number
  /** Factor of h. */
  readonly scale?: number
}

const numbers = new Numbers(80)
const vector = (name: string, length = 8) => floatTensor(name, [length], numbers.floats(length))
const positive = (name: string, length = 8) =>
  floatTensor(
    name,
    [length],
    numbers.floats(length, 0.4).map((x) => x + 1),
  )
const scalar = (name: string, value: number, dims: readonly number[] = []) => floatTensor(name, dims, [value])
const index = (name: string, value: number) => int64Tensor(name, [value], [])

/** Two products, and between them what is stated. */
function modelOf({ nodes, initializers = [], opset = 17, h = [2, 5, 8], k = h.at(-1)!, scale = 1 }: Case): TestModel {
  const n = h.at(-1)!
  const dims = [...h.slice(0, -1), 6]
  return {
    name: 'products',
    file: onnxFile(
      {
        nodes: [node('MatMul', ['x', 'w1'], 'h'), ...nodes, node('MatMul', ['z', 'w2'], 'y')],
        initializers: [weight(numbers, 'w1', [6, n]), weight(numbers, 'w2', [k, 3]), ...initializers],
        inputs: [{ name: 'x', type: 'float32', dims }],
        outputs: [{ name: 'y', type: 'float32' }],
      },
      { opsets: { '': opset, 'com.microsoft': 1 }, irVersion: opset > 22 ? 11 : 8 },
    ),
    feeds: { x: floatFeed(numbers, dims, scale) },
  }
}

const microsoft = 'com.microsoft'
const image = [2, 4, 3, 8] as const

const one = (opType: string, more: Partial<Case> = {}, attributes: NewNode['attributes'] = {}): Case => ({
  name: opType,
  nodes: [node(opType, ['h'], 'z', attributes)],
  ...more,
})
/** Of numbers that are positive. */
const ofPositive = (opType: string): Case => ({
  name: opType,
  nodes: [node('Abs', ['h'], 'size'), node('Add', ['size', 'half'], 'p'), node(opType, ['p'], 'z')],
  initializers: [scalar('half', 0.5)],
})
const withVector = (opType: string): Case => ({
  name: `${opType} of a vector`,
  nodes: [node(opType, ['h', 'v'], 'z')],
  initializers: [positive('v')],
})
const power = (exponent: number): Case => ({
  name: `Pow ${exponent}`,
  nodes: [node('Abs', ['h'], 'size'), node('Add', ['size', 'half'], 'p'), node('Pow', ['p', 'e'], 'z')],
  initializers: [scalar('half', 0.5), scalar('e', exponent)],
})

const views: readonly Case[] = [
  one('Identity'),
  one('Dropout'),
  one('Cast', {}, { to: 1n }),
  {
    name: 'Reshape that copies and infers sizes',
    nodes: [node('Reshape', ['h', 's'], 'z')],
    initializers: [int64Tensor('s', [0, -1, 2, 4])],
    k: 4,
  },
  {
    name: 'Reshape to what is computed of a shape',
    nodes: [
      node('Shape', ['h'], 'dims'),
      node('Gather', ['dims', 'first'], 'batch'),
      node('Unsqueeze', ['batch', 'axis'], 'batches'),
      node('Slice', ['dims', 'from', 'to'], 'last'),
      node('Div', ['last', 'two'], 'halves'),
      node('Mul', ['halves', 'ones'], 'same'),
      node('Concat', ['batches', 'any', 'same'], 's', { axis: 0n }),
      node('Reshape', ['h', 's'], 'z'),
    ],
    initializers: [
      index('first', 0),
      int64Tensor('axis', [0]),
      int64Tensor('from', [2]),
      int64Tensor('to', [3]),
      int64Tensor('two', [2]),
      int64Tensor('ones', [1]),
      int64Tensor('any', [-1]),
    ],
    k: 4,
  },
  one('Flatten', {}, { axis: 2n }),
  {
    name: 'Unsqueeze, Squeeze',
    nodes: [node('Unsqueeze', ['h', 'in'], 'wide'), node('Squeeze', ['wide', 'out'], 'z')],
    initializers: [int64Tensor('in', [0, -1]), int64Tensor('out', [-1])],
  },
  one('Transpose', { k: 2 }, { perm: [1n, 2n, 0n] }),
  one('Transpose', { name: 'Transpose without an order', k: 2 }),
  {
    name: 'Concat with a weight and of a value twice',
    nodes: [node('Concat', ['h', 'c', 'h'], 'z', { axis: -1n })],
    initializers: [floatTensor('c', [2, 5, 3], numbers.floats(30))],
    k: 19,
  },
  {
    name: 'Split in parts of stated sizes',
    nodes: [node('Split', ['h', 's'], ['first', 'z'], { axis: -1n })],
    initializers: [int64Tensor('s', [3, 5])],
    k: 5,
  },
  { name: 'Split in equal parts', nodes: [node('Split', ['h'], ['first', 'z'], { axis: 2n })], k: 4 },
  {
    name: 'Slice from both ends',
    nodes: [node('Slice', ['h', 'from', 'to', 'axes'], 'z')],
    initializers: [int64Tensor('from', [1, -6]), int64Tensor('to', [1000, -1]), int64Tensor('axes', [1, -1])],
    k: 5,
  },
  {
    name: 'Slice of operator set 9',
    nodes: [node('Slice', ['h'], 'z', { starts: [1n], ends: [4n], axes: [1n] })],
    opset: 9,
  },
  {
    name: 'Gather of one element',
    nodes: [node('Gather', ['h', 'i'], 'z', { axis: 1n })],
    initializers: [index('i', -2)],
  },
  {
    name: 'Gather of neighbours',
    nodes: [node('Gather', ['h', 'i'], 'z', { axis: 1n })],
    initializers: [int64Tensor('i', [1, 2, 3])],
  },
  {
    name: 'Expand',
    nodes: [node('Slice', ['h', 'from', 'to', 'axes'], 'row'), node('Expand', ['row', 's'], 'z')],
    initializers: [
      int64Tensor('from', [1]),
      int64Tensor('to', [2]),
      int64Tensor('axes', [1]),
      int64Tensor('s', [3, 1, 4, 1]),
    ],
  },
]

const elementwise: readonly Case[] = [
  ...['Add', 'Sub', 'Mul', 'Div', 'Max', 'Min'].map(withVector),
  {
    name: 'numbers on either side, with more axes than h',
    nodes: [node('Sub', ['n', 'h'], 'd'), node('Div', ['d', 'm'], 'z')],
    initializers: [scalar('n', 1.5, [1, 1, 1, 1]), scalar('m', 3, [1])],
  },
  {
    name: 'two values that broadcast against each other',
    nodes: [node('ReduceMax', ['h'], 'm', { axes: [1n] }), node('Mul', ['h', 'm'], 'z')],
  },
  { name: 'Sum', nodes: [node('Sum', ['h', 'v', 'h'], 'z')], initializers: [vector('v')] },
  ...[0.5, 2, 3].map(power),
  ...['Neg', 'Abs', 'Exp', 'Erf', 'Tanh', 'Sigmoid'].map((opType) => one(opType)),
  ...['Sqrt', 'Reciprocal', 'Log'].map(ofPositive),
]

const activations: readonly Case[] = [
  one('Relu'),
  one('LeakyRelu', {}, { alpha: 0.2 }),
  one('LeakyRelu', { name: 'LeakyRelu that is steep' }, { alpha: 1.5 }),
  one('Elu', {}, { alpha: 0.7 }),
  { name: 'Clip', nodes: [node('Clip', ['h', 'a', 'b'], 'z')], initializers: [scalar('a', -0.3), scalar('b', 0.4)] },
  { name: 'Clip from below', nodes: [node('Clip', ['h', 'a'], 'z')], initializers: [scalar('a', -0.3)] },
  one('Clip', { name: 'Clip of operator set 10', opset: 10 }, { min: -0.3, max: 0.4 }),
  one('HardSigmoid', { scale: 4 }, { alpha: 0.3, beta: 0.4 }),
  one('HardSwish', { scale: 4 }),
  one('Softplus', { scale: 4 }),
  one('Softsign'),
  one('Mish', { opset: 18 }),
  one('Gelu', { opset: 20 }),
  one('Gelu', { name: 'Gelu by tanh', opset: 20 }, { approximate: 'tanh' }),
  { name: 'Gelu of ONNX Runtime', nodes: [node('Gelu', ['h'], 'z', {}, microsoft)] },
  { name: 'FastGelu', nodes: [node('FastGelu', ['h'], 'z', {}, microsoft)] },
  {
    name: 'FastGelu with a bias',
    nodes: [node('FastGelu', ['h', 'v'], 'z', {}, microsoft)],
    initializers: [vector('v')],
  },
  { name: 'BiasGelu', nodes: [node('BiasGelu', ['h', 'v'], 'z', {}, microsoft)], initializers: [vector('v')] },
  { name: 'QuickGelu', nodes: [node('QuickGelu', ['h'], 'z', { alpha: 1.5 }, microsoft)] },
]

const normalizations: readonly Case[] = [
  {
    name: 'LayerNormalization',
    nodes: [node('LayerNormalization', ['h', 'g', 'b'], 'z', { epsilon: 1e-3 })],
    initializers: [positive('g'), vector('b')],
  },
  {
    name: 'LayerNormalization over two axes, without bias',
    nodes: [node('LayerNormalization', ['h', 'g'], 'z', { axis: 1n })],
    initializers: [floatTensor('g', [5, 8], numbers.floats(40))],
  },
  {
    name: 'SimplifiedLayerNormalization',
    nodes: [node('SimplifiedLayerNormalization', ['h', 'g'], 'z', { epsilon: 1e-3 })],
    initializers: [positive('g')],
  },
  {
    name: 'RMSNormalization',
    nodes: [node('RMSNormalization', ['h', 'g'], 'z', { epsilon: 1e-3 })],
    initializers: [positive('g')],
    opset: 23,
  },
  {
    name: 'SkipLayerNormalization with everything, and its sum',
    nodes: [
      node('Tanh', ['h'], 't'),
      node('SkipLayerNormalization', ['h', 't', 'g', 'b', 'v'], ['n', '', '', 's'], { epsilon: 1e-3 }, microsoft),
      node('Mul', ['n', 's'], 'z'),
    ],
    initializers: [positive('g'), vector('b'), vector('v')],
  },
  {
    name: 'SkipSimplifiedLayerNormalization with a bias, and its sum',
    nodes: [
      node('Tanh', ['h'], 't'),
      node('SkipSimplifiedLayerNormalization', ['h', 't', 'g', 'v'], ['n', '', '', 's'], { epsilon: 1e-3 }, microsoft),
      node('Mul', ['n', 's'], 'z'),
    ],
    initializers: [positive('g'), vector('v')],
  },
  {
    name: 'BatchNormalization',
    nodes: [node('BatchNormalization', ['h', 'g', 'b', 'm', 'v'], 'z', { epsilon: 1e-3 })],
    initializers: [positive('g', 4), vector('b', 4), vector('m', 4), positive('v', 4)],
    h: image,
  },
  {
    name: 'InstanceNormalization',
    nodes: [node('InstanceNormalization', ['h', 'g', 'b'], 'z', { epsilon: 1e-3 })],
    initializers: [positive('g', 4), vector('b', 4)],
    h: image,
  },
  {
    name: 'GroupNormalization',
    nodes: [node('GroupNormalization', ['h', 'g', 'b'], 'z', { epsilon: 1e-3, num_groups: 2n })],
    initializers: [positive('g', 4), vector('b', 4)],
    h: image,
    opset: 21,
  },
]

const reductions: readonly Case[] = [
  one('ReduceMean', {}, { axes: [-2n], keepdims: 0n }),
  one('ReduceMax', {}, { axes: [1n] }),
  one('ReduceL2', {}, { axes: [1n] }),
  one('ReduceSumSquare', {}, { axes: [1n] }),
  {
    name: 'ReduceSum with axes that are an input',
    nodes: [node('ReduceSum', ['h', 'axes'], 'z')],
    initializers: [int64Tensor('axes', [1, 0])],
  },
  {
    name: 'ReduceMean with axes that are an input',
    nodes: [node('ReduceMean', ['h', 'axes'], 'z', { keepdims: 0n })],
    initializers: [int64Tensor('axes', [-2])],
    opset: 18,
  },
  one('ReduceMean', { name: 'ReduceMean of everything', k: 1 }),
  one('GlobalAveragePool', { h: image, k: 1 }),
  one('GlobalMaxPool', { h: image, k: 1 }),
  one('MaxPool', { h: image, k: 4 }, { kernel_shape: [2n, 2n], strides: [2n, 2n] }),
  one('AveragePool', { h: image, k: 2 }, { kernel_shape: [1n, 3n], strides: [1n, 3n] }),
  one('Softmax', { scale: 4 }),
  one('Softmax', { name: 'Softmax over the middle' }, { axis: 1n }),
  one('Softmax', { name: 'Softmax of operator set 12', opset: 12 }, { axis: 2n }),
]

/** What optimisation leaves out. */
const removed = ['Identity', 'Dropout', 'Cast']

describe.each(['disabled', 'all'] as const)('level %s', (level) => {
  test.each([...views, ...elementwise, ...activations, ...normalizations, ...reductions])('$name', async (given) => {
    const operands = await derivedOperands(modelOf(given), level)
    const [first, second] = operands
    expect(first!.reason).toBe('input x')
    if (level === 'all' && removed.includes(given.name)) {
      expect(second!.isLinked).toBe(true)
      return
    }
    expect(second!.isLinked).toBe(false)
    expect(second!.reason).toBeUndefined()
    expect(second!.deviation).toBeLessThan(1e-6)
  })
})

describe('is not stated', () => {
  const cases: readonly (Case & { readonly reason: RegExp })[] = [
    { ...one('Round'), reason: /^Round$/ },
    { ...one('LpNormalization'), reason: /^LpNormalization$/ },
    {
      name: 'elements in other types',
      nodes: [node('Cast', ['h'], 'whole', { to: 6n }), node('Cast', ['whole'], 'z', { to: 1n })],
      reason: /type 6/,
    },
    {
      name: 'a slice in steps',
      nodes: [node('Slice', ['h', 'from', 'to', 'axes', 'steps'], 'z')],
      initializers: [
        int64Tensor('from', [0]),
        int64Tensor('to', [8]),
        int64Tensor('axes', [2]),
        int64Tensor('steps', [2]),
      ],
      k: 4,
      reason: /steps of 2/,
    },
    {
      name: 'elements that are no neighbours',
      nodes: [node('Gather', ['h', 'i'], 'z', { axis: 2n })],
      initializers: [int64Tensor('i', [1, 3])],
      k: 2,
      reason: /no neighbours/,
    },
    {
      name: 'another power',
      nodes: [node('Abs', ['h'], 'size'), node('Pow', ['size', 'e'], 'z')],
      initializers: [scalar('e', 1.5)],
      reason: /power 1.5/,
    },
    {
      name: 'a softmax over several axes',
      nodes: [node('Softmax', ['h'], 'z', { axis: 1n })],
      opset: 12,
      reason: /several axes/,
    },
    {
      ...one('MaxPool', { h: image, k: 7 }, { kernel_shape: [2n, 2n] }),
      reason: /windows that overlap/,
    },
    {
      name: 'more copies than a relation may put together',
      nodes: [node('Unsqueeze', ['h', 'first'], 'one'), node('Expand', ['one', 's'], 'z')],
      initializers: [int64Tensor('first', [0]), int64Tensor('s', [70, 1, 1, 1])],
      reason: /^70 copies/,
    },
    {
      name: 'more parts than a relation may put together',
      nodes: [node('Concat', new Array<string>(65).fill('h'), 'z', { axis: 0n })],
      reason: /^65 parts/,
    },
    {
      name: 'more axes than a relation may have',
      nodes: [node('Reshape', ['h', 's'], 'z')],
      initializers: [int64Tensor('s', [2, 5, 1, 1, 1, 1, 1, 1, 8])],
      reason: /^9 axes/,
    },
    {
      name: 'a weight in halves',
      nodes: [node('Cast', ['half'], 'v', { to: 1n }), node('Add', ['h', 'v'], 'z')],
      initializers: [tensor('half', 'float16', [8], new Uint16Array(8).fill(0x3c00))],
      reason: /float16/,
    },
    {
      name: 'a long row of steps',
      nodes: Array.from({ length: 300 }, (_, i) =>
        node('Tanh', [i === 0 ? 'h' : `t${i}`], i === 299 ? 'z' : `t${i + 1}`),
      ),
      reason: /more than 256 steps/,
    },
    {
      name: 'a longer row',
      nodes: Array.from({ length: 600 }, (_, i) =>
        node('Tanh', [i === 0 ? 'h' : `t${i}`], i === 599 ? 'z' : `t${i + 1}`),
      ),
      reason: /a long way back/,
    },
  ]
  test.each(cases)('$name', async (given) => {
    const [, second] = await derivedOperands(modelOf(given), 'disabled')
    expect(second!.derivation).toBeUndefined()
    expect(second!.reason).toMatch(given.reason)
  })
})
