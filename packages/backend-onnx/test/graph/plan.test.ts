import { bytesSource, encodeModel, type NewGraph, type NewNode, readModel } from '@tensor-assay/onnx-model'
import { describe, expect, test } from 'vitest'
import { type GraphPlan, planGraph } from '../../src/graph/plan.ts'
import { floatTensor, node } from '../models/writer.ts'

function plan(graph: NewGraph): GraphPlan {
  return planGraph(readModel(bytesSource(encodeModel({ irVersion: 8, opsets: { '': 17 }, graph }))))
}

const w = floatTensor('w', [2, 2], [1, 2, 3, 4])
const x = { name: 'x', type: 'float32' as const, dims: ['batch', 2] }

/** The plan of one node that reads x and w. */
function planOf(opType: string, options: Partial<NewNode> = {}, graph: NewGraph = {}): GraphPlan {
  const nodes = [{ name: 'n', opType, inputs: ['x', 'w'], outputs: ['y'], ...options }]
  return plan({ nodes, initializers: [w], inputs: [x], outputs: [{ name: 'y' }], ...graph })
}

describe('taps', () => {
  test('are what nodes compute and products read or write', () => {
    const { taps, constants, origin, products } = plan({
      nodes: [
        node('Relu', ['x'], 'h'),
        node('Transpose', ['w'], 'wt'),
        node('MatMul', ['h', 'wt'], 'p'),
        node('MatMul', ['p', 'w'], 'q'),
        node('Softmax', ['q'], 's'),
        node('MatMul', ['s', 'p'], 'y'),
        node('MatMul', ['x', 'default'], 'z'),
      ],
      initializers: [w, floatTensor('default', [2, 2], [1, 2, 3, 4])],
      inputs: [x, { name: 'default', type: 'float32', dims: [2, 2] }],
      outputs: [{ name: 'y' }],
    })
    expect([...taps].sort()).toEqual(['h', 'p', 'q', 's', 'y', 'z'])
    expect(constants).toEqual(['wt'])
    const names = ['x', 'w', 'default', 'wt', 'h', 'y'] as const
    expect(names.map(origin)).toEqual(['input', 'initializer', 'initializer', 'constant', 'computed', 'computed'])
    expect(products.map((product) => product.node)).toEqual(['z/MatMul', 'p/MatMul', 'q/MatMul', 'y/MatMul'])
  })

  test('random numbers and graphs within nodes are not constant', () => {
    const { constants, origin } = plan({
      nodes: [
        node('RandomNormal', [], 'r', { shape: [2n, 2n] }),
        node('If', ['flag'], 'i', { then_branch: { outputs: [{ name: 'x' }] }, else_branch: {} }),
        node('Constant', [], 'c', { value: w }),
        node('MatMul', ['x', 'r'], 'y1'),
        node('MatMul', ['x', 'i'], 'y2'),
        node('MatMul', ['x', 'c'], 'y3'),
      ],
      initializers: [w, { name: 'flag', type: 'bool', dims: [], bytes: Uint8Array.of(1) }],
      inputs: [x],
    })
    expect(constants).toEqual(['c'])
    expect(['r', 'i'].map(origin)).toEqual(['computed', 'computed'])
  })

  test('names of ours are new ones', () => {
    const dynamic = { domain: 'com.microsoft', inputs: ['x', 'w', 's'] }
    const taken = { name: 'tensor-assay/y/rounded', type: 'float32' as const, dims: [2, 2] }
    const { added, products } = planOf('DynamicQuantizeMatMul', dynamic, { inputs: [x, taken] })
    if (process.arch === 'arm64') return console.log('skipped: DynamicQuantizeMatMul is opaque on arm64')
    expect(added).toHaveLength(1)
    expect(added[0]!.outputs).toEqual(["tensor-assay/y/rounded'", 'tensor-assay/y/scale', 'tensor-assay/y/zero-point'])
    expect(products[0]!.statement).toMatchObject({
      a: "tensor-assay/y/rounded'",
      zeroPoints: { a: 'tensor-assay/y/zero-point' },
      factors: [{ value: 'tensor-assay/y/scale' }, { value: 's' }],
      arithmetic: 'integer',
    })
  })

  test('nodes without a name, or with that of another, are told apart', () => {
    const nodes = ['y', 'z', 'u', 'v'].map((output, i) => {
      return { name: i < 2 ? 'same' : '', opType: 'MatMul', inputs: ['x', 'w'], outputs: [output] }
    })
    const { products } = plan({ nodes, initializers: [w], inputs: [x] })
    expect(products.map((product) => product.node)).toEqual(['MatMul:u', 'MatMul:v', 'same', 'same#2'])
  })

  test('products come in the same order however the graph lists its nodes', () => {
    const nodes = [node('MatMul', ['x', 'w'], 'b'), node('MatMul', ['x', 'w'], 'a'), node('MatMul', ['b', 'w'], 'c')]
    const orders = [nodes, [nodes[1]!, nodes[0]!, nodes[2]!], [nodes[0]!, nodes[2]!, nodes[1]!]]
    for (const listed of orders) {
      const { products } = plan({ nodes: listed, initializers: [w], inputs: [x] })
      expect(products.map(({ statement }) => statement.c)).toEqual(['a', 'b', 'c'])
    }
  })
})

