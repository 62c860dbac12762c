import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs'
import { join as joinPath } from 'node:path'
import { describe, expect, test } from 'vitest'
import { encodeModel, intField, join, type OnnxTensor, readModel, tensorBytes } from '../src/index.ts'
import { externalBytes, externalPlace, openFile } from '../src/node/index.ts'
import { bytesOf, encode, expectError, folderOf, read } from './helpers.ts'

describe('openFile', () => {
  test('reads a model in pieces, the same as from memory', () => {
    const values = Float32Array.from({ length: 50_000 }, (_, i) => i)
    const tensor = (name: string) => ({ name, type: 'float32' as const, dims: [50_000], bytes: bytesOf(values) })
    const nodes = Array.from({ length: 3000 }, (_, i) => {
      return { name: `node ${i}`, opType: 'Relu', inputs: [`v${i}`], outputs: [`v${i + 1}`] }
    })
    const bytes = encodeModel({
      irVersion: 8,
      opsets: { '': 17 },
      graph: { nodes, initializers: ['a', 'b'].map(tensor) },
    })
    const path = joinPath(folderOf({ 'model.onnx': bytes }), 'model.onnx')
    using file = openFile(path)
    const { graph } = readModel(file)
    expect(graph.nodes).toEqual(read(bytes).graph.nodes)
    for (const name of ['a', 'b']) expect(tensorBytes(file, graph.initializers.get(name)!)).toEqual(bytesOf(values))
    file.close()
    expectError(() => file.view(0, 1), 'weights-unreadable', /read after it had been closed/)
    file.close()
  })

  test('reads a model of 5 GB without reading its elements', () => {
    // A sparse file: an initializer of 5 · 2³⁰ bytes, and behind it a node.
    const size = 5 * 2 ** 30
    const head = join([
      ...[size].map((n) => intField(1, n)),
      intField(2, 2),
      Uint8Array.of(0x42, 1, 0x77, 0x4a),
      varint(size),
    ])
    const tensor = join([Uint8Array.of(0x2a), varint(head.length + size), head])
    const node = Uint8Array.of(0x0a, 6, 0x22, 4, ...new TextEncoder().encode('Relu'))
    const graph = join([Uint8Array.of(0x3a), varint(tensor.length + size + node.length)])
    const start = join([graph, tensor])
    const path = joinPath(folderOf({ 'model.onnx': start }), 'model.onnx')
    const descriptor = openSync(path, 'r+')
    ftruncateSync(descriptor, start.length + size)
    writeSync(descriptor, node, 0, node.length, start.length + size)
    writeSync(descriptor, Uint8Array.of(9), 0, 1, start.length + size - 1)
    closeSync(descriptor)
    using file = openFile(path)
    const model = readModel(file)
    expect(model.graph.nodes.map(({ opType }) => opType)).toEqual(['Relu'])
    const { data, dims } = model.graph.initializers.get('w')!
    expect(dims).toEqual([size])
    if (data.kind !== 'raw') throw new Error('expected raw data')
    expect(data.range.length).toBe(size)
    expect(file.view(data.range.offset + size - 2, 2)).toEqual(Uint8Array.of(0, 9))
  })

  test('no file, a folder, a file that shrinks', () => {
    const folder = folderOf({ 'model.onnx': new Uint8Array(100_000) })
    expectError(() => openFile(joinPath(folder, 'other.onnx')), 'weights-unreadable', /there is no such file/)
    expectError(() => openFile(folder), 'weights-unreadable', /expected a file/)
    using file = openFile(joinPath(folder, 'model.onnx'))
    truncateSync(joinPath(folder, 'model.onnx'), 50)
    expectError(() => file.view(40, 20_000), 'model-malformed', /ends at byte 50, expected 20040/)
  })
})

function varint(value: number): Uint8Array {
  return intField(1, value).slice(1)
}

describe('external data', () => {
  function external(entries: Record<string, string>, dims = [2n]): OnnxTensor {
    const externalData = Object.entries(entries).map(([key, value]) => ({ key, value }))
    const tensor = { name: 'w', dataType: 1, dims, dataLocation: 1, externalData }
    return read(encode('ModelProto', { graph: { initializer: [tensor] } })).graph.initializers.get('w')!
  }
  const data = bytesOf(Float32Array.of(1, 2, 3, 4))

  test('is read where it lies', () => {
    const folder = folderOf({ 'w.bin': data })
    mkdirSync(joinPath(folder, 'deep'))
    writeFileSync(joinPath(folder, 'deep', 'v.bin'), data)
    expect(externalBytes(folder, external({ location: 'w.bin', offset: '8', length: '8' }))).toEqual(data.slice(8))
    expect(externalBytes(folder, external({ location: 'w.bin' }))).toEqual(data.slice(0, 8))
    expect(externalBytes(folder, external({ location: 'deep/v.bin' }))).toEqual(data.slice(0, 8))
    const place = externalPlace(folder, external({ location: './w.bin', offset: '4' }))
    expect(place).toMatchObject({ offset: 4, length: 8, path: expect.stringMatching(/w\.bin$/) })
  })

  test('is refused outside the folder of the model', () => {
    const outside = folderOf({ 'secret.bin': data })
    const folder = folderOf({ 'w.bin': data })
    symlinkSync(joinPath(outside, 'secret.bin'), joinPath(folder, 'link.bin'))
    symlinkSync(outside, joinPath(folder, 'linked'))
    const locations = ['../secret.bin', 'a/../../secret.bin', 'a\\..\\..\\secret.bin', joinPath(outside, 'secret.bin')]
    for (const location of [...locations, 'link.bin', 'linked/secret.bin', '.', 'w.bin\0']) {
      expectError(
        () => externalBytes(folder, external({ location })),
        'model-malformed',
        /outside the folder of its model/,
      )
    }
  })

  test('is refused where it is missing, too short or of the wrong size', () => {
    const folder = folderOf({ 'w.bin': data })
    expectError(() => externalBytes(folder, external({ location: 'v.bin' })), 'weights-unreadable', /no such file/)
    expectError(
      () => externalBytes(folder, external({ location: 'w.bin', offset: '12' })),
      'weights-truncated',
      /"w" ends at byte 20, but there are only 16/,
    )
    expectError(
      () => externalBytes(folder, external({ location: 'w.bin', length: '12' })),
      'model-malformed',
      /takes 8 bytes, but has 12/,
    )
  })

  test('is refused where the model does not say where it is', () => {
    expectError(() => external({}), 'model-malformed', /does not say in which file/)
    for (const offset of ['-1', '1e3', '99999999999999999999', '']) {
      expectError(() => external({ location: 'w.bin', offset }), 'model-malformed', /offset of external tensor "w"/)
    }
  })
})
