import { describe, expect, test } from 'vitest'
import { bytesSource, type ElementType, elementTypeNumber, readModel, tensorBytes } from '../src/index.ts'
import { bytesOf, encode, expectError } from './helpers.ts'

function bytesOfTensor(tensor: object, extra: Uint8Array = new Uint8Array(0)): Uint8Array {
  const proto = new Uint8Array([...encode('TensorProto', { name: 'w', ...tensor }), ...extra])
  const graph = [0x2a, (proto.length & 0x7f) | 0x80, proto.length >> 7, ...proto]
  const source = bytesSource(
    Uint8Array.of(0x3a, (graph.length & 0x7f) | 0x80, graph.length >> 7, ...graph),
    'test.onnx',
  )
  return tensorBytes(source, readModel(source).graph.initializers.get('w')!)
}

const number = elementTypeNumber

/** The same elements, in the number fields that ONNX names for their type and as raw bytes. */
const encodings: { type: ElementType; dims: bigint[]; fields: object; bytes: Uint8Array }[] = [
  {
    type: 'float32',
    dims: [2n, 2n],
    fields: { floatData: [1, -2.5, 0, 1e-40] },
    bytes: bytesOf(Float32Array.of(1, -2.5, 0, 1e-40)),
  },
  { type: 'float64', dims: [2n], fields: { doubleData: [Math.PI, -0] }, bytes: bytesOf(Float64Array.of(Math.PI, -0)) },
  {
    type: 'int32',
    dims: [3n],
    fields: { int32Data: [1, -1, -(2 ** 31)] },
    bytes: bytesOf(Int32Array.of(1, -1, -(2 ** 31))),
  },
  {
    type: 'int64',
    dims: [2n],
    fields: { int64Data: [-1n, 2n ** 62n] },
    bytes: bytesOf(BigInt64Array.of(-1n, 2n ** 62n)),
  },
  {
    type: 'uint64',
    dims: [1n],
    fields: { uint64Data: [2n ** 64n - 1n] },
    bytes: bytesOf(BigUint64Array.of(2n ** 64n - 1n)),
  },
  {
    type: 'uint32',
    dims: [2n],
    fields: { uint64Data: [5n, 2n ** 32n - 1n] },
    bytes: bytesOf(Uint32Array.of(5, 2 ** 32 - 1)),
  },
  { type: 'uint8', dims: [3n], fields: { int32Data: [0, 128, 255] }, bytes: Uint8Array.of(0, 128, 255) },
  { type: 'int8', dims: [2n], fields: { int32Data: [-128, 127] }, bytes: bytesOf(Int8Array.of(-128, 127)) },
  { type: 'uint16', dims: [1n], fields: { int32Data: [65_535] }, bytes: Uint8Array.of(255, 255) },
  { type: 'int16', dims: [1n], fields: { int32Data: [-2] }, bytes: Uint8Array.of(0xfe, 0xff) },
  { type: 'bool', dims: [2n], fields: { int32Data: [1, 0] }, bytes: Uint8Array.of(1, 0) },
  // 1 in both 16-bit formats.
  { type: 'float16', dims: [2n], fields: { int32Data: [0x3c00, 0xbc00] }, bytes: Uint8Array.of(0, 0x3c, 0, 0xbc) },
  { type: 'bfloat16', dims: [1n], fields: { int32Data: [0x3f80] }, bytes: Uint8Array.of(0x80, 0x3f) },
  { type: 'float8e4m3fn', dims: [1n], fields: { int32Data: [0x38] }, bytes: Uint8Array.of(0x38) },
  { type: 'complex64', dims: [1n], fields: { floatData: [3, 4] }, bytes: bytesOf(Float32Array.of(3, 4)) },
  // Two elements to a byte, the first in the lower half; the upper half of the last byte is not used.
  { type: 'int4', dims: [3n], fields: { int32Data: [0x21, 0x0f] }, bytes: Uint8Array.of(0x21, 0x0f) },
  { type: 'uint4', dims: [2n, 2n], fields: { int32Data: [0xfe, 0x01] }, bytes: Uint8Array.of(0xfe, 0x01) },
  { type: 'uint2', dims: [5n], fields: { int32Data: [0xe4, 0x02] }, bytes: Uint8Array.of(0xe4, 0x02) },
  { type: 'float32', dims: [], fields: { floatData: [7] }, bytes: bytesOf(Float32Array.of(7)) },
  { type: 'float32', dims: [0n, 4n], fields: {}, bytes: new Uint8Array(0) },
]

