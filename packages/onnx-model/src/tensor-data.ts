import { type ElementType, elementBits } from './element-type.ts'
import { malformed, quoted, unsupported } from './errors.ts'
import type { OnnxTensor } from './model.ts'
import { byteLengthOf, elementCount } from './read-tensor.ts'
import type { ByteRange, ModelSource } from './source.ts'
import { type WireField, WireReader } from './wire.ts'

/** Bytes of one tensor that is decoded out of number fields. Whoever writes large tensors writes raw bytes. */
export const maxDecodedBytes = 2 ** 30

/**
 * The elements of a tensor as ONNX Runtime holds them: little-endian, row-major, types of less than a byte packed with the
 * first element in the lowest bits.
 *
 * @param source - The file that the tensor was read from. External data is not in it: see `externalBytes` of
 *   `@tensor-assay/onnx-model/node`.
 * @returns A view where the file has raw bytes, which is not to be changed and may have any alignment; else a new buffer.
 * @throws {AssayError} `model-malformed` if the elements do not fill the shape, `model-unsupported` for text, unknown
 *   types and external data.
 */
export function tensorBytes(source: ModelSource, tensor: OnnxTensor): Uint8Array {
  const { data, type, name } = tensor
  const byteLength = byteLengthOf(tensor)
  if (type === undefined || byteLength === undefined) {
    throw unsupported(
      source,
      `tensor ${quoted(name)} has elements of ${type ?? 'an unknown type'}, which are not bytes`,
    )
  }
  if (data.kind === 'external') {
    throw unsupported(source, `the elements of tensor ${quoted(name)} lie in another file, ${quoted(data.location)}`)
  }
  if (data.kind === 'raw') return source.view(data.range.offset, data.range.length)
  if (byteLength > maxDecodedBytes) {
    throw unsupported(
      source,
      `tensor ${quoted(name)} has ${byteLength} bytes in number fields, over ${maxDecodedBytes}`,
    )
  }
  return decodeFields(source, tensor, type, data.message)
}

/** In which field of `TensorProto` the elements of a type are stored, and how many of its numbers make up an element. */
function storageOf(type: ElementType): { field: number; encoding: 'varint' | 'fixed32' | 'fixed64'; bytes: number } {
  switch (type) {
    case 'float32':
    case 'complex64':
      return { field: 4, encoding: 'fixed32', bytes: 4 }
    case 'float64':
    case 'complex128':
      return { field: 10, encoding: 'fixed64', bytes: 8 }
    case 'int64':
      return { field: 7, encoding: 'varint', bytes: 8 }
    case 'uint64':
      return { field: 11, encoding: 'varint', bytes: 8 }
    case 'uint32':
      // Declared as 64-bit numbers.
      return { field: 11, encoding: 'varint', bytes: 4 }
    default:
      // Everything else is the lower part of an int32: an element, or a byte of several.
      return { field: 5, encoding: 'varint', bytes: Math.max(8, elementBits(type)!) / 8 }
  }
}

function decodeFields(
  source: ModelSource,
  tensor: OnnxTensor,
  type: ElementType,
  message: readonly ByteRange[],
): Uint8Array {
  const { field: wanted, encoding, bytes } = storageOf(type)
  const byteLength = byteLengthOf(tensor)!
  const reader = new WireReader(source)
  // First what there is, so that a shape alone does not allocate.
  const found: WireField[] = []
  let available = 0
  for (const field of reader.fields(message)) {
    if (field.number !== wanted) continue
    reader.keep()
    found.push(field)
    // A varint takes at least a byte.
    const least = encoding === 'varint' ? 1 : bytes
    available += field.type === 'bytes' ? Math.floor(field.range.length / least) * bytes : bytes
  }
  const wrongCount = (count: number) =>
    malformed(
      source,
      `tensor ${quoted(tensor.name)} of ${type} and shape [${tensor.dims}] has ${elementCount(tensor.dims)} elements, ` +
        `but its data fills ${count} bytes of ${byteLength}`,
    )
  if (available < byteLength) throw wrongCount(available)

  const out = new Uint8Array(byteLength)
  const view = new DataView(out.buffer)
  let at = 0
  for (const field of found) {
    if (field.type === 'bytes' && encoding !== 'varint') {
      if (field.range.length > byteLength - at) throw wrongCount(at + field.range.length)
      if (field.range.length % bytes !== 0)
        throw malformed(source, `tensor ${quoted(tensor.name)} ends inside an element`)
      out.set(source.view(field.range.offset, field.range.length), at)
      at += field.range.length
      continue
    }
    for (const { low, high } of reader.numbers(field, encoding)) {
      if (at + bytes > byteLength) throw wrongCount(at + bytes)
      if (bytes === 1) out[at] = low
      else if (bytes === 2) view.setUint16(at, low & 0xffff, true)
      else view.setUint32(at, low, true)
      if (bytes === 8) view.setUint32(at + 4, high, true)
      at += bytes
    }
  }
  if (at !== byteLength) throw wrongCount(at)
  return out
}
