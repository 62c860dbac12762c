import { AssayError, bytesPerElement, type Weight, weightDigest } from '@tensor-assay/core'
import { bytesSource, type LoadedWeights, readNpy, readSafetensors, readTfjs } from '@tensor-assay/verifier'
import { join } from '../damage.ts'
import type { Random } from '../random.ts'
import { attemptLater, promised, refused, sameBytes, type Target } from '../target.ts'
import { rewriteJson } from './files.ts'

const utf8 = new TextEncoder()
const codes = ['weights-unreadable', 'weights-truncated', 'dtype-unsupported'] as const
const numbers = Uint8Array.from({ length: 64 }, (_, i) => i * 37)
const jsonTokens = [
  'null',
  '1e999',
  '-0',
  '-1',
  '9007199254740993',
  '{}',
  '[]',
  '[0]',
  '"__proto__":1,',
  ',',
  '"shape"',
]

/** A weight is what it says: of the size of its shape, with the digest of its bytes, the same on every read. */
async function sound({ weights }: Pick<LoadedWeights, 'weights'>): Promise<void> {
  for (const weight of weights) {
    const bytes = await weight.read()
    promised(weight.byteLength === elements(weight) * bytesPerElement[weight.dtype], 'a weight has another size')
    promised(bytes.length === weight.byteLength, 'a weight gives another number of bytes')
    promised(weightDigest(weight.dtype, bytes) === weight.digest, 'a weight has another digest')
    promised(sameBytes(bytes, await weight.read()), 'a weight changes from one read to the next')
  }
}

function elements({ shape }: Weight): number {
  return shape.reduce((product, dimension) => product * dimension, 1)
}

export function safetensorsFile(header: unknown, data: Uint8Array): Uint8Array {
  const json = utf8.encode(JSON.stringify(header))
  const length = new Uint8Array(8)
  new DataView(length.buffer).setUint32(0, json.length, true)
  return join(length, json, data)
}

export const safetensors: Target = {
  name: 'safetensors',
  maxInputBytes: 8192,
  // A tensor is read for its digest, and twice by the check.
  allowedBytes: (length) => 16_384 + 64 * length,
  tokens: [...jsonTokens, '"F32"', '"BF16"', '"data_offsets"', '"__metadata__":{},'].map((token) => utf8.encode(token)),
  seeds: () => [
    safetensorsFile({}, new Uint8Array(0)),
    safetensorsFile(
      {
        __metadata__: { format: 'pt' },
        a: { dtype: 'F32', shape: [2, 3], data_offsets: [0, 24] },
        b: { dtype: 'BF16', shape: [4], data_offsets: [24, 32] },
        none: { dtype: 'I8', shape: [0, 7], data_offsets: [32, 32] },
      },
      numbers.subarray(0, 32),
    ),
    safetensorsFile(
      {
        x: { dtype: 'F8_E4M3', shape: [1], data_offsets: [0, 9] },
        y: { dtype: 'U8', shape: [], data_offsets: [9, 10] },
      },
      numbers.subarray(0, 10),
    ),
  ],
  rewrite(input, random) {
    const length = input.length < 8 ? 0 : new DataView(input.buffer, input.byteOffset).getUint32(0, true)
    const header = rewriteJson(input.subarray(8, 8 + length), random)
    return join(withLength(8, header), header, input.subarray(8 + length))
  },
  async check(input) {
    const loaded = await attemptLater(() => readSafetensors(bytesSource(input, 'model.safetensors')), codes)
    if (loaded === refused) return false
    await sound(loaded)
    const covered = loaded.weights.reduce((sum, { byteLength }) => sum + byteLength, 0)
    promised(covered <= input.length, 'the tensors have more bytes than the file')
    return true
  },
}

function withLength(width: 2 | 4 | 8, bytes: Uint8Array): Uint8Array {
  const length = new Uint8Array(width)
  for (let i = 0; i < Math.min(4, width); i++) length[i] = bytes.length >>> (8 * i)
  return length
}

export function npyFile(header: string, data: Uint8Array, major = 1): Uint8Array {
  const bytes = utf8.encode(header)
  const magic = Uint8Array.of(0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59, major, 0)
  return join(magic, withLength(major === 1 ? 2 : 4, bytes), bytes, data)
}

const npyHeader = (descr: string, shape: string, order = 'False') =>
  `{'descr': '${descr}', 'fortran_order': ${order}, 'shape': ${shape}, }\n`

