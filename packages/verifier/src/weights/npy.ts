import { AssayError, bytesPerElement, type DType, type Weight } from '@tensor-assay/core'
import { type ByteSource, quoted, truncated, unreadable } from './byte-source.ts'
import { maxNpyHeaderBytes } from './limits.ts'
import { type NpyHeader, parseNpyHeader } from './npy-header.ts'
import { rowMajorFromColumnMajor } from './row-major.ts'
import { elementCount, shapeProblem } from './shape.ts'
import { loadWeight, overSize } from './store.ts'

const dtypeOfDescr = new Map<string, DType>([
  ['f8', 'float64'],
  ['f4', 'float32'],
  ['f2', 'float16'],
  ['i8', 'int64'],
  ['i4', 'int32'],
  ['i2', 'int16'],
  ['u2', 'uint16'],
  ['i1', 'int8'],
  ['u1', 'uint8'],
])

const magic = [0x93, 0x4e, 0x55, 0x4d, 0x50, 0x59]

/** True for bytes that start like a `.npy` file. */
export function isNpy(head: Uint8Array): boolean {
  return magic.every((byte, i) => head[i] === byte)
}

/**
 * The array of a `.npy` file, format version 1, 2 or 3.
 *
 * A file in Fortran order, which NumPy writes for a transposed matrix, gives its elements in row-major order: those are
 * the bytes that a tensor library holds, and so the bytes that are hashed. Only little-endian files are read; `'='`, the
 * writer's own order, is refused because the file does not say which one that was (NumPy never writes it).
 *
 * @param name - Name of the weight.
 * @throws {AssayError} `weights-unreadable`, `weights-truncated`, or `dtype-unsupported` for big-endian arrays, arrays
 *   of objects and other element types outside `DType`.
 */
export async function readNpy(source: ByteSource, name = source.name): Promise<Weight> {
  const { header, dataOffset } = await readHeader(source)
  const dtype = elementType(source, header.descr)
  const problem = shapeProblem(header.shape)
  if (problem !== undefined) throw unreadable(source.name, problem)
  const { shape } = header
  const size = bytesPerElement[dtype]
  const byteLength = elementCount(shape) * size
  const end = dataOffset + byteLength
  if (end > source.byteLength) throw truncated(source.name, `the array [${shape}] of ${dtype}`, end, source.byteLength)
  if (end < source.byteLength) {
    throw unreadable(source.name, `${source.byteLength - end} bytes follow the array; expected one array to the file`)
  }
  const tensor = {
    name,
    dtype,
    shape,
    async read() {
      const bytes = await source.read(dataOffset, byteLength)
      return header.fortranOrder ? rowMajorFromColumnMajor(bytes, shape, size) : bytes
    },
  }
  const skipped = overSize(tensor)
  if (skipped !== undefined) throw new AssayError(skipped.code, `${source.name}: ${skipped.reason}`)
  return loadWeight(source.name, tensor)
}

async function readHeader(source: ByteSource): Promise<{ header: NpyHeader; dataOffset: number }> {
  const { name, byteLength } = source
  const head = await source.read(0, Math.min(12, byteLength))
  const seen = head.subarray(0, magic.length)
  if (!seen.every((byte, i) => byte === magic[i]))
    throw unreadable(name, 'expected a .npy file, which starts \\x93NUMPY')
  if (byteLength < 10) throw truncated(name, 'the length of its header', 10, byteLength)
  const [major, minor] = [head[6]!, head[7]!]
  if (major < 1 || major > 3 || minor !== 0) {
    throw unreadable(name, `expected .npy version 1.0, 2.0 or 3.0, got ${major}.${minor}`)
  }
  const headerOffset = major === 1 ? 10 : 12
  if (byteLength < headerOffset) throw truncated(name, 'the length of its header', headerOffset, byteLength)
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength)
  const length = major === 1 ? view.getUint16(8, true) : view.getUint32(8, true)
  if (length > maxNpyHeaderBytes) {
    throw unreadable(name, `a header of ${length} bytes is over the limit of ${maxNpyHeaderBytes}`)
  }
  const dataOffset = headerOffset + length
  if (dataOffset > byteLength) throw truncated(name, 'its header', dataOffset, byteLength)
  const bytes = await source.read(headerOffset, length)
  try {
    // Versions 1 and 2 say latin-1, but the headers accepted here are ASCII in every version.
    const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
    return { header: parseNpyHeader(text), dataOffset }
  } catch (cause) {
    throw unreadable(name, (cause as Error).message, cause)
  }
}

function elementType(source: ByteSource, descr: string): DType {
  const dtype = dtypeOfDescr.get(descr.slice(1))
  const order = descr[0]
  if (dtype !== undefined && (order === '<' || (order === '|' && bytesPerElement[dtype] === 1))) return dtype
  const hint = order === '>' || order === '=' ? '; save it little-endian, as in array.astype("<f4")' : ''
  throw new AssayError(
    'dtype-unsupported',
    `${source.name}: element type ${quoted(descr)} is not one of ${[...dtypeOfDescr.keys()].join(', ')} after '<'${hint}`,
  )
}
