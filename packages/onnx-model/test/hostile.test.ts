import { AssayError } from '@tensor-assay/core'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  Attributes,
  bytesField,
  bytesSource,
  encodeModel,
  intField,
  join,
  maxGraphDepth,
  maxModelItems,
  maxTextBytes,
  type NewGraph,
  type OnnxGraph,
  type OnnxModel,
  readModel,
  tensorBytes,
} from '../src/index.ts'
import { encode, expectError, read } from './helpers.ts'

const valid = encodeModel({
  irVersion: 8,
  opsets: { '': 17 },
  graph: {
    name: 'g',
    nodes: [
      {
        name: 'n',
        opType: 'Conv',
        inputs: ['x', 'w'],
        outputs: ['y'],
        attributes: {
          pads: [1n, 1n],
          alpha: 0.5,
          mode: 'm',
          branch: { name: 't', outputs: [{ name: 'o' }] },
          fs: [1.5],
        },
      },
    ],
    initializers: [{ name: 'w', type: 'float32', dims: [2, 1], bytes: new Uint8Array(8) }],
    inputs: [{ name: 'x', type: 'float32', dims: ['b', 2] }],
    outputs: [{ name: 'y' }],
  },
})

/** Reads everything there is to read. */
function readAll(bytes: Uint8Array): OnnxModel {
  const model = readModel(bytesSource(bytes))
  visit(model.graph)
  return model

  function visit(graph: OnnxGraph): void {
    for (const tensor of graph.initializers.values()) tensorBytes(model.source, tensor)
    for (const node of graph.nodes) {
      const attributes = new Attributes(model, node)
      for (const [name, { kind }] of node.attributes) {
        if (kind === 'ints') attributes.ints(name, [])
        if (kind === 'floats') attributes.floats(name, [])
        if (kind === 'string') attributes.string(name, '')
      }
      for (const attribute of node.attributes.values()) if (attribute.kind === 'graph') visit(attribute.value)
    }
  }
}

/** Whatever the bytes are, they are read or refused with an AssayError. */
function expectHandled(bytes: Uint8Array): boolean {
  try {
    readAll(bytes)
    return true
  } catch (error) {
    if (!AssayError.isInstance(error)) throw error
    expect(error.code).toMatch(/^model-/)
    return false
  }
}