describe('tensorBytes', () => {
  for (const { type, dims, fields, bytes } of encodings) {
    test(`${type} [${dims}] in number fields and as raw bytes`, () => {
      expect(bytesOfTensor({ dataType: number(type), dims, ...fields })).toEqual(bytes)
      if (bytes.length > 0) expect(bytesOfTensor({ dataType: number(type), dims, rawData: bytes })).toEqual(bytes)
    })
  }

  test('numbers that are not packed, and packed in two pieces', () => {
    const base = { dataType: 1, dims: [3n] }
    const one = [0x25, 0, 0, 0x80, 0x3f]
    expect(bytesOfTensor(base, Uint8Array.from([...one, ...one, ...one]))).toEqual(bytesOf(Float32Array.of(1, 1, 1)))
    const two = [0x22, 8, 0, 0, 0, 0x40, 0, 0, 0, 0x40]
    expect(bytesOfTensor(base, Uint8Array.from([...two, ...one]))).toEqual(bytesOf(Float32Array.of(2, 2, 1)))
    expect(bytesOfTensor({ dataType: 6, dims: [2n] }, Uint8Array.of(0x28, 5, 0x28, 6))).toEqual(
      bytesOf(Int32Array.of(5, 6)),
    )
  })

  test('elements that do not fill the shape', () => {
    const tensor = { dataType: 1, dims: [3n] }
    const expected = /"w" of float32 and shape \[3\] has 3 elements, but its data fills 8 bytes of 12/
    expectError(() => bytesOfTensor({ ...tensor, floatData: [1, 2] }), 'model-malformed', expected)
    expectError(() => bytesOfTensor({ ...tensor, floatData: [1, 2, 3, 4] }), 'model-malformed', /fills 16 bytes of 12/)
    expectError(() => bytesOfTensor({ ...tensor, doubleData: [1, 2, 3] }), 'model-malformed', /fills 0 bytes of 12/)
    expectError(
      () => bytesOfTensor({ ...tensor, rawData: new Uint8Array(11) }),
      'model-malformed',
      /takes 12 bytes, but has 11/,
    )
    expectError(
      () => bytesOfTensor({ dataType: 7, dims: [2n], int64Data: [1n] }),
      'model-malformed',
      /fills 8 bytes of 16/,
    )
    // As many bytes as numbers are wanted, but of two bytes each.
    expectError(
      () => bytesOfTensor({ dataType: 7, dims: [2n], int64Data: [300n] }),
      'model-malformed',
      /fills 8 bytes of 16/,
    )
    expectError(
      () => bytesOfTensor(tensor, Uint8Array.of(0x22, 3, 1, 2, 3, 0x22, 12, ...new Uint8Array(12))),
      'model-malformed',
      /inside an element|fills/,
    )
  })

  test('a shape alone does not allocate', () => {
    const huge = { dataType: 1, dims: [2n ** 28n] }
    expectError(() => bytesOfTensor({ ...huge, floatData: [1] }), 'model-malformed', /fills 4 bytes of 1073741824/)
    expectError(() => bytesOfTensor({ dataType: 1, dims: [2n ** 40n] }), 'model-unsupported', /over 1073741824/)
  })

  test('text, unknown types and external data', () => {
    expectError(() => bytesOfTensor({ dataType: 8, dims: [1n] }), 'model-unsupported', /elements of string/)
    expectError(() => bytesOfTensor({ dataType: 99, dims: [1n] }), 'model-unsupported', /unknown type/)
    const externalData = [{ key: 'location', value: 'w.bin' }]
    expectError(
      () => bytesOfTensor({ dataType: 1, dims: [1n], dataLocation: 1, externalData }),
      'model-unsupported',
      /in another file, "w.bin"/,
    )
  })
})
