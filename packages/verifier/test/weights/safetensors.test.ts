import { open, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DType, weightDigest } from '@tensor-assay/core'
import { describe, expect, it } from 'vitest'
import {
  bytesSource,
  maxSafetensorsHeaderBytes,
  maxTensorBytes,
  maxTensors,
  readSafetensors,
  safetensorsWeights,
} from '../../src/index.ts'
import { bytesOf, concat, expectError, expectValid, folderOf, fromBase64, safetensorsFile } from './helpers.ts'
import * as vectors from './vectors.ts'

const read = (bytes: Uint8Array) => readSafetensors(bytesSource(bytes, 'm.safetensors'))

const entry = (dtype: string, shape: readonly number[], begin: number, end: number) => ({
  dtype,
  shape,
  data_offsets: [begin, end],
})

const zeros = (length: number) => new Uint8Array(length)

describe('readSafetensors', () => {
  it('reads what the reference implementation writes', async () => {
    const store = await read(fromBase64(vectors.safetensorsReference))
    expect(store.weights.map(({ name, dtype, shape }) => [name, dtype, shape])).toEqual([
      ['a', 'float32', [2, 3]],
      ['empty', 'float32', [0, 3]],
      ['b', 'float16', [2]],
    ])
    expect(store.skipped).toEqual([])
    const a = bytesOf(new Float32Array([0, 1, 2, 3, 4, 5]))
    expect(store.find(weightDigest('float32', a))).toBe(store.weights[0])
    expect(await store.weights[2]!.read()).toEqual(new Uint8Array([0x00, 0x3c, 0x00, 0x40]))
    for (const weight of store.weights) await expectValid(weight)
  })

  it.each([
    ['F64', 'float64', 8],
    ['F32', 'float32', 4],
    ['F16', 'float16', 2],
    ['BF16', 'bfloat16', 2],
    ['I64', 'int64', 8],
    ['I32', 'int32', 4],
    ['I16', 'int16', 2],
    ['U16', 'uint16', 2],
    ['I8', 'int8', 1],
    ['U8', 'uint8', 1],
  ] as [string, DType, number][])('reads %s as %s', async (format, dtype, size) => {
    const data = Uint8Array.from({ length: 3 * size }, (_, i) => i)
    const [weight] = (await read(safetensorsFile({ w: entry(format, [3], 0, 3 * size) }, data))).weights
    expect(weight!.dtype).toBe(dtype)
    expect(await weight!.read()).toEqual(data)
  })

  it('keeps tensors in the order of their bytes, whatever the order of the header', async () => {
    const header = { b: entry('U8', [1], 1, 2), a: entry('U8', [1], 0, 1), none: entry('U8', [0], 1, 1) }
    const store = await read(safetensorsFile(header, new Uint8Array([7, 8])))
    expect(store.weights.map(({ name }) => name)).toEqual(['a', 'none', 'b'])
    expect(await store.weights[2]!.read()).toEqual(new Uint8Array([8]))
  })

  it('reads a scalar, a header padded with spaces, and names that only look special', async () => {
    const header = `{"__proto__":{"dtype":"U8","shape":[],"data_offsets":[0,1]},"a:\\"b":{"dtype":"U8","shape":[1],"data_offsets":[1,2]}}   `
    const store = await read(safetensorsFile(header, new Uint8Array([7, 8])))
    expect(store.weights.map(({ name, shape }) => [name, shape])).toEqual([
      ['__proto__', []],
      ['a:"b', [1]],
    ])
  })

  it('reads a file without tensors', async () => {
    expect((await read(safetensorsFile('{"__metadata__":{}}', zeros(0)))).weights).toEqual([])
  })

  it('lists tensors of other types as skipped and holds the rest', async () => {
    const header = { mask: entry('BOOL', [4], 0, 4), w: entry('F32', [1], 4, 8), q: entry('F8_E4M3', [2], 8, 10) }
    const store = await read(safetensorsFile(header, zeros(10)))
    expect(store.weights.map(({ name }) => name)).toEqual(['w'])
    expect(store.skipped).toEqual([
      { name: 'mask', code: 'dtype-unsupported', reason: expect.stringContaining('"BOOL" is not one of F64, F32') },
      { name: 'q', code: 'dtype-unsupported', reason: expect.stringContaining('"F8_E4M3"') },
    ])
  })

  it('refuses a file of which nothing can be held', async () => {
    const file = safetensorsFile({ q: entry('F8_E4M3', [2], 0, 2) }, zeros(2))
    await expectError(
      read(file),
      'dtype-unsupported',
      /none of its 1 tensors can be held; "q": "F8_E4M3" is not one of/,
    )
    const inherited = safetensorsFile({ q: entry('constructor', [2], 0, 2) }, zeros(2))
    await expectError(read(inherited), 'dtype-unsupported', /"constructor" is not one of/)
  })

  const w = entry('F32', [1], 0, 4)
  it.each([
    [
      'a hole',
      { w, x: entry('U8', [1], 5, 6) },
      6,
      /"x" begins at data byte 5 and leaves a hole before it: expected 4/,
    ],
    ['a hole at the start', { w: entry('F32', [1], 1, 5) }, 5, /leaves a hole/],
    ['an overlap', { w, x: entry('U8', [2], 3, 5) }, 5, /"x" begins at data byte 3 and overlaps/],
    ['two names for the same bytes', { w, x: w }, 4, /overlaps/],
    ['bytes of no tensor', { w }, 5, /1 bytes at the end belong to no tensor/],
    [
      'a size that is not the shape',
      { w: entry('F32', [2], 0, 4) },
      4,
      /\[2\] of F32 takes 8 bytes, its offsets span 4/,
    ],
    ['a size of another type', { w: entry('F64', [1], 0, 4) }, 4, /takes 8 bytes/],
    ['offsets backwards', { w: entry('F32', [1], 4, 0) }, 4, /data_offsets/],
    ['three offsets', { w: { ...w, data_offsets: [0, 4, 4] } }, 4, /data_offsets/],
    ['offsets that are no list', { w: { ...w, data_offsets: 'ab' } }, 4, /data_offsets/],
    ['a negative offset', { w: { ...w, data_offsets: [-4, 0] } }, 4, /data_offsets/],
    ['a negative dimension', { w: { ...w, shape: [-1] } }, 4, /-1 is not a dimension/],
    ['a fraction', { w: { ...w, shape: [0.5, 2] } }, 4, /0.5 is not a dimension/],
    ['a dimension as text', { w: { ...w, shape: ['1'] } }, 4, /"1" is not a dimension/],
    ['a nested shape', { w: { ...w, shape: [[1]] } }, 4, /a list is not a dimension/],
    ['no shape', { w: { dtype: 'F32', data_offsets: [0, 4] } }, 4, /shape is not a list/],
    ['no dtype', { w: { shape: [1], data_offsets: [0, 4] } }, 4, /dtype is not a string/],
    ['an unknown field', { w: { ...w, strides: [1] } }, 4, /unknown field "strides"/],
    ['too many elements', { w: entry('F32', [2 ** 30, 2 ** 30], 0, 4) }, 4, /2⁵³ elements/],
    ['metadata that is not text', { __metadata__: { a: 1 }, w }, 4, /__metadata__/],
    ['metadata that is a list', { __metadata__: [], w }, 4, /__metadata__/],
    ['an entry that is a number', { w: 1 }, 4, /"w" is not an object/],
    ['a list', [], 0, /start with '\{'/],
    ['no JSON', '{"w":', 0, /expected JSON/],
    ['JSON and more', '{}{}', 0, /expected JSON/],
    ['space before it', ' {}', 0, /start with '\{'/],
    ['nothing', '', 0, /start with '\{'/],
    [
      'a tensor twice',
      '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"w":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}',
      4,
      /same key twice/,
    ],
    [
      'a tensor twice, once escaped',
      '{"w":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"\\u0077":{"dtype":"I32","shape":[1],"data_offsets":[0,4]}}',
      4,
      /same key twice/,
    ],
    ['a type twice', '{"w":{"dtype":"I32","dtype":"F32","shape":[1],"data_offsets":[0,4]}}', 4, /same key twice/],
  ])('refuses %s', async (_, header, dataBytes, message) => {
    await expectError(read(safetensorsFile(header, zeros(dataBytes))), 'weights-unreadable', message)
  })

  it('says how long a truncated file should be', async () => {
    const file = safetensorsFile({ w }, zeros(4))
    const says = new RegExp(`"w" ends at byte ${file.length}, but there are only ${file.length - 1} bytes`)
    await expectError(read(file.slice(0, -1)), 'weights-truncated', says)
    await expectError(read(file.slice(0, 7)), 'weights-truncated', /header ends at byte 8, but there are only 7/)
    await expectError(read(file.slice(0, 20)), 'weights-truncated', /header ends at byte \d+, but there are only 20/)
  })

  it('refuses a header length over the limit, up to the largest', async () => {
    for (const length of [BigInt(maxSafetensorsHeaderBytes) + 1n, 2n ** 63n, 2n ** 64n - 1n]) {
      const prefix = new Uint8Array(8)
      new DataView(prefix.buffer).setBigUint64(0, length, true)
      await expectError(
        read(concat(prefix, zeros(8))),
        'weights-unreadable',
        new RegExp(`${length} bytes is over the limit`),
      )
    }
  })

  it('refuses more tensors than the limit', async () => {
    const none = entry('U8', [0], 0, 0)
    const header = Object.fromEntries(Array.from({ length: maxTensors + 1 }, (_, i) => [`w${i}`, none]))
    const many = read(safetensorsFile(header, zeros(0)))
    await expectError(many, 'weights-unreadable', /100001 tensors are over the limit of 100000/)
  })

  it('survives a header that nests without end, and one that is a single string', async () => {
    const depth = 2 ** 21
    const bomb = `{"w":{"dtype":"F32","shape":${'['.repeat(depth)}${']'.repeat(depth)},"data_offsets":[0,4]}}`
    await expectError(read(safetensorsFile(bomb, zeros(4))), 'weights-unreadable', /a list is not a dimension/)
    const long = `{"__metadata__":{"a":"${'\\"'.repeat(2 ** 20)}"}}`
    expect((await read(safetensorsFile(long, zeros(0)))).weights).toEqual([])
  })

  it('prints names of the file without their control characters', async () => {
    const file = safetensorsFile({ '\u001b[2J\u202e': { ...w, shape: [2] } }, zeros(4))
    await expectError(read(file), 'weights-unreadable', /tensor "\\u001b\[2J\\u202e": /)
  })

  it('refuses text that is not UTF-8', async () => {
    const file = safetensorsFile('{"__metadata__":{"a":"b"}}', zeros(0))
    await expectError(read(file.with(file.length - 4, 0xff)), 'weights-unreadable', /expected JSON/)
  })
})

