import { describe, expect, test } from 'vitest'
import {
  Attributes,
  bytesSource,
  encodeGraph,
  encodeModel,
  graphAddition,
  join,
  type NewGraph,
  readModel,
} from '../src/index.ts'
import { decode, encode, listWithin, read, within } from './helpers.ts'

const text = (value: string) => new TextEncoder().encode(value)
const float = { dataType: 1, dims: [2n], floatData: [1, 2] }

const model = {
  irVersion: 9n,
  producerName: 'oracle',
  opsetImport: [
    { domain: '', version: 17n },
    { domain: 'com.microsoft', version: 1n },
  ],
  functions: [{ name: 'Twice', domain: 'local' }],
  graph: {
    name: 'g',
    node: [
      {
        name: 'n',
        opType: 'Op',
        domain: 'ai.onnx',
        input: ['x', '', 'w'],
        output: ['y'],
        attribute: [
          { name: 'f', type: 1, f: 0.5 },
          { name: 'i', type: 2, i: -3n },
          { name: 's', type: 3, s: text('SAME_UPPER') },
          { name: 't', type: 4, t: { ...float, name: 'inner' } },
          { name: 'g', type: 5, g: { name: 'sub', node: [{ opType: 'MatMul', input: ['x', 'w'], output: ['z'] }] } },
          { name: 'fs', type: 6, floats: [1.5, -2] },
          { name: 'is', type: 7, ints: [1n, -1n, 300n] },
          { name: 'ss', type: 8, strings: [text('a'), text('bc')] },
          { name: 'ts', type: 9, tensors: [float, float] },
          { name: 'gs', type: 10, graphs: [{ name: 'one' }, { name: 'two' }] },
          { name: 'untyped', ints: [4n] },
          { name: 'zero', type: 2 },
        ],
      },
    ],
    initializer: [{ ...float, name: 'w' }],
    sparseInitializer: [{ values: { ...float, name: 'sparse' }, dims: [9n] }],
    input: [
      {
        name: 'x',
        type: { tensorType: { elemType: 1, shape: { dim: [{ dimParam: 'batch' }, { dimValue: 3n }, {}] } } },
      },
      { name: 'rankless', type: { tensorType: { elemType: 16 } } },
      { name: 'list', type: { sequenceType: { elemType: { tensorType: { elemType: 1 } } } } },
    ],
    output: [{ name: 'y' }],
    valueInfo: [{ name: 'h', type: { tensorType: { elemType: 7, shape: { dim: [] } } } }],
  },
}

