import { describe, expect, test } from 'vitest'
import { type Control, decodeMessage, encodeMessage, type MessageType } from '../../src/codec/messages.ts'

const digest = new Uint8Array(32)
const product: Control<'commit'>['records'][number] = {
  kind: 'product',
  sequence: 0,
  step: 0,
  operation: 'MatMul',
  layout: { kind: 'matmul', m: 1, k: 1, n: 1, aBatch: [], bBatch: [] },
  a: 0,
  b: { kind: 'weight', digest, transposed: false },
  c: 1,
  alpha: 1,
  activation: { name: 'linear' },
  profile: 'float32',
}
const opaque: Control<'commit'>['records'][number] = {
  kind: 'opaque',
  sequence: 0,
  step: 0,
  operation: 'Einsum',
  cause: 'unsupported',
  reason: 'three operands',
}
const tensor = (number: number) => ({ tensor: number, rows: 1, cols: 1, dtype: 'float32', root: digest }) as const
const tensors = (count: number) => Array.from({ length: count }, (_, i) => tensor(i))
const opened = { salts: new Uint8Array(0), proof: new Uint8Array(0) }

/** The message as the other side understands it. */
function sent<T extends MessageType>(type: T, control: unknown) {
  return decodeMessage(Buffer.concat(encodeMessage(type, control as Control<T>)))
}
const refused = (type: MessageType, control: unknown) =>
  expect(() => sent(type, control)).toThrow(expect.objectContaining({ code: 'message-malformed' }))

describe('a commitment', () => {
  test('introduces four tensors for each product at most, and none for what is no product', () => {
    expect(sent('commit', { records: [product], tensors: tensors(4) }).type).toBe('commit')
    expect(sent('commit', { records: [opaque, product, product], tensors: tensors(8) }).type).toBe('commit')
    refused('commit', { records: [product], tensors: tensors(5) })
    refused('commit', { records: [opaque], tensors: tensors(1) })
  })

  test('is of one operation at least, and of 1024 at most', () => {
    refused('commit', { records: [], tensors: [] })
    expect(sent('commit', { records: Array.from({ length: 1024 }, () => opaque), tensors: [] }).type).toBe('commit')
    refused('commit', { records: Array.from({ length: 1025 }, () => opaque), tensors: [] })
  })

  test('is of 4096 tensors at most', () => {
    const records = Array.from({ length: 1024 }, () => product)
    expect(sent('commit', { records, tensors: tensors(4096) }).type).toBe('commit')
    refused('commit', { records, tensors: tensors(4097) })
  })

  test('has numbers that are some', () => {
    refused('commit', { records: [{ ...product, sequence: -1 }], tensors: [] })
    refused('commit', { records: [{ ...product, a: 0.5 }], tensors: [] })
    refused('commit', { records: [{ ...product, alpha: null }], tensors: [] })
    refused('commit', { records: [{ ...product, roundedBlocks: 0 }], tensors: [] })
    refused('commit', { records: [{ ...product, layout: { ...product.layout, m: 2 ** 31 + 1 } }], tensors: [] })
    refused('commit', { records: [product], tensors: [{ ...tensor(0), rows: 2 ** 31 + 1 }] })
  })

  test('has roots and digests of 32 bytes', () => {
    refused('commit', { records: [product], tensors: [{ ...tensor(0), root: new Uint8Array(31) }] })
    refused('commit', { records: [{ ...product, b: { ...product.b, digest: new Uint8Array(0) } }], tensors: [] })
  })
})

describe('lists, names and sizes have ends', () => {
  const commit = (changes: object, layout: object = {}) => ({
    records: [{ ...product, ...changes, layout: { ...product.layout, ...layout } }],
    tensors: [],
  })
  const convolution = (dimensions: number) => {
    const space = new Array(dimensions).fill(1)
    const sizes = { batch: 1, groups: 1, inChannels: 1, outChannels: 1 }
    const spaces = { input: space, output: space, kernel: space, strides: space, dilations: space, padding: space }
    return {
      records: [{ ...product, layout: { kind: 'convolution', channelsLast: true, ...sizes, ...spaces } }],
      tensors: [],
    }
  }
  const hello = { versions: [1], suites: [], modes: [], samplers: [], nonce: digest, backend: 'x' }
  const policy = (parameters: number) => ({
    ...{ version: 1, mode: 'spot', suite: 'sha256', nonce: digest, window: 1, weights: new Uint8Array(0) },
    sampler: {
      name: 'rows',
      parameters: Object.fromEntries(Array.from({ length: parameters }, (_, i) => [`p${i}`, i])),
    },
  })
  const shapes = (count: number) => tensors(count).map(({ root: _, ...shape }) => shape)
  const names = (count: number) => Array.from({ length: count }, () => 'x')

  test.each<[string, MessageType, (size: number) => object, number]>([
    ['a name', 'commit', (size) => commit({ operation: 'x'.repeat(size) }), 512],
    ['the name of a node', 'commit', (size) => commit({ node: 'x'.repeat(size) }), 512],
    ['a dimension', 'commit', (size) => commit({}, { k: size }), 2 ** 31],
    ['the batch dimensions of A', 'commit', (size) => commit({}, { aBatch: new Array(size).fill(1) }), 8],
    ['the batch dimensions of B', 'commit', (size) => commit({}, { bBatch: new Array(size).fill(1) }), 8],
    ['the dimensions of a space', 'commit', convolution, 3],
    ['parameters of a sampler', 'policy', policy, 32],
    ['tensors of a sample', 'sample', (size) => ({ record: product, tensors: shapes(size) }), 4],
    ['versions', 'hello', (size) => ({ ...hello, versions: new Array(size).fill(1) }), 16],
    ['suites', 'hello', (size) => ({ ...hello, suites: names(size) }), 16],
    ['modes', 'hello', (size) => ({ ...hello, modes: names(size) }), 16],
    ['samplers', 'hello', (size) => ({ ...hello, samplers: names(size) }), 64],
    ['the words of an error', 'error', (size) => ({ code: 'x', message: 'x'.repeat(size) }), 4096],
  ])('%s', (_, type, of, most) => {
    expect(sent(type, of(most)).type).toBe(type)
    refused(type, of(most + 1))
  })
})

describe('fields that nobody knows are refused', () => {
  test.each<[MessageType, object]>([
    ['open', { session: digest }],
    ['commit', { records: [opaque], tensors: [] }],
    ['challenge', { challenges: [{ sequence: 0 }] }],
    ['opening', { sequence: 0, a: opened, c: opened }],
    ['close', { operations: 0, transcript: digest }],
    ['reveal', { key: digest }],
    ['error', { code: 'x', message: 'y' }],
  ])('%s', (type, control) => {
    expect(sent(type, control).control).toEqual(control)
    refused(type, { ...control, more: 1 })
  })

  test('inside of others', () => {
    refused('opening', { sequence: 0, a: { ...opened, more: 1 }, c: opened })
    refused('commit', { records: [{ ...product, more: 1 }], tensors: [] })
    refused('challenge', { challenges: [{ sequence: 0, more: 1 }] })
  })
})

describe('fields that are missing are refused', () => {
  test.each<[MessageType, object]>([
    ['open', { session: digest }],
    ['challenge', { challenges: [{ sequence: 0 }] }],
    ['opening', { sequence: 0, a: opened, c: opened }],
    ['close', { operations: 0, transcript: digest }],
  ])('%s', (type, control) => {
    for (const name of Object.keys(control)) {
      refused(type, Object.fromEntries(Object.entries(control).filter(([other]) => other !== name)))
    }
  })
})
