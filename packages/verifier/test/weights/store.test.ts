import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { weightDigest } from '@tensor-assay/core'
import { describe, expect, it } from 'vitest'
import { combineWeights, memoryWeights, weights } from '../../src/index.ts'
import { bytesOf, expectError, folderOf, npyFile, npyHeader, safetensorsFile } from './helpers.ts'

const data = bytesOf(new Float32Array([1, 2]))
const entry = { dtype: 'F32', shape: [2], data_offsets: [0, 8] }
const model = { weightsManifest: [{ paths: ['s.bin'], weights: [{ name: 'w', shape: [2], dtype: 'float32' }] }] }
const files = {
  npy: npyFile(npyHeader('<f4', [2]), data),
  safetensors: safetensorsFile({ w: entry }, data),
  json: JSON.stringify(model),
}

describe('weights', () => {
  it.each([
    ['w.npy', files.npy],
    ['W.NPY', files.npy],
    ['w.safetensors', files.safetensors],
    ['model.json', files.json],
    ['npy', files.npy],
    ['safetensors.download', files.safetensors],
    ['model.txt', files.json],
    // A header of 123 bytes starts with the byte of '{'.
    ['brace', safetensorsFile(JSON.stringify({ w: entry }).padEnd(0x7b), data)],
  ])('reads %s', async (name, content) => {
    const folder = await folderOf({ [name]: content, 's.bin': data })
    const store = await weights(join(folder, name))
    expect(store.weights).toHaveLength(1)
    expect(await store.find(weightDigest('float32', data))?.read()).toEqual(data)
  })

  it.each([
    ['model.pt', 'some bytes'],
    ['empty', ''],
    ['s.bin', data],
  ])('says which formats it knows when it meets %s', async (name, content) => {
    const folder = await folderOf({ [name]: content })
    const says = /unknown format, expected \.npy, \.safetensors, \.onnx or model\.json/
    await expectError(weights(join(folder, name)), 'weights-unreadable', says)
  })

  it('takes the extension at its word', async () => {
    const folder = await folderOf({ 'w.npy': files.safetensors })
    await expectError(weights(join(folder, 'w.npy')), 'weights-unreadable', /expected a \.npy file/)
  })

  it('refuses a folder and a file that is not there', async () => {
    const folder = await folderOf({})
    await mkdir(join(folder, 'w.npy'))
    await expectError(weights(join(folder, 'w.npy')), 'weights-unreadable', /expected a file, found a folder/)
    await expectError(weights(join(folder, 'x.npy')), 'weights-unreadable', /there is no such file/)
  })
})

describe('combineWeights', () => {
  it('holds every weight and finds the first of equal ones', async () => {
    const a = memoryWeights([{ name: 'a', shape: [2], data: new Float32Array([1, 2]) }])
    const b = memoryWeights([
      { name: 'b', shape: [1, 2], data: new Float32Array([1, 2]) },
      { name: 'c', shape: [1], data: new Float32Array([3]) },
    ])
    const store = combineWeights(a, b)
    expect(store.weights.map(({ name }) => name)).toEqual(['a', 'b', 'c'])
    expect(store.find(b.weights[0]!.digest)).toBe(a.weights[0])
    expect(store.find(b.weights[1]!.digest)).toBe(b.weights[1])
    expect(combineWeights(b, a).find(a.weights[0]!.digest)).toBe(b.weights[0])
    expect(store.find('')).toBeUndefined()
  })

  it('keeps the lists of what was skipped', async () => {
    const header = { q: { dtype: 'F8_E4M3', shape: [1], data_offsets: [8, 9] }, w: entry }
    const folder = await folderOf({ 'm.safetensors': safetensorsFile(header, new Uint8Array(9)) })
    const store = combineWeights(memoryWeights([]), await weights(join(folder, 'm.safetensors')))
    expect(store.skipped.map(({ name }) => name)).toEqual(['q'])
  })

  it('is empty over nothing', () => {
    expect(combineWeights().weights).toEqual([])
  })
})
