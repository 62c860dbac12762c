// Before ONNX Runtime loads: its Linux binaries report home otherwise.
process.env.ORT_DISABLE_TELEMETRY = '1'

import { createRequire } from 'node:module'
import { checkRow, identityEpilogue, prepareMatrix, profiles, quantizeRow, settleDoubt } from '@tensor-assay/core'
import { encodeModel } from '@tensor-assay/onnx-model'
import type * as ort from 'onnxruntime-node'
import { expect, test } from 'vitest'

const { InferenceSession, Tensor } = createRequire(import.meta.url)('onnxruntime-node') as typeof ort
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
const wave = (i: number) => Math.sin(0.37 * i * i + i) + 0.3 * Math.cos(0.11 * i)

/** A product by weights of 4 bits, whose left operand ONNX Runtime rounds to 8 bits. */
async function product(m: number, k: number, n: number, blockSize: number) {
  const blocks = k / blockSize
  const packed = Uint8Array.from({ length: (n * k) / 2 }, (_, i) => Math.floor(1e4 * Math.abs(wave(i))) & 0xff)
  const scales = Float32Array.from({ length: n * blocks }, (_, i) => 0.01 + 0.005 * Math.abs(wave(3 * i)))
  const a = Float32Array.from({ length: m * k }, (_, i) => wave(i))
  const model = encodeModel({
    irVersion: 8,
    opsets: { '': 17, 'com.microsoft': 1 },
    graph: {
      name: 'product',
      nodes: [
        {
          name: 'product',
          opType: 'MatMulNBits',
          domain: 'com.microsoft',
          inputs: ['a', 'packed', 'scales'],
          outputs: ['c'],
          attributes: { K: BigInt(k), N: BigInt(n), bits: 4n, block_size: BigInt(blockSize), accuracy_level: 4n },
        },
      ],
      initializers: [
        { name: 'packed', type: 'uint8', dims: [n, blocks, blockSize / 2], bytes: packed },
        { name: 'scales', type: 'float32', dims: [n * blocks], bytes: bytesOf(scales) },
      ],
      inputs: [{ name: 'a', type: 'float32', dims: [m, k] }],
      outputs: [{ name: 'c', type: 'float32', dims: [m, n] }],
    },
  })
  const session = await InferenceSession.create(model, { executionProviders: ['cpu'] })
  const { c } = await session.run({ a: new Tensor('float32', a, [m, k]) })
  await session.release()
  const columns = Float32Array.from({ length: n * k }, (_, i) => {
    const q = (packed[i >> 1]! >> (4 * (i & 1))) & 15
    return (q - 8) * scales[Math.floor(i / blockSize)]!
  })
  const b = prepareMatrix({ bytes: bytesOf(columns), dtype: 'float32', k, n, transposed: true })
  return { a, b, c: c!.data as Float32Array }
}

test.each([
  [1, 256, 32],
  [1, 2048, 128],
  [5, 512, 16],
  [5, 1024, 64],
])(
  'MatMulNBits at accuracy level 4 is float32 after its left operand was rounded: %i rows, k = %i, blocks of %i',
  async (m, k, blockSize) => {
    const n = 48
    const { a, b, c } = await product(m, k, n, blockSize)
    for (let i = 0; i < m; i++) {
      const row = Float64Array.from(a.subarray(i * k, (i + 1) * k))
      const claimed = Float64Array.from(c.subarray(i * n, (i + 1) * n))
      const opened = { b, c: claimed, profile: profiles.float32, epilogue: identityEpilogue }
      const rounded = (size: number) => settleDoubt(quantizeRow(row, size), b, claimed)
      const result = checkRow({ ...opened, a: rounded(blockSize) })
      expect(result.outcome).toBe('accept')
      expect(result.largestRatio).toBeLessThan(4)
      // Neither the row as it was opened nor other blocks explain the result.
      expect(checkRow({ ...opened, a: row }).outcome).toBe('reject')
      expect(checkRow({ ...opened, a: rounded(2 * blockSize) }).outcome).toBe('reject')
    }
  },
)