export const npy: Target = {
  name: 'npy',
  maxInputBytes: 2048,
  allowedBytes: (length) => 16_384 + 64 * length,
  tokens: [
    `'descr'`,
    `'shape'`,
    `'fortran_order'`,
    '(',
    ')',
    '(3,)',
    ',',
    'True',
    '0',
    '9999999999999999',
    'L',
    '<f4',
    '|u1',
    '\\',
  ].map((token) => utf8.encode(token)),
  seeds: () => [
    npyFile(npyHeader('<f4', '(2, 4)'), numbers.subarray(0, 32)),
    npyFile(npyHeader('<f2', '(2, 3, 2)', 'True'), numbers.subarray(0, 24), 2),
    npyFile(npyHeader('|u1', '()'), numbers.subarray(0, 1), 3),
    npyFile(npyHeader('<i8', '(0,)'), new Uint8Array(0)),
  ],
  async check(input) {
    const weight = await attemptLater(() => readNpy(bytesSource(input, 'array.npy')), codes)
    if (weight === refused) return false
    await sound({ weights: [weight] })
    promised(weight.byteLength < input.length, 'the array has more bytes than the file')
    return true
  },
}

const model = (weightsManifest: unknown) => utf8.encode(JSON.stringify({ format: 'layers-model', weightsManifest }))

/** The files of a model end to end, each behind its length (u16, little-endian): model.json, 1.bin, 2.bin. */
function pack(...files: readonly Uint8Array[]): Uint8Array {
  return join(...files.flatMap((file) => [withLength(2, file), file]))
}

function unpack(input: Uint8Array): Uint8Array[] {
  const files: Uint8Array[] = []
  for (let offset = 0; offset + 2 <= input.length && files.length < 3; ) {
    const end = offset + 2 + input[offset]! + 256 * input[offset + 1]!
    files.push(input.subarray(offset + 2, end))
    offset = end
  }
  return files
}

export const tfjs: Target = {
  name: 'tfjs',
  maxInputBytes: 8192,
  // Quantised elements of one byte become four; a tensor is read for its digest, and twice by the check.
  allowedBytes: (length) => 65_536 + 128 * length,
  isWhole: false,
  tokens: [...jsonTokens, '"paths"', '"quantization"', '"uint8"', '"float16"', '"string"', '../', 'C:'].map((token) =>
    utf8.encode(token),
  ),
  seeds: () => [
    pack(model([])),
    pack(
      model([
        {
          paths: ['1.bin', './2.bin'],
          weights: [
            { name: 'a', shape: [2], dtype: 'float32' },
            { name: 'b', shape: [4], dtype: 'float32', quantization: { dtype: 'uint8', scale: 0.5, min: -1 } },
            { name: 'c', shape: [1], dtype: 'string' },
            { name: 'd', shape: [2, 2], dtype: 'float32', quantization: { dtype: 'float16' } },
          ],
        },
      ]),
      numbers.subarray(0, 10),
      Uint8Array.of(9, 9, 2, 0, 0, 0, 65, 66, 0, 60, 0, 64, 0, 66, 0, 68),
    ),
    pack(
      model([
        { paths: ['1.bin'], weights: [{ name: 'flags', shape: [3], dtype: 'bool' }] },
        {
          paths: ['2.bin'],
          weights: [
            { name: 'z', shape: [1], dtype: 'complex64' },
            { name: 'i', shape: [], dtype: 'int32', quantization: { dtype: 'uint16', scale: 3, min: -9 } },
          ],
        },
      ]),
      numbers.subarray(0, 3),
      numbers.subarray(0, 10),
    ),
  ],
  rewrite(input, random: Random) {
    const [json = new Uint8Array(0), ...shards] = unpack(input)
    const changed = rewriteJson(json, random)
    return changed.length > 65_535 ? input : pack(changed, ...shards)
  },
  async check(input) {
    const [json, ...shards] = unpack(input)
    const open = async (path: string) => {
      const shard = shards[['1.bin', '2.bin'].indexOf(path)]
      if (shard === undefined) throw new AssayError('weights-unreadable', `there is no ${path}`)
      return bytesSource(shard, path)
    }
    const read = () => readTfjs(bytesSource(json ?? new Uint8Array(0), 'model.json'), open)
    const loaded = await attemptLater(read, codes)
    if (loaded === refused) return false
    await sound(loaded)
    return true
  },
}