describe('statements', () => {
  const statementOf = (opType: string, options: Partial<NewNode>, graph?: NewGraph) => {
    return planOf(opType, options, graph).products[0]?.statement
  }

  test('attributes of Gemm and its fusions', () => {
    const gemm = statementOf('FusedGemm', {
      domain: 'com.microsoft',
      inputs: ['x', 'w', 'b'],
      attributes: { alpha: 0.5, beta: 2, transA: 1n, transB: 1n, activation: 'LeakyRelu', activation_alpha: 0.25 },
    })
    expect(gemm).toMatchObject({
      form: { transposeA: true, transposeB: true },
      alpha: 0.5,
      beta: 2,
      bias: 'b',
      activation: { name: 'leakyrelu', alpha: 0.25 },
    })
    // A bias times 0 is none.
    expect(statementOf('Gemm', { inputs: ['x', 'w', 'b'], attributes: { beta: 0 } })).not.toHaveProperty('bias')
    const clip = { activation: 'Clip', activation_params: [0, 6] }
    const fused = { domain: 'com.microsoft', attributes: clip }
    expect(statementOf('FusedConv', fused)?.activation).toEqual({ name: 'clip', least: 0, most: 6 })
  })

  test('inputs of the quantised operators', () => {
    const q = { inputs: ['x', 'xs', 'xz', 'w', 'ws', 'wz', 'ys', 'yz', 'b'] }
    expect(statementOf('QLinearConv', q)).toMatchObject({
      a: 'x',
      b: { value: 'w' },
      zeroPoints: { a: 'xz', b: 'wz', c: 'yz' },
      factors: [
        { value: 'xs', inverse: false },
        { value: 'ws', inverse: false },
        { value: 'ys', inverse: true },
      ],
      bias: 'b',
      biasBeforeScale: true,
    })
    const gemm = statementOf('QGemm', { domain: 'com.microsoft', inputs: ['x', 'xs', '', 'w', 'ws', 'wz'] })
    expect(gemm).toMatchObject({ zeroPoints: { b: 'wz' }, factors: [{ value: 'xs' }, { value: 'ws' }] })
    expect(gemm?.zeroPoints).not.toHaveProperty('a')
    const float = statementOf('MatMulIntegerToFloat', {
      domain: 'com.microsoft',
      inputs: ['x', 'w', 'xs', 'ws', '', '', 'b'],
    })
    expect(float).toMatchObject({ bias: 'b', biasBeforeScale: false, zeroPoints: {} })
  })

  test('channels that come last are put in front', () => {
    const filters = { name: 'f', type: 'int8' as const, dims: [4, 2, 3, 3], bytes: new Uint8Array(72) }
    const inputs = ['x', 'xs', 'xz', 'f', 'ws', 'wz', 'ys', 'yz']
    const options = { domain: 'com.microsoft', inputs, attributes: { channels_last: 1n } }
    const { added, products, taps } = planOf('QLinearConv', options, { initializers: [filters] })
    expect(added.map(({ opType, inputs, attributes }) => ({ opType, inputs, attributes }))).toEqual([
      { opType: 'Transpose', inputs: ['x'], attributes: { perm: [0n, 3n, 1n, 2n] } },
      { opType: 'Transpose', inputs: ['y'], attributes: { perm: [0n, 3n, 1n, 2n] } },
    ])
    expect(products[0]!.statement).toMatchObject({ a: added[0]!.outputs[0], c: added[1]!.outputs[0] })
    expect(taps).toEqual(expect.arrayContaining([added[0]!.outputs[0], added[1]!.outputs[0]]))
  })
})

