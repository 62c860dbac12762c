import { bytesSource, dequantiseBlocks, readModel, tensorBytes } from '@tensor-assay/onnx-model'
import * as ort from 'onnxruntime-node'
import { describe, expect, test } from 'vitest'
import { unblockFilters } from '../../src/graph/blocked-filters.ts'
import { auditedSessions } from '../../src/index.ts'
import { generatedModels, type TestModel } from '../models/index.ts'
import { feedsFor, Recorder } from '../support/ort.ts'

describe('unblockFilters', () => {
  test('gives back the very bytes of the model', async () => {
    const models = ['cnn', 'blocked convolutions', 'residual', 'mobilenet'].map(
      (name) => generatedModels.find((m) => m.name === name)!,
    )
    let blocked = 0
    for (const model of models) blocked += await compare(model)
    if (blocked === 0) console.log('skipped: this CPU has no blocked convolutions')
  })

  async function compare(model: TestModel): Promise<number> {
    const source = bytesSource(model.file)
    const originals = [...readModel(source).graph.initializers.values()]
      .filter(({ dims }) => dims.length === 4)
      .map((tensor) => Buffer.from(tensorBytes(source, tensor)).toString('base64'))
    let found = 0
    using recorder = new Recorder((run) => {
      for (const { statement } of run.plan.products) {
        const { b, form } = statement
        if (b.kind !== 'blocked-filters' || form.kind !== 'convolution') continue
        found++
        const { dims, bytes } = run.value(b.value)!
        const filters = unblockFilters(
          bytes(),
          dims,
          form.groups,
          b.outChannels,
          run.value(statement.a)!.dims[1]! / form.groups,
          run.filterBlock,
        )
        expect(originals).toContain(Buffer.from(filters).toString('base64'))
        expect(originals).not.toContain(Buffer.from(bytes()).toString('base64'))
      }
    })
    const session = await auditedSessions(ort).create(model.file, { logSeverityLevel: 3 })
    await session.run(feedsFor(session, model.feeds))
    for (const failure of recorder.failures) throw failure
    return found
  }

  test('knows both orders, whatever the machine', () => {
    // Filters [4, 2, 1, 2] in blocks of 2, numbered as they lie in the model.
    const lie = (order: number[]) => new Uint8Array(Uint32Array.from(order).buffer)
    const inOrder = lie(Array.from({ length: 16 }, (_, i) => i))
    // [out / 2, in / 2, space, 2 of in, 2 of out].
    const both = lie([0, 4, 2, 6, 1, 5, 3, 7, 8, 12, 10, 14, 9, 13, 11, 15])
    expect(unblockFilters(both, [4, 2, 1, 2], 1, 4, 2, 2)).toEqual(inOrder)
    // [out / 2, in, space, 2 of out]: fewer input channels than a block has, or a depthwise convolution.
    const few = lie([0, 2, 1, 3, 4, 6, 5, 7])
    expect(unblockFilters(few, [4, 1, 1, 2], 1, 4, 1, 2)).toEqual(lie([0, 1, 2, 3, 4, 5, 6, 7]))
    expect(unblockFilters(few, [4, 1, 1, 2], 4, 4, 1, 2)).toEqual(lie([0, 1, 2, 3, 4, 5, 6, 7]))
    // Without what fills up the last block, of filters or of input channels.
    expect(unblockFilters(few, [4, 1, 1, 2], 1, 3, 1, 2)).toEqual(lie([0, 1, 2, 3, 4, 5]))
    expect(unblockFilters(both, [4, 2, 1, 2], 1, 4, 1, 2)).toEqual(lie([0, 1, 4, 5, 8, 9, 12, 13]))
  })
})

describe('dequantiseBlocks', () => {
  test('numbers of 2, 4 and 8 bits, with and without zero points', () => {
    const shape = { k: 4, n: 1, blockSize: 2 }
    const scales = Float32Array.of(0.5, 2)
    const nibbles = { packed: Uint8Array.of(0x98, 0xf0), scales }
    expect([...dequantiseBlocks({ ...shape, bits: 4 }, nibbles)]).toEqual([0, 0.5, -16, 14])
    const withZeros = { ...nibbles, zeroPoints: Uint8Array.of(0x07) }
    expect([...dequantiseBlocks({ ...shape, bits: 4 }, withZeros)]).toEqual([0.5, 1, 0, 30])
    const withFloats = { ...nibbles, zeroPoints: Float32Array.of(8.5, 0) }
    expect([...dequantiseBlocks({ ...shape, bits: 4 }, withFloats)]).toEqual([-0.25, 0.25, 0, 30])
    const bytes = { packed: Uint8Array.of(128, 129, 0, 255), scales }
    expect([...dequantiseBlocks({ ...shape, bits: 8 }, bytes)]).toEqual([0, 0.5, -256, 254])
    const pairs = { packed: Uint8Array.of(0b11_10_01_00), scales }
    expect([...dequantiseBlocks({ ...shape, bits: 2 }, pairs)]).toEqual([-1, -0.5, 0, 2])
  })

  test('a last block that is not full', () => {
    const parts = { packed: Uint8Array.of(0x99, 0x0a), scales: Float32Array.of(1, 10) }
    expect([...dequantiseBlocks({ k: 3, n: 1, bits: 4, blockSize: 2 }, parts)]).toEqual([1, 1, 20])
  })

  test('parts that do not fit together', () => {
    const shape = { k: 4, n: 1, bits: 4, blockSize: 2 }
    const parts = { packed: new Uint8Array(2), scales: new Float32Array(2) }
    expect(() => dequantiseBlocks(shape, { ...parts, packed: new Uint8Array(3) })).toThrow(RangeError)
    expect(() => dequantiseBlocks(shape, { ...parts, scales: new Float32Array(1) })).toThrow(RangeError)
    expect(() => dequantiseBlocks(shape, { ...parts, zeroPoints: new Uint8Array(2) })).toThrow(/expected 1 elements/)
    expect(() => dequantiseBlocks(shape, { ...parts, zeroPoints: new Float32Array(1) })).toThrow(/expected 2 elements/)
  })
})