describe('readModel', () => {
  const found = read(encode('ModelProto', model))

  test('reads what another encoder writes', () => {
    expect(found).toMatchObject({ irVersion: 9, producer: 'oracle' })
    expect([...found.opsets]).toEqual([
      ['', 17],
      ['com.microsoft', 1],
    ])
    expect([...found.functions]).toEqual(['local:Twice'])
    const { graph } = found
    expect(graph.name).toBe('g')
    expect(graph.nodes).toHaveLength(1)
    expect(graph.nodes[0]).toMatchObject({
      name: 'n',
      opType: 'Op',
      domain: '',
      inputs: ['x', '', 'w'],
      outputs: ['y'],
    })
    expect([...graph.initializers.keys()]).toEqual(['w'])
    expect(graph.initializers.get('w')).toMatchObject({ type: 'float32', dims: [2] })
    expect(graph.sparseInitializers).toEqual(['sparse'])
    expect(graph.inputs).toEqual([
      { name: 'x', tensor: { type: 'float32', dims: ['batch', 3, undefined] } },
      { name: 'rankless', tensor: { type: 'bfloat16' } },
      { name: 'list' },
    ])
    expect(graph.outputs).toEqual([{ name: 'y' }])
    expect(graph.values.get('h')).toEqual({ name: 'h', tensor: { type: 'int64', dims: [] } })
  })

  test('reads every kind of attribute', () => {
    const node = found.graph.nodes[0]!
    const attributes = new Attributes(found, node)
    expect(attributes.float('f', 0)).toBe(0.5)
    expect(attributes.int('i', 0)).toBe(-3)
    expect(attributes.string('s', '')).toBe('SAME_UPPER')
    expect(attributes.floats('fs', [])).toEqual([1.5, -2])
    expect(attributes.ints('is', [])).toEqual([1, -1, 300])
    expect(attributes.ints('untyped', [])).toEqual([4])
    expect(attributes.int('zero', 5)).toBe(0)
    expect(attributes.int('absent', 5)).toBe(5)
    expect(node.attributes.get('t')).toMatchObject({ kind: 'tensor', value: { name: 'inner', dims: [2] } })
    expect(node.attributes.get('g')).toMatchObject({ kind: 'graph', value: { nodes: [{ opType: 'MatMul' }] } })
    expect(node.attributes.get('ss')).toMatchObject({ kind: 'strings', value: [{ length: 1 }, { length: 2 }] })
    expect(node.attributes.get('ts')).toMatchObject({ kind: 'tensors', value: [{ dims: [2] }, { dims: [2] }] })
    expect(node.attributes.get('gs')).toMatchObject({ kind: 'graphs', value: [{ name: 'one' }, { name: 'two' }] })
    expect(() => attributes.int('f', 0)).toThrow(/"f" of Op is of kind float, not int/)
  })

  test('reads numbers that a list packs', () => {
    // Attribute "p" of type INTS with its field 8 packed: 1, 2.
    const attribute = join([encode('AttributeProto', { name: 'p', type: 7 }), Uint8Array.of(0x42, 2, 1, 2)])
    const node = join([encode('NodeProto', { opType: 'Op' }), Uint8Array.of(0x2a, attribute.length), attribute])
    const packed = read(Uint8Array.of(0x3a, node.length + 2, 0x0a, node.length, ...node))
    expect(new Attributes(packed, packed.graph.nodes[0]!).ints('p', [])).toEqual([1, 2])
  })

  test('copies nothing of a model in memory', () => {
    const bytes = encode('ModelProto', {
      graph: { initializer: [{ name: 'w', dataType: 2, dims: [3n], rawData: text('abc') }] },
    })
    const inside = new Uint8Array(bytes.length + 5)
    inside.set(bytes, 5)
    const source = bytesSource(inside.subarray(5))
    const data = readModel(source).graph.initializers.get('w')!.data
    if (data.kind !== 'raw') throw new Error('expected raw data')
    const view = source.view(data.range.offset, data.range.length)
    expect(new TextDecoder().decode(view)).toBe('abc')
    expect(view.buffer).toBe(inside.buffer)
  })

  test('takes the last of a repeated number, and joins the pieces of a repeated message', () => {
    const bytes = join([
      encode('ModelProto', { irVersion: 3n, graph: { name: 'first', node: [{ opType: 'A' }] } }),
      encode('ModelProto', { irVersion: 8n, graph: { node: [{ opType: 'B' }] } }),
    ])
    expect(decode('ModelProto', bytes)).toMatchObject({ irVersion: 8n, graph: { name: 'first' } })
    expect(read(bytes)).toMatchObject({
      irVersion: 8,
      graph: { name: 'first', nodes: [{ opType: 'A' }, { opType: 'B' }] },
    })
  })
})

const addition: NewGraph = {
  name: 'sum',
  nodes: [
    {
      name: 'tap',
      opType: 'ReorderOutput',
      domain: 'com.microsoft.nchwc',
      inputs: ['h', ''],
      outputs: ['tapped'],
      attributes: {
        channels: 7n,
        negative: -1n,
        alpha: 0.25,
        mode: 'fast',
        axes: [1n, -2n],
        scales: [0.5, 2],
        value: { name: 'v', type: 'uint8', dims: [2], bytes: Uint8Array.of(1, 2) },
        body: { name: 'inner', outputs: [{ name: 'o' }] },
      },
    },
  ],
  initializers: [{ name: 'i', type: 'float32', dims: [1, 0], bytes: new Uint8Array(0) }],
  inputs: [
    { name: 'index', type: 'int64', dims: ['rows', 4] },
    { name: 'any', type: 'float32' },
  ],
  outputs: [{ name: 'tapped' }],
}

