import type { NewNode, NewTensor } from '@tensor-assay/onnx-model'
import {
  type FileOptions,
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

type Attributes = NonNullable<NewNode['attributes']>

/** Layers as exporters write them, each with weights of its own. */
class Layers {
  readonly nodes: NewNode[] = []
  readonly initializers: NewTensor[] = []
  readonly numbers: Numbers

  constructor(seed: number) {
    this.numbers = new Numbers(seed)
  }

  op(opType: string, inputs: readonly string[], name: string, attributes: Attributes = {}, domain?: string): string {
    this.nodes.push(node(opType, inputs, name, attributes, domain))
    return name
  }

  floats(name: string, dims: readonly number[], scale = 0.3): string {
    const size = dims.reduce((product, dim) => product * dim, 1)
    this.initializers.push(floatTensor(name, dims, this.numbers.floats(size, scale)))
    return name
  }

  constant(name: string, value: number): string {
    this.initializers.push(floatTensor(name, [], [value]))
    return name
  }

  ints(name: string, values: readonly number[]): string {
    this.initializers.push(int64Tensor(name, values))
    return name
  }

  conv(x: string, name: string, dims: readonly [number, number, number, number], attributes: Attributes = {}): string {
    this.initializers.push(weight(this.numbers, `${name}.w`, dims, dims[1] * dims[2] * dims[3]))
    const pad = BigInt(Math.floor((dims[2] - 1) / 2))
    const padding = { pads: [pad, pad, pad, pad], kernel_shape: [BigInt(dims[2]), BigInt(dims[3])] }
    return this.op('Conv', [x, `${name}.w`, this.floats(`${name}.b`, [dims[0]])], name, { ...padding, ...attributes })
  }

  linear(x: string, name: string, k: number, n: number): string {
    this.initializers.push(weight(this.numbers, `${name}.w`, [k, n]))
    this.op('MatMul', [x, `${name}.w`], `${name}.product`)
    return this.op('Add', [`${name}.product`, this.floats(`${name}.b`, [n], 0.1)], name)
  }

  norm(x: string, name: string, d: number): string {
    this.initializers.push(floatTensor(`${name}.scale`, [d], new Float32Array(d).fill(1)))
    return this.op('LayerNormalization', [x, `${name}.scale`, this.floats(`${name}.shift`, [d], 0.1)], name)
  }

  heads(x: string, name: string, heads: number, width: number, perm: readonly bigint[]): string {
    this.op('Reshape', [x, this.ints(`${name}.shape`, [0, 0, heads, width])], `${name}.split`)
    return this.op('Transpose', [`${name}.split`], name, { perm })
  }

  file(
    inputs: Parameters<typeof onnxFile>[0]['inputs'],
    outputs: readonly string[],
    options?: FileOptions,
  ): Uint8Array {
    const { nodes, initializers } = this
    const graph = { nodes, initializers, ...(inputs && { inputs }) }
    return onnxFile({ ...graph, outputs: outputs.map((name) => ({ name, type: 'float32' as const })) }, options)
  }
}

/** Inverted residuals with depthwise convolutions, squeeze and excitation, and hard activations. */
export function mobileNet(): TestModel {
  const l = new Layers(60)
  const relu6 = (x: string, name: string) => l.op('Clip', [x, 'zero', 'six'], name)
  l.constant('zero', 0)
  l.constant('six', 6)
  let x = relu6(l.conv('x', 'stem', [16, 3, 3, 3], { strides: [2n, 2n] }), 'stem.relu')
  for (const [name, channels, stride] of [
    ['first', 16, 1n],
    ['second', 24, 2n],
    ['third', 24, 1n],
  ] as const) {
    const from = name === 'third' ? 24 : 16
    const up = relu6(l.conv(x, `${name}.up`, [4 * from, from, 1, 1]), `${name}.up.relu`)
    const deep = l.conv(up, `${name}.deep`, [4 * from, 1, 3, 3], { group: BigInt(4 * from), strides: [stride, stride] })
    let wide = relu6(deep, `${name}.deep.relu`)
    if (name === 'third') {
      const mean = l.op('GlobalAveragePool', [wide], `${name}.mean`)
      const small = l.op('Relu', [l.conv(mean, `${name}.squeeze`, [8, 4 * from, 1, 1])], `${name}.squeeze.relu`)
      const gate = l.op('HardSigmoid', [l.conv(small, `${name}.excite`, [4 * from, 8, 1, 1])], `${name}.gate`)
      wide = l.op('Mul', [wide, gate], `${name}.gated`)
    }
    const down = l.conv(wide, `${name}.down`, [channels, 4 * from, 1, 1])
    x = channels === from ? l.op('Add', [down, x], `${name}.sum`) : down
  }
  const head = l.conv(x, 'head', [40, 24, 1, 1])
  const swish = l.op('Mul', [head, l.op('Sigmoid', [head], 'head.sigmoid')], 'head.swish')
  l.op('Flatten', [l.op('GlobalAveragePool', [swish], 'mean')], 'features')
  l.linear('features', 'y', 40, 10)
  return {
    name: 'mobilenet',
    file: l.file([{ name: 'x', type: 'float32', dims: ['batch', 3, 32, 32] }], ['y']),
    feeds: { x: floatFeed(l.numbers, [2, 3, 32, 32]) },
  }
}

/** Patches by a strided convolution, a class token, attention by one matrix for queries, keys and values, GELU. */
export function visionTransformer(): TestModel {
  const l = new Layers(61)
  const [d, heads] = [24, 3]
  l.conv('x', 'patches', [d, 3, 8, 8], { strides: [8n, 8n], pads: [0n, 0n, 0n, 0n] })
  l.op('Reshape', ['patches', l.ints('flat', [0, d, -1])], 'flattened')
  l.op('Transpose', ['flattened'], 'tokens', { perm: [0n, 2n, 1n] })
  l.op('Shape', ['tokens'], 'shape')
  l.op('Gather', ['shape', l.ints('first', [0])], 'batch')
  l.op('Concat', ['batch', l.ints('one', [1, d])], 'class.shape', { axis: 0n })
  l.op('Expand', [l.floats('class', [1, 1, d]), 'class.shape'], 'class.token')
  l.op('Concat', ['class.token', 'tokens'], 'sequence', { axis: 1n })
  let x = l.op('Add', ['sequence', l.floats('positions', [1, 17, d])], 'embedded')
  for (const layer of [0, 1]) {
    const name = (part: string) => `${layer}.${part}`
    const qkv = l.linear(l.norm(x, name('norm1'), d), name('qkv'), d, 3 * d)
    l.op('Reshape', [qkv, l.ints(name('split'), [0, 0, 3, heads, d / heads])], name('separate'))
    l.op('Transpose', [name('separate')], name('turned'), { perm: [2n, 0n, 3n, 1n, 4n] })
    const [q, k, v] = [0, 1, 2].map((i) => {
      l.initializers.push(int64Tensor(name(`index${i}`), [i], []))
      return l.op('Gather', [name('turned'), name(`index${i}`)], name(`part${i}`), { axis: 0n })
    })
    l.op('Transpose', [k!], name('keys'), { perm: [0n, 1n, 3n, 2n] })
    l.op('MatMul', [q!, name('keys')], name('scores'))
    l.op('Mul', [name('scores'), l.constant(name('scale'), 1 / Math.sqrt(d / heads))], name('scaled'))
    l.op('Softmax', [name('scaled')], name('attention'), { axis: -1n })
    l.op('MatMul', [name('attention'), v!], name('mixed'))
    l.op('Transpose', [name('mixed')], name('unsplit'), { perm: [0n, 2n, 1n, 3n] })
    l.op('Reshape', [name('unsplit'), l.ints(name('merge'), [0, 0, d])], name('merged'))
    const middle = l.op('Add', [x, l.linear(name('merged'), name('project'), d, d)], name('residual1'))
    const up = l.linear(l.norm(middle, name('norm2'), d), name('up'), d, 4 * d)
    const gelu = l.op('Gelu', [up], name('gelu'), { approximate: 'none' })
    x = l.op('Add', [middle, l.linear(gelu, name('down'), 4 * d, d)], name('residual2'))
  }
  l.initializers.push(int64Tensor('zero', [0], []))
  l.op('Gather', [l.norm(x, 'norm', d), 'zero'], 'token', { axis: 1n })
  l.op('Gemm', ['token', l.floats('head.w', [10, d]), l.floats('head.b', [10])], 'y', { transB: 1n })
  return {
    name: 'vision transformer',
    file: l.file([{ name: 'x', type: 'float32', dims: ['batch', 3, 32, 32] }], ['y'], {
      opsets: { '': 20 },
      irVersion: 9,
    }),
    feeds: { x: floatFeed(l.numbers, [2, 3, 32, 32]) },
  }
}

/** Token embeddings, a mask, and attention in the form that ONNX Runtime makes one operator of. */
export function bert(): TestModel {
  const l = new Layers(62)
  const [d, heads, length, vocabulary] = [64, 2, 6, 30]
  l.op('Gather', [l.floats('words', [vocabulary, d]), 'ids'], 'word')
  l.op('Add', ['word', l.floats('positions', [1, length, d])], 'embedded')
  l.op('Cast', ['mask'], 'mask.float', { to: 1n })
  l.op('Unsqueeze', ['mask.float', l.ints('axes', [1, 2])], 'mask.wide')
  l.op('Sub', [l.constant('one', 1), 'mask.wide'], 'mask.inverse')
  l.op('Mul', ['mask.inverse', l.constant('low', -10000)], 'mask.added')
  let x = l.norm('embedded', 'norm', d)
  for (const layer of [0, 1]) {
    const name = (part: string) => `${layer}.${part}`
    const q = l.heads(l.linear(x, name('query'), d, d), name('q'), heads, d / heads, [0n, 2n, 1n, 3n])
    const k = l.heads(l.linear(x, name('key'), d, d), name('k'), heads, d / heads, [0n, 2n, 3n, 1n])
    const v = l.heads(l.linear(x, name('value'), d, d), name('v'), heads, d / heads, [0n, 2n, 1n, 3n])
    l.op('MatMul', [q, k], name('scores'))
    l.op('Div', [name('scores'), l.constant(name('root'), Math.sqrt(d / heads))], name('scaled'))
    l.op('Add', [name('scaled'), 'mask.added'], name('masked'))
    l.op('Softmax', [name('masked')], name('attention'), { axis: -1n })
    l.op('MatMul', [name('attention'), v], name('mixed'))
    l.op('Transpose', [name('mixed')], name('unsplit'), { perm: [0n, 2n, 1n, 3n] })
    l.op('Reshape', [name('unsplit'), l.ints(name('merge'), [0, 0, d])], name('merged'))
    l.op('Add', [l.linear(name('merged'), name('output'), d, d), x], name('residual1'))
    const middle = l.norm(name('residual1'), name('norm1'), d)
    const up = l.linear(middle, name('up'), d, 2 * d)
    l.op('Add', [l.linear(l.op('Relu', [up], name('relu')), name('down'), 2 * d, d), middle], name('residual2'))
    x = l.norm(name('residual2'), name('norm2'), d)
  }
  l.initializers.push(int64Tensor('start', [0], []))
  l.op('Gather', [x, 'start'], 'first', { axis: 1n })
  l.op('Tanh', [l.linear('first', 'pooler', d, d)], 'pooled')
  // The head is the transposed table of words.
  l.op('Transpose', ['words'], 'words.transposed', { perm: [1n, 0n] })
  l.op('MatMul', [x, 'words.transposed'], 'y')
  const ids = Int32Array.from(l.numbers.ints(2 * length, 0, vocabulary - 1))
  const mask = Int32Array.from({ length: 2 * length }, (_, i) => (i % length < 4 ? 1 : 0))
  return {
    name: 'bert',
    file: l.file(
      [
        { name: 'ids', type: 'int32', dims: ['batch', length] },
        { name: 'mask', type: 'int32', dims: ['batch', length] },
      ],
      ['y', 'pooled'],
    ),
    feeds: {
      ids: { type: 'int32', data: ids, dims: [2, length] },
      mask: { type: 'int32', data: mask, dims: [2, length] },
    },
  }
}

/** A decoder with keys and values of the tokens before, as inputs and as outputs. */
export function decoder(): TestModel {
  const l = new Layers(63)
  const [d, heads, past] = [32, 4, 5]
  const width = d / heads
  const outputs: string[] = []
  let x = 'x'
  for (const layer of [0, 1]) {
    const name = (part: string) => `${layer}.${part}`
    const qkv = l.op(
      'Gemm',
      [
        l.op('Reshape', [l.norm(x, name('norm1'), d), l.ints(name('rows'), [-1, d])], name('flat')),
        l.floats(name('qkv.w'), [d, 3 * d]),
        l.floats(name('qkv.b'), [3 * d]),
      ],
      name('qkv'),
    )
    l.op('Reshape', [qkv, l.ints(name('batched'), [2, -1, 3 * d])], name('qkv.batched'))
    l.nodes.push(
      node('Split', [name('qkv.batched'), l.ints(name('sizes'), [d, d, d])], [name('q0'), name('k0'), name('v0')], {
        axis: 2n,
      }),
    )
    const q = l.heads(name('q0'), name('q'), heads, width, [0n, 2n, 1n, 3n])
    const k = l.heads(name('k0'), name('k'), heads, width, [0n, 2n, 1n, 3n])
    const v = l.heads(name('v0'), name('v'), heads, width, [0n, 2n, 1n, 3n])
    const keys = l.op('Concat', [`past.${layer}.key`, k], name('present.key'), { axis: 2n })
    const values = l.op('Concat', [`past.${layer}.value`, v], name('present.value'), { axis: 2n })
    outputs.push(keys, values)
    l.op('Transpose', [keys], name('turned'), { perm: [0n, 1n, 3n, 2n] })
    l.op('MatMul', [q, name('turned')], name('scores'))
    l.op('Div', [name('scores'), l.constant(name('root'), Math.sqrt(width))], name('scaled'))
    l.op('Softmax', [name('scaled')], name('attention'), { axis: -1n })
    l.op('MatMul', [name('attention'), values], name('mixed'))
    l.op('Transpose', [name('mixed')], name('unsplit'), { perm: [0n, 2n, 1n, 3n] })
    l.op('Reshape', [name('unsplit'), l.ints(name('merge'), [0, 0, d])], name('merged'))
    const middle = l.op('Add', [x, l.linear(name('merged'), name('project'), d, d)], name('residual1'))
    const up = l.linear(l.norm(middle, name('norm2'), d), name('up'), d, 4 * d)
    // GELU by tanh, as GPT-2 has it.
    l.op('Pow', [up, l.constant(name('three'), 3)], name('cube'))
    l.op('Mul', [name('cube'), l.constant(name('c1'), 0.044715)], name('small'))
    l.op('Add', [up, name('small')], name('inner'))
    l.op('Mul', [name('inner'), l.constant(name('c2'), Math.sqrt(2 / Math.PI))], name('turn'))
    l.op('Tanh', [name('turn')], name('tanh'))
    l.op('Add', [name('tanh'), l.constant(name('one'), 1)], name('shift'))
    l.op('Mul', [up, name('shift')], name('twice'))
    l.op('Mul', [name('twice'), l.constant(name('half'), 0.5)], name('gelu'))
    x = l.op('Add', [middle, l.linear(name('gelu'), name('down'), 4 * d, d)], name('residual2'))
  }
  l.op('MatMul', [l.norm(x, 'norm', d), l.floats('head', [d, 20])], 'y')
  const cache = [0, 1].flatMap((layer) => [`past.${layer}.key`, `past.${layer}.value`])
  return {
    name: 'decoder',
    file: l.file(
      [
        { name: 'x', type: 'float32', dims: [2, 'length', d] },
        ...cache.map((name) => ({ name, type: 'float32' as const, dims: [2, heads, 'past', width] })),
      ],
      ['y', ...outputs],
    ),
    feeds: {
      x: floatFeed(l.numbers, [2, 1, d]),
      ...Object.fromEntries(cache.map((name) => [name, floatFeed(l.numbers, [2, heads, past, width])])),
    },
  }
}

/** Down, and up again by transposed convolutions and by resizing, with what was there before beside it. */
export function uNet(): TestModel {
  const l = new Layers(64)
  const relu = (x: string) => l.op('Relu', [x], `${x}.relu`)
  const top = relu(l.conv('x', 'top', [16, 3, 3, 3]))
  const half = l.op('MaxPool', [top], 'half', { kernel_shape: [2n, 2n], strides: [2n, 2n] })
  const middle = relu(l.conv(half, 'middle', [32, 16, 3, 3]))
  const quarter = l.op('MaxPool', [middle], 'quarter', { kernel_shape: [2n, 2n], strides: [2n, 2n] })
  const bottom = relu(l.conv(quarter, 'bottom', [32, 32, 3, 3]))
  const up = l.op('ConvTranspose', [bottom, l.floats('up.w', [32, 32, 2, 2]), l.floats('up.b', [32])], 'up', {
    strides: [2n, 2n],
  })
  const joined = relu(l.conv(l.op('Concat', [up, middle], 'beside', { axis: 1n }), 'joined', [16, 64, 3, 3]))
  l.initializers.push(floatTensor('scales', [4], [1, 1, 2, 2]))
  const resized = l.op('Resize', [joined, '', 'scales'], 'resized', { mode: 'nearest' })
  const last = relu(l.conv(l.op('Concat', [resized, top], 'beside2', { axis: 1n }), 'last', [16, 32, 3, 3]))
  l.conv(last, 'y', [2, 16, 1, 1])
  return {
    name: 'u-net',
    file: l.file([{ name: 'x', type: 'float32', dims: [1, 3, 16, 16] }], ['y']),
    feeds: { x: floatFeed(l.numbers, [1, 3, 16, 16]) },
  }
}

/** Dense blocks: batch normalisation first, and everything before beside what comes next; channels that are shuffled. */
export function denseNet(): TestModel {
  const l = new Layers(65)
  const normalised = (x: string, name: string, channels: number) => {
    const vectors = ['scale', 'shift', 'mean'].map((part) => l.floats(`${name}.${part}`, [channels]))
    l.initializers.push(floatTensor(`${name}.var`, [channels], new Float32Array(channels).fill(0.7)))
    return l.op('BatchNormalization', [x, ...vectors, `${name}.var`], name)
  }
  let x = l.conv('x', 'stem', [16, 3, 3, 3])
  for (const [i, channels] of [16, 24, 32].entries()) {
    const next = l.op('Relu', [normalised(x, `norm${i}`, channels)], `relu${i}`)
    const grown = l.conv(
      l.op('Relu', [l.conv(next, `narrow${i}`, [16, channels, 1, 1])], `narrow${i}.relu`),
      `grown${i}`,
      [8, 16, 3, 3],
    )
    x = l.op('Concat', [x, grown], `dense${i}`, { axis: 1n })
  }
  l.op('Reshape', [x, l.ints('groups', [0, 2, 20, 8, 8])], 'grouped')
  l.op('Transpose', ['grouped'], 'shuffled', { perm: [0n, 2n, 1n, 3n, 4n] })
  l.op('Reshape', ['shuffled', l.ints('ungrouped', [0, 40, 8, 8])], 'mixed')
  const last = l.conv('mixed', 'last', [40, 20, 3, 3], { group: 2n })
  l.op('ReduceMean', [last], 'y', { axes: [2n, 3n], keepdims: 0n })
  return {
    name: 'densenet',
    file: l.file([{ name: 'x', type: 'float32', dims: ['batch', 3, 8, 8] }], ['y']),
    feeds: { x: floatFeed(l.numbers, [2, 3, 8, 8]) },
  }
}

/** A classifier as exporters of 2018 wrote it: operator set 7, weights among the inputs, nodes without names. */
export function old(): TestModel {
  const l = new Layers(66)
  const nameless = (opType: string, inputs: readonly string[], output: string, attributes: Attributes = {}) => {
    l.nodes.push({ name: '', opType, inputs, outputs: [output], attributes })
    return output
  }
  const w1 = l.floats('w1', [8, 1, 5, 5])
  const vectors = ['scale', 'shift', 'mean'].map((part) => l.floats(part, [8]))
  l.initializers.push(floatTensor('var', [8], new Float32Array(8).fill(1.3)))
  nameless('Conv', ['x', w1], 'c1', { auto_pad: 'SAME_UPPER', kernel_shape: [5n, 5n] })
  nameless('BatchNormalization', ['c1', ...vectors, 'var'], 'n1', { epsilon: 1e-5 })
  nameless('Relu', ['n1'], 'r1')
  nameless('MaxPool', ['r1'], 'p1', { kernel_shape: [2n, 2n], strides: [2n, 2n] })
  nameless('Dropout', ['p1'], 'd1', { ratio: 0.5 })
  nameless('Reshape', ['d1', l.ints('shape', [0, -1])], 'flat')
  nameless('Gemm', ['flat', l.floats('w2', [32, 72]), l.floats('b2', [32])], 'g1', { transB: 1n })
  nameless('LeakyRelu', ['g1'], 'r2', { alpha: 0.1 })
  const value = tensor('w3.value', 'float32', [32, 10], l.numbers.floats(320, 0.3))
  nameless('Constant', [], 'w3', { value })
  nameless('MatMul', ['r2', 'w3'], 'm1')
  nameless('Add', ['m1', l.floats('b3', [10])], 'a1')
  nameless('Softmax', ['a1'], 'y', { axis: 1n })
  const weights = l.initializers.map(({ name, type, dims }) => ({ name, type, dims }))
  return {
    name: 'operator set 7',
    file: l.file([{ name: 'x', type: 'float32', dims: [2, 1, 6, 6] }, ...weights], ['y'], {
      opsets: { '': 7 },
      irVersion: 3,
    }),
    feeds: { x: floatFeed(l.numbers, [2, 1, 6, 6]) },
  }
}

/** Depthwise convolutions whose channels fill no whole block of 16, gates, and Swish. */
export function efficientNet(): TestModel {
  const l = new Layers(67)
  const swish = (x: string) => l.op('Mul', [x, l.op('Sigmoid', [x], `${x}.sigmoid`)], `${x}.swish`)
  let x = swish(l.conv('x', 'stem', [24, 3, 3, 3], { strides: [2n, 2n] }))
  for (const i of [1, 2]) {
    const up = swish(l.conv(x, `up${i}`, [72, 24, 1, 1]))
    const deep = swish(l.conv(up, `deep${i}`, [72, 1, 5, 5], { group: 72n }))
    const small = swish(l.conv(l.op('GlobalAveragePool', [deep], `mean${i}`), `squeeze${i}`, [6, 72, 1, 1]))
    const gate = l.op('Sigmoid', [l.conv(small, `excite${i}`, [72, 6, 1, 1])], `gate${i}`)
    const down = l.conv(l.op('Mul', [deep, gate], `gated${i}`), `down${i}`, [24, 72, 1, 1])
    x = l.op('Add', [down, x], `sum${i}`)
  }
  l.op('Flatten', [l.op('GlobalAveragePool', [l.conv(x, 'head', [40, 24, 1, 1])], 'mean')], 'features')
  l.op('Gemm', ['features', l.floats('y.w', [40, 7]), l.floats('y.b', [7])], 'y')
  return {
    name: 'efficientnet',
    file: l.file([{ name: 'x', type: 'float32', dims: ['batch', 3, 16, 16] }], ['y']),
    feeds: { x: floatFeed(l.numbers, [1, 3, 16, 16]) },
  }
}

/** Factors and terms for each channel behind convolutions, one and several, which become part of the filters. */
export function foldedConvolutions(): TestModel {
  const l = new Layers(68)
  l.initializers.push(weight(l.numbers, 'bare.w', [16, 8, 3, 3], 72))
  l.op('Conv', ['x', 'bare.w'], 'bare')
  const first = l.op('Relu', [l.op('Add', ['bare', l.floats('term', [16, 1, 1])], 'added')], 'first')
  const scaled = l.op('Mul', [l.conv(first, 'second', [16, 16, 1, 1]), l.floats('factor', [16, 1, 1])], 'scaled')
  l.op('Mul', [l.conv(scaled, 'third', [16, 16, 1, 1]), l.floats('factor2', [1, 16, 1, 1])], 'scaled2')
  const both = l.op('Add', ['scaled2', l.floats('term2', [1, 16, 1, 1])], 'both')
  l.op('Tanh', [l.conv(both, 'fourth', [8, 16, 3, 3])], 'y')
  return {
    name: 'folded convolutions',
    file: l.file([{ name: 'x', type: 'float32', dims: [1, 8, 10, 10] }], ['y']),
    feeds: { x: floatFeed(l.numbers, [1, 8, 10, 10]) },
  }
}
