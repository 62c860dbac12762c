import { elementBits, elementTypeOf } from './element-type.ts'
import { malformed, quoted, unsupported } from './errors.ts'
import { maxLocationBytes, maxRank } from './limits.ts'
import type { OnnxTensor, TensorData } from './model.ts'
import type { ByteRange } from './source.ts'
import type { WireField, WireReader } from './wire.ts'

/** Reads a `TensorProto` but for its elements. @throws {AssayError} `model-malformed`, `model-unsupported` */
export function readTensor(reader: WireReader, message: readonly ByteRange[]): OnnxTensor {
  reader.keep()
  let name = ''
  let typeNumber = 0
  let raw: ByteRange | undefined
  let isExternal = false
  const dims: number[] = []
  const entries = new Map<string, string>()
  for (const field of reader.fields(message)) {
    if (field.number === 1) readDims(reader, field, dims)
    else if (field.number === 2) typeNumber = reader.integer(field)
    else if (field.number === 3) throw unsupported(reader.source, 'a tensor is stored in segments')
    else if (field.number === 8) name = reader.text(field)
    else if (field.number === 9) raw = reader.content(field)
    else if (field.number === 13) readEntry(reader, reader.content(field), entries)
    else if (field.number === 14) isExternal = reader.integer(field) === 1
  }
  const type = elementTypeOf(typeNumber)
  const tensor = { name, type, dims }
  const byteLength = byteLengthOf(tensor)
  if (byteLength !== undefined && !Number.isSafeInteger(byteLength)) {
    throw malformed(reader.source, `tensor ${quoted(name)} of shape [${dims}] has more than 2⁵³ bytes`)
  }
  let data: TensorData
  if (isExternal) data = externalData(reader, name, entries)
  else if (raw !== undefined) data = { kind: 'raw', range: raw }
  else data = { kind: 'fields', message }
  if (data.kind === 'raw' && byteLength !== undefined && data.range.length !== byteLength) {
    throw malformed(
      reader.source,
      `tensor ${quoted(name)} of ${type} and shape [${dims}] takes ${byteLength} bytes, but has ${data.range.length}`,
    )
  }
  return { ...tensor, data }
}

/** Bytes of a tensor's elements; undefined for text and for unknown types. */
export function byteLengthOf({ type, dims }: Pick<OnnxTensor, 'type' | 'dims'>): number | undefined {
  const bits = type && elementBits(type)
  if (bits === undefined) return undefined
  const elements = elementCount(dims)
  return bits < 8 ? Math.ceil((elements * bits) / 8) : elements * (bits / 8)
}

/** Product of `dims`; 1 for a scalar. */
export function elementCount(dims: readonly number[]): number {
  // Zero first: the other dimensions may overflow on the way to it.
  return dims.includes(0) ? 0 : dims.reduce((product, size) => product * size, 1)
}

function readDims(reader: WireReader, field: WireField, dims: number[]): void {
  for (const { low, high } of reader.numbers(field, 'varint')) {
    reader.keep()
    const size = high * 2 ** 32 + low
    // A negative size comes out above 2⁶³.
    if (!Number.isSafeInteger(size)) throw malformed(reader.source, `a tensor has a dimension of ${size} or below 0`)
    if (dims.length === maxRank) throw unsupported(reader.source, `a tensor has more than ${maxRank} dimensions`)
    dims.push(size)
  }
}

function readEntry(reader: WireReader, message: ByteRange, entries: Map<string, string>): void {
  let key = ''
  let value = ''
  for (const field of reader.fields([message])) {
    if (field.number === 1) key = reader.text(field)
    else if (field.number === 2) value = reader.text(field)
  }
  reader.keep()
  entries.set(key, value)
}

function externalData(reader: WireReader, name: string, entries: ReadonlyMap<string, string>): TensorData {
  const location = entries.get('location')
  if (location === undefined || location === '' || location.length > maxLocationBytes) {
    throw malformed(reader.source, `external tensor ${quoted(name)} does not say in which file it lies`)
  }
  const offset = number('offset') ?? 0
  const length = number('length')
  return { kind: 'external', location, offset, ...(length === undefined ? {} : { length }) }

  function number(key: string): number | undefined {
    const text = entries.get(key)
    if (text === undefined) return undefined
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN
    if (Number.isSafeInteger(value)) return value
    throw malformed(
      reader.source,
      `the ${key} of external tensor ${quoted(name)} is ${quoted(text)}, not a number of bytes`,
    )
  }
}
