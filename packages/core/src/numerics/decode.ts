import { bytesPerElement, type DType, toFloat64 } from '../dtype.ts'

/** The two element types that the verifier computes with; conversion to float64 costs nothing in either. */
export type Elements = Float32Array | Float64Array

/**
 * Little-endian elements as the narrower of float32 and float64 that holds every value of `dtype` exactly (int64 beyond
 * 2⁵³ is rounded). May share memory with `bytes`, which must not change afterwards.
 *
 * @throws {RangeError} If `bytes` is not a whole number of elements.
 */
export function decodeElements(bytes: Uint8Array, dtype: DType): Elements {
  const size = bytesPerElement[dtype]
  if (bytes.length % size !== 0) {
    throw new RangeError(`${bytes.length} bytes are not a whole number of ${dtype} elements of ${size} bytes`)
  }
  const length = bytes.length / size
  switch (dtype) {
    case 'float32':
      return new Float32Array(...aligned(bytes, size), length)
    case 'float64':
      return new Float64Array(...aligned(bytes, size), length)
    case 'float16':
    case 'bfloat16':
      return lookUp(new Uint16Array(...aligned(bytes, size), length), table(dtype))
    case 'int8':
      return Float32Array.from(new Int8Array(bytes.buffer, bytes.byteOffset, length))
    case 'uint8':
      return Float32Array.from(bytes)
    case 'int16':
      return Float32Array.from(new Int16Array(...aligned(bytes, size), length))
    case 'uint16':
      return Float32Array.from(new Uint16Array(...aligned(bytes, size), length))
    case 'int32':
    case 'int64':
      return toFloat64(bytes, dtype)
  }
}

/** Where a typed array can view `bytes`; a copy of them if they are not aligned. (`slice` of a Buffer copies nothing.) */
function aligned(bytes: Uint8Array, size: number): [buffer: ArrayBufferLike, byteOffset: number] {
  return bytes.byteOffset % size === 0 ? [bytes.buffer, bytes.byteOffset] : [new Uint8Array(bytes).buffer, 0]
}

const tables = new Map<DType, Float32Array>()

/** The value of each of the 2¹⁶ bit patterns. */
function table(dtype: 'float16' | 'bfloat16'): Float32Array {
  let values = tables.get(dtype)
  if (values === undefined) {
    const patterns = Uint16Array.from({ length: 2 ** 16 }, (_, bits) => bits)
    values = Float32Array.from(toFloat64(new Uint8Array(patterns.buffer), dtype))
    tables.set(dtype, values)
  }
  return values
}

function lookUp(patterns: Uint16Array, values: Float32Array): Float32Array {
  const out = new Float32Array(patterns.length)
  for (let i = 0; i < out.length; i++) out[i] = values[patterns[i]!]!
  return out
}
