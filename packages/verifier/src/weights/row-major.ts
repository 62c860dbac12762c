/**
 * Elements in row-major order (last index fastest) from column-major order (first index fastest).
 *
 * @param bytes - Elements of `size` bytes of an array of shape `shape`, column-major.
 * @returns A new buffer.
 */
export function rowMajorFromColumnMajor(bytes: Uint8Array, shape: readonly number[], size: number): Uint8Array {
  const out = new Uint8Array(bytes.length)
  // Bytes between neighbours along each dimension of the source.
  const strides: number[] = []
  let stride = size
  for (const dimension of shape) {
    strides.push(stride)
    stride *= dimension
  }
  const index = shape.map(() => 0)
  let from = 0
  for (let to = 0; to < out.length; to += size) {
    for (let byte = 0; byte < size; byte++) out[to + byte] = bytes[from + byte]!
    for (let d = shape.length - 1; d >= 0; d--) {
      index[d]!++
      from += strides[d]!
      if (index[d]! < shape[d]!) break
      from -= strides[d]! * shape[d]!
      index[d] = 0
    }
  }
  return out
}
