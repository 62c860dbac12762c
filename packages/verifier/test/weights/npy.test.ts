import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type DType, weightDigest } from '@tensor-assay/core'
import { describe, expect, it } from 'vitest'
import { bytesSource, maxNpyHeaderBytes, maxTensorBytes, npyWeights, readNpy } from '../../src/index.ts'
import { parseNpyHeader } from '../../src/weights/npy-header.ts'
import { bytesOf, concat, expectError, expectValid, folderOf, fromBase64, npyFile, npyHeader } from './helpers.ts'
import * as vectors from './vectors.ts'

const data = bytesOf(new Float32Array([0, 1, 2, 3, 4, 5]))

const read = (bytes: Uint8Array) => readNpy(bytesSource(bytes, 'w.npy'))

describe('readNpy', () => {
  it.each([vectors.numpyV1, vectors.numpyV2, vectors.numpyV3, vectors.numpyFortran])(
    'reads what NumPy writes, in either order, as the same row-major weight',
    async (file) => {
      const weight = await read(fromBase64(file))
      expect(weight).toMatchObject({ name: 'w.npy', dtype: 'float32', shape: [2, 3], byteLength: 24 })
      expect(weight.digest).toBe(weightDigest('float32', data))
      expect(await weight.read()).toEqual(data)
      await expectValid(weight)
    },
  )

  it('converts Fortran order in three dimensions', async () => {
    const weight = await read(fromBase64(vectors.numpyFortran3d))
    expect(weight.shape).toEqual([2, 3, 4])
    expect(await weight.read()).toEqual(bytesOf(Int16Array.from({ length: 24 }, (_, i) => i)))
  })

  it('reads a scalar', async () => {
    const weight = await read(fromBase64(vectors.numpyScalar))
    expect(weight).toMatchObject({ dtype: 'float64', shape: [] })
    expect(await weight.read()).toEqual(bytesOf(new Float64Array([1.5])))
  })

  it.each([
    [[0, 3], false],
    [[0, 3], true],
    [[2 ** 52, 2 ** 52, 0], true],
  ])('reads the empty array of shape %o', async (shape, fortranOrder) => {
    const weight = await read(npyFile(npyHeader('<f4', shape, fortranOrder), new Uint8Array(0)))
    expect(weight).toMatchObject({ shape, byteLength: 0 })
    await expectValid(weight)
  })

  it.each([
    ['<f8', 'float64', 8],
    ['<f4', 'float32', 4],
    ['<f2', 'float16', 2],
    ['<i8', 'int64', 8],
    ['<i4', 'int32', 4],
    ['<i2', 'int16', 2],
    ['<u2', 'uint16', 2],
    ['|i1', 'int8', 1],
    ['|u1', 'uint8', 1],
    ['<u1', 'uint8', 1],
  ] as [string, DType, number][])('reads %s as %s', async (descr, dtype, size) => {
    const elements = Uint8Array.from({ length: 3 * size }, (_, i) => i)
    const weight = await read(npyFile(npyHeader(descr, [3]), elements))
    expect(weight.dtype).toBe(dtype)
    expect(await weight.read()).toEqual(elements)
  })

  it.each(['>f4', '=f4', '|f4', 'f4', 'float32', '<u4', '<u8', '<c8', '|b1', '|O', '|V2', '<constructor', ''])(
    'refuses element type %o',
    async (descr) => {
      await expectError(read(npyFile(npyHeader(descr, [6]), data)), 'dtype-unsupported', /w\.npy: element type/)
    },
  )

  it('says how to convert a big-endian file', async () => {
    await expectError(read(fromBase64(vectors.numpyBigEndian)), 'dtype-unsupported', /save it little-endian/)
  })

  it('refuses a file that is too short or too long for its array', async () => {
    const file = npyFile(npyHeader('<f4', [2, 3]), data)
    const short = file.slice(0, -1)
    const says = new RegExp(
      `\\[2,3\\] of float32 ends at byte ${file.length}, but there are only ${short.length} bytes`,
    )
    await expectError(read(short), 'weights-truncated', says)
    await expectError(read(concat(file, new Uint8Array(1))), 'weights-unreadable', /1 bytes follow the array/)
  })

  it.each([
    [[2 ** 30, 2 ** 30], 'weights-unreadable', /more than 2⁵³ elements/],
    [[2 ** 40], 'weights-truncated', /ends at byte 4398046511/],
    [new Array(33).fill(1), 'weights-unreadable', /33 dimensions, over the limit of 32/],
  ] as const)('refuses shape %o before it allocates', async (shape, code, message) => {
    await expectError(read(npyFile(npyHeader('<f4', shape), data)), code, message)
  })

  it('refuses a header over the limit', async () => {
    const header = npyHeader('<f4', [2, 3]).padEnd(maxNpyHeaderBytes + 1)
    await expectError(read(npyFile(header, data, 2)), 'weights-unreadable', /65536 bytes is over the limit of 65535/)
    await expectValid(await read(npyFile(header.slice(0, -1), data, 2)))
  })

  it('refuses an array over the limit without reading it', async () => {
    const head = npyFile(npyHeader('|u1', [maxTensorBytes + 1]), new Uint8Array(0))
    const source = { ...bytesSource(head, 'w.npy'), byteLength: head.length + maxTensorBytes + 1 }
    await expectError(readNpy(source), 'weights-unreadable', /w\.npy: 2147483649 bytes are over the limit/)
  })

  it('refuses other magic and other versions', async () => {
    const file = npyFile(npyHeader('<f4', [2, 3]), data)
    await expectError(read(file.with(0, 0)), 'weights-unreadable', /expected a \.npy file/)
    await expectError(read(file.with(6, 4)), 'weights-unreadable', /got 4\.0/)
    await expectError(read(file.with(7, 1)), 'weights-unreadable', /got 1\.1/)
  })
})