describe('bytes from a stranger', () => {
  test('the model of these tests is valid', () => {
    expect(readAll(valid).graph.nodes).toHaveLength(1)
  })

  test('cut off at every byte', () => {
    for (let length = 0; length < valid.length; length++) {
      // What ends between two fields of the model is a smaller model, and refused if it has no graph.
      if (expectHandled(valid.slice(0, length))) expect.fail(`${length} of ${valid.length} bytes were accepted`)
    }
  })

  test('any byte changed', () => {
    fc.assert(
      fc.property(fc.nat(valid.length - 1), fc.nat(255), (at, byte) => {
        const changed = valid.slice()
        changed[at] = byte
        expectHandled(changed)
      }),
      { numRuns: 3000 },
    )
  })

  test('any bytes at all', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void expectHandled(bytes)),
      { numRuns: 1000 },
    )
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => void expectHandled(bytesField(7, bytes))),
      { numRuns: 1000 },
    )
  })

  test('other files', () => {
    for (const text of ['', '%PDF-1.7', '{"a": 1}', '\x89PNG\r\n', 'GGUF']) {
      expectError(() => read(new TextEncoder().encode(text)), 'model-malformed', /^test.onnx: /)
    }
    expectError(() => read(new Uint8Array(0)), 'model-malformed', /expected an ONNX model, found no graph/)
  })

  const cases: [string, Uint8Array, RegExp][] = [
    ['field number 0', Uint8Array.of(0x02, 0), /byte 0 there is no field/],
    ['a number of 11 bytes', Uint8Array.of(0x08, ...new Uint8Array(10).fill(0xff), 1), /more than 64 bits/],
    ['a number of 65 bits', Uint8Array.of(0x08, ...new Uint8Array(9).fill(0xff), 2), /more than 64 bits/],
    ['a group', Uint8Array.of(0x0b, 0x0c), /wire type 3/],
    ['a wire type that does not exist', Uint8Array.of(0x0f, 0), /wire type 7/],
    ['a graph that is a number', intField(7, 3), /expected delimited content in field 7 at byte 1, found varint/],
    ['a version that is text', bytesField(1, 'x'), /expected an integer in field 1 at byte 2, found bytes/],
    ['a version beyond 2⁵³', intField(1, 2n ** 60n), /too large/],
    ['a length of 2⁶³', Uint8Array.of(0x3a, ...new Uint8Array(9).fill(0xff), 1), /claims \d+ bytes, but 0 are left/],
    ['a name that is not UTF-8', bytesField(7, bytesField(2, Uint8Array.of(0xff))), /not UTF-8/],
    ['a fixed number cut off', Uint8Array.of(0x0d, 1, 2), /field 1 is cut off/],
    [
      'two initializers of a name',
      bytesField(7, join([bytesField(5, bytesField(8, 'w')), bytesField(5, bytesField(8, 'w'))])),
      /two initializers named "w"/,
    ],
    ['a negative dimension', bytesField(7, bytesField(5, intField(1, -1))), /dimension of \d+ or below 0/],
    [
      'a shape of 2⁸⁰ elements',
      encode('ModelProto', { graph: { initializer: [{ dataType: 1, dims: [2n ** 40n, 2n ** 40n] }] } }),
      /more than 2⁵³ bytes/,
    ],
  ]
  for (const [name, bytes, message] of cases) {
    test(name, () => expectError(() => read(bytes), 'model-malformed', message))
  }

  test('a zero among huge dimensions is an empty tensor', () => {
    const bytes = encode('ModelProto', { graph: { initializer: [{ dataType: 1, dims: [2n ** 40n, 2n ** 40n, 0n] }] } })
    expect(readAll(bytes).graph.initializers.size).toBe(1)
  })

  test('names are printed harmlessly', () => {
    const evil = '\u001b[2J\u202e'.padEnd(200, 'x')
    const bytes = encode('ModelProto', { graph: { initializer: [{ name: evil }, { name: evil }] } })
    expectError(() => read(bytes), 'model-malformed', /named "\\u001b\[2J\\u202ex{60,80}\.\.\."$/)
  })
})

describe('limits', () => {
  function nested(depth: number): Uint8Array {
    let graph: NewGraph = {}
    for (let i = 0; i < depth; i++) {
      graph = { nodes: [{ name: '', opType: 'If', inputs: [], outputs: [], attributes: { body: graph } }] }
    }
    return encodeModel({ irVersion: 8, opsets: {}, graph })
  }

  test('graphs within graphs', () => {
    expect(readAll(nested(maxGraphDepth)).graph.nodes).toHaveLength(1)
    expectError(() => read(nested(maxGraphDepth + 1)), 'model-unsupported', /nested more than 32 levels deep/)
  })

  test('many small parts', () => {
    // Nodes of two bytes each.
    const nodes = new Uint8Array(2 * (maxModelItems + 1)).fill(0x0a)
    for (let i = 1; i < nodes.length; i += 2) nodes[i] = 0
    expectError(() => read(bytesField(7, nodes)), 'model-unsupported', /more than 2000000 parts/)
  })

  test('a long name', () => {
    const bytes = encode('ModelProto', { graph: { name: 'x'.repeat(maxTextBytes + 1) } })
    expectError(() => read(bytes), 'model-unsupported', /a name of 65537 bytes/)
  })

  test('many dimensions', () => {
    const bytes = encode('ModelProto', { graph: { initializer: [{ dataType: 1, dims: new Array(65).fill(1n) }] } })
    expectError(() => read(bytes), 'model-unsupported', /more than 64 dimensions/)
  })
})
