import { describe, expect, test } from 'vitest'
import { type Manifest, manifestDigest, parseManifest } from '../../src/manifest/manifest.ts'

const empty: Manifest = { format: 'tensor-assay-manifest', version: 1, operations: [] }
const opaque = { kind: 'opaque', operation: 'Einsum' } as const
const product = {
  kind: 'product',
  operation: 'MatMul',
  layout: { kind: 'matmul', k: 2, n: 3 },
  b: null,
  alpha: 1,
  activation: { name: 'linear' },
  profile: 'float32',
  links: {},
} as const
const json = (changes: object) => JSON.stringify({ ...empty, ...changes })
const refused = (text: string, message: RegExp) =>
  expect(() => parseManifest(text)).toThrow(
    expect.objectContaining({ code: 'manifest-malformed', message: expect.stringMatching(message) }),
  )

test('an operand may be the same tensor as one before it in the same operation', () => {
  const own = { operation: 0, tensor: 'a' } as const
  const operations = [{ ...product, addend: true, links: { b: own, addend: own } }]
  expect(parseManifest(json({ operations })).operations).toEqual(operations)
})

test('a tensor may follow from operations before', () => {
  const relation = [
    { op: 'tensor', operation: 0, tensor: 'c', shape: [4, null] },
    { op: 'exp', x: 0 },
  ] as const
  const operations = [product, { ...product, relations: { b: relation } }]
  expect(parseManifest(json({ operations })).operations).toEqual(operations)
})

describe('a manifest that is refused', () => {
  test.each([
    ['no JSON', '{"format"', /not JSON/],
    ['another format', json({ format: 'manifest' }), /format/],
    ['another version', json({ version: 2 }), /version/],
    ['an unknown field', json({ more: 1 }), /more/],
    ['an operation of no kind', json({ operations: [{ ...opaque, kind: 'transparent' }] }), /operations\.0\.kind/],
    ['an unknown field of an operation', json({ operations: [{ ...opaque, more: 1 }] }), /operations\.0\.more/],
    [
      'a missing field of an operation',
      json({ operations: [{ ...product, alpha: undefined }] }),
      /operations\.0\.alpha/,
    ],
    ['a digest that is none', json({ operations: [{ ...product, bias: 'AB'.repeat(32) }] }), /operations\.0\.bias/],
    [
      'a number below zero',
      json({ operations: [{ ...product, layout: { kind: 'matmul', k: -1, n: 3 } }] }),
      /layout\.k/,
    ],
    [
      'a link to itself',
      json({ operations: [{ ...product, links: { a: { operation: 0, tensor: 'c' } } }] }),
      /operation 0 of the manifest reads operation 0/,
    ],
    [
      'a link to an operand behind it',
      json({ operations: [{ ...product, links: { a: { operation: 0, tensor: 'addend' } } }] }),
      /reads operation 0/,
    ],
    [
      'an addend that is C itself',
      json({ operations: [{ ...product, addend: true, links: { addend: { operation: 0, tensor: 'c' } } }] }),
      /reads operation 0/,
    ],
    [
      'an addend that is said not to be',
      json({ operations: [{ ...product, addend: false }] }),
      /operations\.0\.addend/,
    ],
    [
      'a link forward',
      json({ operations: [{ ...product, links: { b: { operation: 7, tensor: 'a' } } }] }),
      /reads operation 7/,
    ],
  ])('%s', (_, text, message) => refused(text, message))

  const tensor = { op: 'tensor', operation: 0, tensor: 'c' }
  const related = (...steps: object[]) => json({ operations: [product, { ...product, relations: { a: steps } }] })

  test.each([
    ['without steps', related(), /relations\.a/],
    ['of a step that is unknown', related(tensor, { op: 'cube', x: 0 }), /relations\.a\.1\.op/],
    ['with an unknown field', related({ ...tensor, more: 1 }), /relations\.a\.0\.more/],
    ['whose step reads itself', related(tensor, { op: 'exp', x: 1 }), /steps that read steps before them/],
    ['with two free sizes', related({ ...tensor, shape: [null, null] }), /at most one size that is null/],
    [
      'with a negative epsilon',
      related(tensor, { op: 'normalize', x: 0, axis: 0, epsilon: -1, centred: true }),
      /epsilon/,
    ],
    ['of an axis twice', related(tensor, { op: 'sum', x: 0, axes: [1, 1], keepDims: true }), /axes that differ/],
    ['of too many axes', related({ ...tensor, shape: new Array(9).fill(1) }), /shape/],
    ['of a layout of too many axes', related({ ...tensor, layout: new Array(11).fill(null) }), /layout/],
    ['from itself', related({ ...tensor, operation: 1 }), /operation 1 of the manifest follows from operation 1/],
    ['from what comes later', related({ ...tensor, operation: 2 }), /follows from operation 2/],
    [
      'from an opaque operation',
      json({ operations: [opaque, { ...product, relations: { a: [tensor] } }] }),
      /follows from operation 0, which is no product before it/,
    ],
    ['of more steps than there may be', related(...new Array(1025).fill(tensor)), /relations\.a/],
  ])('a relation %s', (_, text, message) => refused(text, message))

  test('operations without number', () => {
    const operations = Array.from({ length: 100_001 }, () => opaque)
    expect(parseManifest(json({ operations: operations.slice(1) })).operations).toHaveLength(100_000)
    refused(json({ operations }), /operations/)
  })

  test('of a million problems only the first is looked for', () => {
    refused(
      json({ operations: Array.from({ length: 90_000 }, () => ({ kind: 'opaque', operation: 1 })) }),
      /^manifest, operations\.0\.operation: /,
    )
  })

  test('words of the file are cut and escaped', () => {
    const error = (() => {
      try {
        return parseManifest(json({ ['\u0007'.repeat(5000)]: 1 }))
      } catch (caught) {
        return String(caught)
      }
    })()
    expect(error).toContain('\\u0007')
    expect(String(error).length).toBeLessThan(500)
  })
})

test('a manifest of any size has a digest, the same whatever is left out or undefined', () => {
  const operations = Array.from({ length: 50_000 }, () => product)
  expect(manifestDigest({ ...empty, operations: [...operations] })).toMatch(/^[0-9a-f]{64}$/)
  expect(manifestDigest({ ...empty, operations: [{ ...product, node: undefined }] } as never)).toBe(
    manifestDigest({ ...empty, operations: [product] }),
  )
})