describe('parseNpyHeader', () => {
  const shape = "'shape': (2, 3)"
  const rest = `'descr': '<f4', 'fortran_order': False`

  it.each([
    `{${rest}, ${shape}, }          \n`,
    `{${rest},${shape}}`,
    `{ ${shape} , "descr" : "<f4" ,'fortran_order':False }`,
    `{${rest}, 'shape': (2L, 3L,), }\n`,
  ])('accepts %o', (text) => {
    expect(parseNpyHeader(text)).toEqual({ descr: '<f4', fortranOrder: false, shape: [2, 3] })
  })

  it.each([
    ['', /expected '\{' at character 0/],
    ['{}', /'descr' is missing/],
    [`{${rest}}`, /'shape' is missing/],
    [`{${rest}, ${shape}, ${shape}}`, /'shape' appears twice/],
    [`{${rest}, ${shape}, 'extra': 1}`, /unexpected key "extra"/],
    [`{${rest}, ${shape}, 'toString': 1}`, /unexpected key "toString"/],
    [`{${rest}, ${shape}}\v`, /expected the end/],
    [`{${rest}, ${shape}} + 1`, /expected the end/],
    [`{${rest}, ${shape}`, /expected '\}'/],
    [`{${rest} ${shape}}`, /expected '\}'/],
    [`{${rest}, 'shape': (2)}`, /expected ','/],
    [`{${rest}, 'shape': 2}`, /expected '\('/],
    [`{${rest}, 'shape': [2, 3]}`, /expected '\('/],
    [`{${rest}, 'shape': (-2, 3)}`, /expected a dimension/],
    [`{${rest}, 'shape': (2.0, 3)}`, /expected ','/],
    [`{${rest}, 'shape': (007, 3)}`, /expected ','/],
    [`{${rest}, 'shape': (,)}`, /expected a dimension/],
    [`{${rest}, 'shape': (99999999999999999999,)}`, /over 2⁵³/],
    [`{'descr': [('a', '<f4')], 'fortran_order': False, ${shape}}`, /structured arrays are not supported/],
    [`{'descr': '<f4', 'fortran_order': 1, ${shape}}`, /expected True or False/],
    [`{'descr': '<f4' 'x', 'fortran_order': False, ${shape}}`, /expected '\}'/],
    [`{'descr': '<f4\\'', 'fortran_order': False, ${shape}}`, /expected an element type/],
    [`{'descr': __import__('os').getcwd(), 'fortran_order': False, ${shape}}`, /expected an element type/],
  ])('refuses %o', (text, message) => {
    expect(() => parseNpyHeader(text)).toThrow(SyntaxError)
    expect(() => parseNpyHeader(text)).toThrow(message)
  })
})

describe('npyWeights', () => {
  const file = npyFile(npyHeader('<f4', [2, 3]), data)

  it('holds one weight to a file, named for it', async () => {
    const folder = await folderOf({ 'a.npy': file, 'b.npy': npyFile(npyHeader('|u1', [24]), data) })
    const store = await npyWeights([join(folder, 'a.npy'), join(folder, 'b.npy')])
    expect(store.weights.map(({ name, dtype }) => [name, dtype])).toEqual([
      ['a', 'float32'],
      ['b', 'uint8'],
    ])
    expect(store.find(weightDigest('float32', data))).toBe(store.weights[0])
    expect(store.find(weightDigest('int32', data))).toBeUndefined()
    for (const weight of store.weights) await expectValid(weight)
  })

  it('takes a single path', async () => {
    const folder = await folderOf({ 'a.npy': file })
    expect((await npyWeights(join(folder, 'a.npy'))).weights).toHaveLength(1)
  })

  it('refuses to read a weight whose file has changed', async () => {
    const folder = await folderOf({ 'a.npy': file })
    const path = join(folder, 'a.npy')
    const [weight] = (await npyWeights(path)).weights
    await writeFile(path, file.with(file.length - 1, 0x7f))
    await expectError(weight!.read(), 'weights-unreadable', /a\.npy: the bytes of tensor "a" have changed since/)
    await writeFile(path, file.slice(0, -1))
    await expectError(weight!.read(), 'weights-truncated', /a\.npy/)
    await writeFile(path, file)
    await expectValid(weight!)
  })
})