describe('safetensorsWeights', () => {
  it('refuses to read a weight whose bytes have changed, and still reads the others', async () => {
    const file = safetensorsFile({ a: entry('U8', [2], 0, 2), b: entry('U8', [2], 2, 4) }, new Uint8Array([1, 2, 3, 4]))
    const path = join(await folderOf({ m: file }), 'm')
    const [a, b] = (await safetensorsWeights(path)).weights
    await writeFile(path, file.with(file.length - 1, 5))
    await expectValid(a!)
    await expectError(b!.read(), 'weights-unreadable', /"b" have changed/)
  })

  it('finds tensors beyond 4 GiB and skips one that is too large to hold', async () => {
    const large = 5 * 2 ** 30 + 3
    const head = safetensorsFile(
      { large: entry('U8', [large], 0, large), w: entry('F32', [2], large, large + 8) },
      zeros(0),
    )
    const path = join(await folderOf({ m: head }), 'm')
    const data = bytesOf(new Float32Array([1, 2]))
    // The file is sparse: the large tensor is a hole that takes no space on the disk.
    const file = await open(path, 'r+')
    await file.write(data, 0, 8, head.length + large)
    await file.close()
    const store = await safetensorsWeights(path)
    expect(store.skipped).toEqual([
      {
        name: 'large',
        code: 'weights-unreadable',
        reason: `${large} bytes are over the limit of ${maxTensorBytes} for one tensor`,
      },
    ])
    expect(store.weights).toHaveLength(1)
    expect(await store.weights[0]!.read()).toEqual(data)
  })
})
