/** Element types that can travel on the wire. All multi-byte types are little-endian. */
export const bytesPerElement = {
  float64: 8,
  float32: 4,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  int16: 2,
  uint16: 2,
  int8: 1,
  uint8: 1,
} as const

export type DType = keyof typeof bytesPerElement

export const dtypes = Object.keys(bytesPerElement) as DType[]

/**
 * Decodes little-endian elements to float64. Exact for every type but int64 beyond 2⁵³.
 *
 * @param bytes - `length × bytesPerElement[dtype]` bytes, at any alignment.
 * @param dtype - Element type of `bytes`.
 * @returns A new array with one number per element.
 * @throws {RangeError} If `bytes` is not a whole number of elements.
 */
export function toFloat64(bytes: Uint8Array, dtype: DType): Float64Array {
  const size = bytesPerElement[dtype]
  if (bytes.length % size !== 0) {
    throw new RangeError(`${bytes.length} bytes are not a whole number of ${dtype} elements of ${size} bytes`)
  }
  const length = bytes.length / size
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const read = readers[dtype]
  const out = new Float64Array(length)
  for (let i = 0; i < length; i++) out[i] = read(view, i * size)
  return out
}

const readers: Record<DType, (view: DataView, offset: number) => number> = {
  float64: (view, offset) => view.getFloat64(offset, true),
  float32: (view, offset) => view.getFloat32(offset, true),
  float16: (view, offset) => float16ToNumber(view.getUint16(offset, true)),
  bfloat16: (view, offset) => bfloat16ToNumber(view.getUint16(offset, true)),
  int64: (view, offset) => Number(view.getBigInt64(offset, true)),
  int32: (view, offset) => view.getInt32(offset, true),
  int16: (view, offset) => view.getInt16(offset, true),
  uint16: (view, offset) => view.getUint16(offset, true),
  int8: (view, offset) => view.getInt8(offset),
  uint8: (view, offset) => view.getUint8(offset),
}

/** IEEE 754 binary16 bits to number. */
export function float16ToNumber(bits: number): number {
  const sign = bits & 0x8000 ? -1 : 1
  const exponent = (bits >> 10) & 0x1f
  const fraction = bits & 0x3ff
  if (exponent === 0) return sign * fraction * 2 ** -24
  if (exponent === 0x1f) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15)
}

const scratch = new DataView(new ArrayBuffer(4))

/** A bfloat16 is the upper half of a float32. */
function bfloat16ToNumber(bits: number): number {
  scratch.setUint32(0, bits * 0x10000)
  return scratch.getFloat32(0)
}
