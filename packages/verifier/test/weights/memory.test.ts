import { weightDigest } from '@tensor-assay/core'
import { describe, expect, it } from 'vitest'
import { memoryWeights } from '../../src/index.ts'
import { bytesOf, expectValid } from './helpers.ts'

describe('memoryWeights', () => {
  it.each([
    [new Float64Array([1, 2]), 'float64'],
    [new Float32Array([1, 2]), 'float32'],
    [new BigInt64Array([1n, 2n]), 'int64'],
    [new Int32Array([1, 2]), 'int32'],
    [new Int16Array([1, 2]), 'int16'],
    [new Uint16Array([1, 2]), 'uint16'],
    [new Int8Array([1, 2]), 'int8'],
    [new Uint8Array([1, 2]), 'uint8'],
    [Buffer.from([1, 2]), 'uint8'],
  ] as const)('takes the element type from the array: %o', async (data, dtype) => {
    const store = memoryWeights([{ name: 'w', shape: [2], data }])
    const [weight] = store.weights
    expect(weight).toMatchObject({ name: 'w', dtype, shape: [2], byteLength: data.byteLength })
    expect(weight!.digest).toBe(weightDigest(dtype, bytesOf(data)))
    expect(store.find(weight!.digest)).toBe(weight)
    await expectValid(weight!)
  })

  it('reads a view at its offset, not its whole buffer', async () => {
    const data = new Float32Array([9, 1, 2, 9]).subarray(1, 3)
    const [weight] = memoryWeights([{ name: 'w', shape: [2], data }]).weights
    expect(await weight!.read()).toEqual(bytesOf(new Float32Array([1, 2])))
  })

  it('takes raw bytes of a type that has no array', () => {
    const one = { name: 'one', shape: [1], dtype: 'bfloat16' } as const
    const store = memoryWeights([
      { ...one, data: new Uint8Array([0x80, 0x3f]) },
      { ...one, data: new Uint16Array([0x3f80]) },
    ])
    expect(store.weights[0]!.digest).toBe(store.weights[1]!.digest)
    expect(store.find(store.weights[1]!.digest)).toBe(store.weights[0])
  })

  it('keeps its own copy of the data and gives out copies', async () => {
    const data = new Float32Array([1, 2])
    const shape = [2]
    const [weight] = memoryWeights([{ name: 'w', shape, data }]).weights
    data[0] = 7
    shape[0] = 7
    const first = await weight!.read()
    first[0] = 7
    expect(weight!.shape).toEqual([2])
    expect(await weight!.read()).toEqual(bytesOf(new Float32Array([1, 2])))
    await expectValid(weight!)
  })

  it('tells the same bytes of two types apart', () => {
    const data = new Uint8Array(4)
    const store = memoryWeights([
      { name: 'a', shape: [1], dtype: 'float32', data },
      { name: 'b', shape: [1], dtype: 'int32', data },
    ])
    expect(store.weights[0]!.digest).not.toBe(store.weights[1]!.digest)
  })

  it.each([
    [{ shape: [3], data: new Float32Array(2) }, RangeError, /shape \[3\] of float32 takes 12 bytes, got 8/],
    [{ shape: [-1], data: new Float32Array(2) }, RangeError, /-1 is not a dimension/],
    [{ shape: [1.5], data: new Float32Array(2) }, RangeError, /1.5 is not a dimension/],
    [{ shape: new Array(33).fill(1), data: new Float32Array(1) }, RangeError, /33 dimensions/],
    [{ shape: [2 ** 30, 2 ** 30], data: new Float32Array(1) }, RangeError, /2⁵³/],
    [{ shape: 2, data: new Float32Array(2) }, RangeError, /not a list/],
    [{ shape: [2], data: [1, 2] }, TypeError, /got Array/],
    [{ shape: [2], data: new DataView(new ArrayBuffer(2)) }, TypeError, /got DataView/],
    [{ shape: [2], dtype: 'int32', data: new Float32Array(2) }, TypeError, /dtype is int32, but data is Float32Array/],
    [{ shape: [2], dtype: 'toString', data: new Uint8Array(2) }, TypeError, /'toString' is not a dtype/],
  ])('refuses %o', (entry, type, message) => {
    const build = () => memoryWeights([{ name: 'w', ...entry } as never])
    expect(build).toThrow(type)
    expect(build).toThrow(message)
  })
})