describe('what cannot be stated', () => {
  const opaque: [string, Partial<NewNode>, RegExp, NewGraph?][] = [
    ['Gemm', { inputs: ['x', 'w', 'b'] }, /a bias of shape \[2,2\]/, { initializers: [w, { ...w, name: 'b' }] }],
    ['FusedGemm', { domain: 'com.microsoft', attributes: { activation: 'Selu' } }, /activation Selu/],
    ['FusedConv', { domain: 'com.microsoft', attributes: { activation: 'Clip' } }, /without its two bounds/],
    ['FusedMatMul', { domain: 'com.microsoft', attributes: { transBatchA: 1n } }, /batch dimension is not in front/],
    ['Conv', { attributes: { auto_pad: 'WRONG' } }, /auto_pad WRONG/],
    ['MatMulNBits', { domain: 'com.microsoft', inputs: ['x', 'w', 's', '', 'g'] }, /reordered/],
    ['MatMulNBits', { domain: 'com.microsoft', inputs: ['x', 'w', 's'], attributes: { bits: 3n } }, /3 bits/],
    ['Einsum', { attributes: { equation: 'ij,jk->ki' } }, /permuted/],
    ['Einsum', { inputs: ['x'], attributes: { equation: 'ij->i' } }, /of 1 operands/],
    ['Conv', { domain: 'com.microsoft.nchwc' }, /blocked filters that are not in the model/],
    ['Conv', { domain: 'com.ms.internal.nhwc', inputs: ['x', 'x'] }, /unknown number of dimensions/],
    ['ConvTranspose', {}, /overlapping/],
    ['LSTM', {}, /every step/],
    ['Attention', { domain: 'com.microsoft' }, /disable_specified_optimizers/],
    ['Attention', {}, /attention in one operator/],
    ['BrandNewMatMul', { domain: 'com.microsoft' }, /does not know/],
    ['Anything', { domain: 'of.somebody' }, /does not know/],
  ]
  for (const [opType, options, reason, graph] of opaque) {
    test(`${options.domain ?? ''} ${opType}: ${reason.source}`, () => {
      const found = planOf(opType, options, graph)
      expect(found.products).toEqual([])
      expect(found.opaque).toEqual([
        {
          node: 'n',
          operation: options.domain === undefined ? opType : `${options.domain}.${opType}`,
          reason: expect.stringMatching(reason),
        },
      ])
      expect(found.taps).toEqual([])
    })
  }

  test('products within bodies, at any depth, are counted', () => {
    const inner: NewGraph = {
      nodes: [node('MatMul', ['x', 'w'], 'a'), node('Conv', ['x', 'w'], 'b'), node('Add', ['a', 'b'], 'c')],
    }
    const outer: NewGraph = { nodes: [node('If', ['f'], 'd', { then_branch: inner, else_branch: inner })] }
    const found = planOf('Loop', { attributes: { body: outer } })
    expect(found.opaque).toEqual([
      { node: 'n', operation: 'Loop', reason: expect.stringMatching(/^4 products in its bodies/) },
    ])
    expect(planOf('Loop', { attributes: { body: { nodes: [node('Add', ['x', 'w'], 'a')] } } }).opaque).toEqual([])
  })

  test('operators that multiply nothing are left out', () => {
    for (const [opType, domain] of [['Add'], ['Softmax'], ['SkipLayerNormalization', 'com.microsoft']] as const) {
      expect(planOf(opType, domain === undefined ? {} : { domain })).toMatchObject({ products: [], opaque: [] })
    }
  })

  test('an attribute of the wrong kind is the model’s fault', () => {
    expect(() => planOf('Gemm', { attributes: { transA: 'yes' } })).toThrow(
      expect.objectContaining({
        code: 'model-malformed',
        message: expect.stringMatching(/"transA" of Gemm is of kind string/),
      }),
    )
  })
})