describe('encoding', () => {
  test('is read by another decoder', () => {
    const message = decode('GraphProto', encodeGraph(addition))
    expect(within(message, 'name')).toBe('sum')
    expect(within(message, 'node', 0)).toMatchObject({
      name: 'tap',
      opType: 'ReorderOutput',
      domain: 'com.microsoft.nchwc',
      input: ['h', ''],
      output: ['tapped'],
      attribute: [
        { name: 'channels', type: 2, i: 7n },
        { name: 'negative', type: 2, i: -1n },
        { name: 'alpha', type: 1, f: 0.25 },
        { name: 'mode', type: 3, s: text('fast') },
        { name: 'axes', type: 7, ints: [1n, -2n] },
        { name: 'scales', type: 6, floats: [0.5, 2] },
        { name: 'value', type: 4, t: { name: 'v', dataType: 2, dims: [2n], rawData: Uint8Array.of(1, 2) } },
        { name: 'body', type: 5, g: { name: 'inner', output: [{ name: 'o' }] } },
      ],
    })
    expect(within(message, 'initializer')).toMatchObject([
      { name: 'i', dataType: 1, dims: [1n, 0n], rawData: new Uint8Array(0) },
    ])
    expect(within(message, 'input')).toMatchObject([
      {
        name: 'index',
        type: { tensorType: { elemType: 7, shape: { dim: [{ dimParam: 'rows' }, { dimValue: 4n }] } } },
      },
      { name: 'any', type: { tensorType: { elemType: 1 } } },
    ])
    expect(within(message, 'input', 1, 'type', 'tensorType', 'shape')).toBeUndefined()
    expect(within(message, 'output')).toMatchObject([{ name: 'tapped' }])
  })

  test('gives whole files', () => {
    const file = encodeModel({ irVersion: 8, opsets: { '': 17, local: 2 }, graph: { nodes: addition.nodes! } })
    expect(decode('ModelProto', file)).toMatchObject({
      irVersion: 8n,
      opsetImport: [
        { domain: '', version: 17n },
        { domain: 'local', version: 2n },
      ],
      graph: { node: [{ name: 'tap' }] },
    })
  })
})

describe('graphAddition', () => {
  // Fields that no schema here knows: 26 of the model, 16 of the graph.
  const unknown = (number: number) =>
    join([Uint8Array.of(((number * 8 + 2) & 0x7f) | 0x80, (number * 8 + 2) >> 7, 3), text('abc')])
  const graph = join([encode('GraphProto', model.graph), unknown(16)])
  const original = join([
    encode('ModelProto', { irVersion: 9n, opsetImport: model.opsetImport }),
    Uint8Array.of(0x3a, (graph.length & 0x7f) | 0x80, graph.length >> 7),
    graph,
    unknown(26),
  ])
  const spliced = join([original, graphAddition(addition)])

  test('adds to the end of every list and changes nothing else', () => {
    const before = decode('ModelProto', original)
    const after = decode('ModelProto', spliced)
    expect(within(after, 'irVersion')).toBe(9n)
    expect(within(after, 'opsetImport')).toEqual(within(before, 'opsetImport'))
    for (const list of ['node', 'initializer', 'input', 'output']) {
      const added = listWithin(decode('GraphProto', encodeGraph(addition)), list)
      expect(within(after, 'graph', list)).toEqual([...listWithin(before, 'graph', list), ...added])
    }
    expect(within(after, 'graph', 'valueInfo')).toEqual(within(before, 'graph', 'valueInfo'))
    const { graph: read1 } = read(spliced)
    expect(read1.nodes.map(({ name }) => name)).toEqual(['n', 'tap'])
    expect(read1.outputs.map(({ name }) => name)).toEqual(['y', 'tapped'])
  })

  test('keeps fields that nobody here knows', () => {
    const after = decode('ModelProto', spliced)
    expect(after.$unknown).toEqual(decode('ModelProto', original).$unknown)
    expect(after.$unknown).toHaveLength(1)
    expect(within(after, 'graph', '$unknown')).toHaveLength(1)
  })
})
