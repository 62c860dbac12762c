import { bytesPerElement, type DType, type Weight } from '@tensor-assay/core'
import { type ByteSource, quoted, truncated, unreadable } from './byte-source.ts'
import { countKeys, isRecord, parseJson } from './json.ts'
import { maxSafetensorsHeaderBytes, maxTensors } from './limits.ts'
import { elementCount, isSize, shapeProblem } from './shape.ts'
import { fileStore, type LoadedWeights, loadWeight, overSize, type SkippedTensor } from './store.ts'

const dtypeOfFormat = new Map<string, DType>([
  ['F64', 'float64'],
  ['F32', 'float32'],
  ['F16', 'float16'],
  ['BF16', 'bfloat16'],
  ['I64', 'int64'],
  ['I32', 'int32'],
  ['I16', 'int16'],
  ['U16', 'uint16'],
  ['I8', 'int8'],
  ['U8', 'uint8'],
])

interface HeaderEntry {
  readonly name: string
  readonly dtype: string
  readonly shape: readonly number[]
  /** Of the data section, which starts after the header. */
  readonly begin: number
  readonly end: number
}

/** True for bytes that start like a `.safetensors` file: a length of eight bytes, whose upper half is 0, and `{`. */
export function isSafetensors(head: Uint8Array): boolean {
  return head[8] === 0x7b && head.subarray(4, 8).every((byte) => byte === 0)
}

/**
 * The tensors of a `.safetensors` file, in the order of their bytes.
 *
 * The format's rules are enforced: the tensors cover the data section without a hole or an overlap, and no key appears
 * twice, so that no two readers see different weights in the same file. Tensors of a type outside `DType`, those of later
 * versions of the format included, are listed under `skipped`; their sizes are not compared with their shapes.
 *
 * @throws {AssayError} `weights-unreadable`, `weights-truncated`, or `dtype-unsupported` if every tensor is of a type
 *   that cannot be held.
 * @see https://github.com/huggingface/safetensors, "Format".
 */
export async function readSafetensors(source: ByteSource): Promise<LoadedWeights> {
  const { entries, dataOffset } = await readHeader(source)
  const weights: Weight[] = []
  const skipped: SkippedTensor[] = []
  for (const entry of entries) {
    const { name, shape, begin, end } = entry
    const dtype = dtypeOfFormat.get(entry.dtype)
    if (dtype === undefined) {
      const known = [...dtypeOfFormat.keys()].join(', ')
      skipped.push({ name, code: 'dtype-unsupported', reason: `${quoted(entry.dtype)} is not one of ${known}` })
      continue
    }
    const byteLength = elementCount(shape) * bytesPerElement[dtype]
    if (byteLength !== end - begin) {
      const declared = `shape [${shape}] of ${entry.dtype} takes ${byteLength} bytes, its offsets span ${end - begin}`
      throw unreadable(source.name, `tensor ${quoted(name)}: ${declared}`)
    }
    const tensor = { name, dtype, shape, read: () => source.read(dataOffset + begin, byteLength) }
    const tooLarge = overSize(tensor)
    if (tooLarge !== undefined) skipped.push(tooLarge)
    else weights.push(await loadWeight(source.name, tensor))
  }
  return fileStore(source.name, weights, skipped)
}

async function readHeader(source: ByteSource): Promise<{ entries: HeaderEntry[]; dataOffset: number }> {
  const { name, byteLength } = source
  if (byteLength < 8) throw truncated(name, 'the length of its header', 8, byteLength)
  const prefix = await source.read(0, 8)
  const length = new DataView(prefix.buffer, prefix.byteOffset, 8).getBigUint64(0, true)
  if (length > maxSafetensorsHeaderBytes) {
    throw unreadable(name, `a header of ${length} bytes is over the limit of ${maxSafetensorsHeaderBytes}`)
  }
  const dataOffset = 8 + Number(length)
  if (dataOffset > byteLength) throw truncated(name, 'its header', dataOffset, byteLength)
  const entries = parseHeader(name, await source.read(8, Number(length)))
  entries.sort((a, b) => a.begin - b.begin || a.end - b.end)
  let covered = 0
  for (const entry of entries) {
    if (entry.begin !== covered) {
      const what = entry.begin < covered ? 'overlaps the tensor before it' : 'leaves a hole before it'
      throw unreadable(
        name,
        `tensor ${quoted(entry.name)} begins at data byte ${entry.begin} and ${what}: expected ${covered}`,
      )
    }
    covered = entry.end
  }
  const end = dataOffset + covered
  if (end > byteLength) throw truncated(name, `tensor ${quoted(entries.at(-1)?.name)}`, end, byteLength)
  if (end < byteLength) throw unreadable(name, `${byteLength - end} bytes at the end belong to no tensor`)
  return { entries, dataOffset }
}

function parseHeader(name: string, bytes: Uint8Array): HeaderEntry[] {
  if (bytes[0] !== 0x7b) throw unreadable(name, "expected its header to start with '{'")
  const { value: header, text } = parseJson(name, bytes)
  if (!isRecord(header)) throw unreadable(name, 'expected its header to be a JSON object')
  const { __metadata__: metadata, ...tensors } = header
  const names = Object.keys(tensors)
  if (names.length > maxTensors) throw unreadable(name, `${names.length} tensors are over the limit of ${maxTensors}`)
  if (metadata !== undefined && !(isRecord(metadata) && Object.values(metadata).every((v) => typeof v === 'string'))) {
    throw unreadable(name, 'expected __metadata__ to map strings to strings')
  }
  const entries = names.map((tensorName) => parseEntry(name, tensorName, tensors[tensorName]))
  // JSON.parse keeps the last of two equal keys where another reader may keep the first.
  const keys = Object.keys(header).length + 3 * names.length + Object.keys(metadata ?? {}).length
  if (countKeys(text) !== keys) throw unreadable(name, 'its header has the same key twice')
  return entries
}

function parseEntry(source: string, name: string, value: unknown): HeaderEntry {
  const where = `tensor ${quoted(name)}`
  if (!isRecord(value)) throw unreadable(source, `${where} is not an object`)
  const { dtype, shape, data_offsets: offsets, ...rest } = value
  const extra = Object.keys(rest)[0]
  if (extra !== undefined) throw unreadable(source, `${where} has an unknown field ${quoted(extra)}`)
  if (typeof dtype !== 'string') throw unreadable(source, `${where}: dtype is not a string`)
  const problem = shapeProblem(shape)
  if (problem !== undefined) throw unreadable(source, `${where}: ${problem}`)
  const [begin, end, ...more] = Array.isArray(offsets) ? offsets : []
  if (!isSize(begin) || !isSize(end) || begin > end || more.length > 0) {
    throw unreadable(source, `${where}: expected data_offsets to be [begin, end]`)
  }
  return { name, dtype, shape: shape as number[], begin, end }
}
