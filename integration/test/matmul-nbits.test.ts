// Before ONNX Runtime loads: its Linux binaries report home otherwise.
process.env.ORT_DISABLE_TELEMETRY = '1'

import { createRequire } from 'node:module'
import {
  checkRow,
  identityEpilogue,
  type Manifest,
  type ManifestProduct,
  prepareMatrix,
  profiles,
  quantizeRow,
  settleDoubt,
  type Verdict,
  type WeightStore,
} from '@tensor-assay/core'
import { encodeModel } from '@tensor-assay/onnx-model'
import { interactive, spot } from '@tensor-assay/verifier'
import type * as ort from 'onnxruntime-node'
import { beforeAll, describe, expect, test } from 'vitest'
import { node, onnxFile, type TestModel } from '../../packages/backend-onnx/test/models/writer.ts'
import { dishonestly } from '../support/dishonestly.ts'
import { auditOnnx, manifestOf, publicWeights } from '../support/onnx-audit.ts'

const { InferenceSession, Tensor } = createRequire(import.meta.url)('onnxruntime-node') as typeof ort
const bytesOf = ({ buffer, byteOffset, byteLength }: ArrayBufferView) =>
  new Uint8Array(buffer as ArrayBuffer, byteOffset, byteLength)
const wave = (i: number) => Math.sin(0.37 * i * i + i) + 0.3 * Math.cos(0.11 * i)

/** Weights that look random, as an ONNX file has them, and a model of one product by them. */
function modelOf({ k = 256, n = 48, blockSize = 32, bits = 4, level = 4 }): TestModel {
  const blocks = k / blockSize
  const packed = Uint8Array.from({ length: (n * k * bits) / 8 }, (_, i) => Math.floor(1e4 * Math.abs(wave(i))) & 0xff)
  const scales = Float32Array.from({ length: n * blocks }, (_, i) => 0.01 + 0.005 * Math.abs(wave(3 * i)))
  const attributes = { K: BigInt(k), N: BigInt(n), bits: BigInt(bits), block_size: BigInt(blockSize) }
  const file = onnxFile(
    {
      nodes: [
        node('MatMulNBits', ['x', 'q', 's'], 'y', { ...attributes, accuracy_level: BigInt(level) }, 'com.microsoft'),
      ],
      initializers: [
        { name: 'q', type: 'uint8', dims: [n, blocks, (blockSize * bits) / 8], bytes: packed },
        { name: 's', type: 'float32', dims: [n, blocks], bytes: bytesOf(scales) },
      ],
      inputs: [{ name: 'x', type: 'float32', dims: ['m', k] }],
      outputs: [{ name: 'y', type: 'float32' }],
    },
    { opsets: { '': 21, 'com.microsoft': 1 }, irVersion: 10 },
  )
  const feeds = { x: { type: 'float32', data: Float32Array.from({ length: 6 * k }, (_, i) => wave(i)), dims: [6, k] } }
  return { name: `level ${level}`, file, feeds } as TestModel
}

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

const options = { executionProviders: ['cpu'], logSeverityLevel: 3 } as const
const reasons = ({ findings }: Verdict) => findings.map(({ reason }) => reason)
const blocksOf = ({ operations }: Manifest) =>
  operations.map((operation) => (operation as ManifestProduct).roundedBlocks)

describe.each([
  [0, 4, 32, undefined],
  [4, 4, 32, 32],
  [4, 8, 64, 64],
  // There is no kernel for it that rounds: the CPU computes in floating point.
  [4, 2, 16, undefined],
])('a model of MatMulNBits at level %i, %i bits in blocks of %i', (level, bits, blockSize, roundedBlocks) => {
  const model = modelOf({ level, bits, blockSize })
  let weights: WeightStore
  let manifest: Manifest
  beforeAll(async () => {
    weights = await publicWeights(model.file)
    manifest = await manifestOf(model, weights, options)
  })

  test.each([
    ['interactive', interactive()],
    ['spot', spot()],
  ])('passes an honest %s run as its manifest says it computes', async (_, policy) => {
    expect(blocksOf(manifest)).toEqual([roundedBlocks])
    const { verdict } = await auditOnnx({ model, weights, options, manifest, policy })
    expect(verdict.findings).toEqual([])
    expect(verdict.coverage).toMatchObject({ operations: 1, audited: 1, opaque: 0 })
  })

  test('without a manifest passes if the policy accepts what it does', async () => {
    const { verdict } = await auditOnnx({ model, weights, options })
    expect(reasons(verdict)[0]).toBe(roundedBlocks === undefined ? undefined : 'profile-refused')
    const policy = interactive({ acceptRounding: true })
    expect((await auditOnnx({ model, weights, options, policy })).verdict.findings).toEqual([])
  })

  test('fails a run that declares otherwise than it computed', async () => {
    const dishonest = dishonestly(({ roundedBlocks: blocks, ...product }) =>
      blocks === undefined ? { ...product, roundedBlocks: blockSize } : product,
    )
    const declared = await auditOnnx({ model, weights, options, manifest, dishonest })
    expect(reasons(declared.verdict)).toContain('operation-mismatch')
    const policy = interactive({ acceptRounding: true })
    const found = await auditOnnx({ model, weights, options, policy, dishonest })
    expect(reasons(found.verdict)).toContain('value-out-of-tolerance')
  })
})

test('a run that rounds where the model does not is refused, whether it says so or not', async () => {
  const model = modelOf({ level: 0 })
  const run = modelOf({ level: 4 }).file
  const weights = await publicWeights(model.file)
  const manifest = await manifestOf(model, weights, options)
  expect(reasons((await auditOnnx({ model, weights, options, run })).verdict)[0]).toBe('profile-refused')
  expect(reasons((await auditOnnx({ model, weights, options, run, manifest })).verdict)).toContain('operation-mismatch')
  const dishonest = dishonestly(({ roundedBlocks: _hidden, ...product }) => product)
  const { verdict } = await auditOnnx({ model, weights, options, run, manifest, dishonest })
  expect(reasons(verdict)).toContain('value-out-of-tolerance')
})
