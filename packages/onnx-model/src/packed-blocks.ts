/** How weights in blocks are cut. */
export interface BlockShape {
  readonly k: number
  readonly n: number
  readonly bits: number
  readonly blockSize: number
}

/** The parts of weights in blocks. */
export interface PackedBlocksData {
  /** [n, blocks, blockSize × bits / 8], elements of less than a byte from the lowest bits up. */
  readonly packed: Uint8Array
  /** [n, blocks]. */
  readonly scales: Float32Array
  /** [n, bytes for blocks × bits], packed like the weights, or one number of the type of the scales for each block. */
  readonly zeroPoints?: Uint8Array | Float32Array
}

/**
 * The matrix that MatMulNBits multiplies by: (q − z)·s in float32, rounded once.
 *
 * @returns [n, k].
 * @throws {RangeError} If a part does not have the size that the others ask for.
 * @see https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.MatMulNBits
 */
export function dequantiseBlocks(
  { k, n, bits, blockSize }: BlockShape,
  { packed, scales, zeroPoints }: PackedBlocksData,
): Float32Array {
  const blocks = Math.ceil(k / blockSize)
  const rowBytes = (blocks * blockSize * bits) / 8
  const zeroRowBytes = Math.ceil((blocks * bits) / 8)
  checkLength('packed weights', packed, n * rowBytes)
  checkLength('scales', scales, n * blocks)
  if (zeroPoints instanceof Uint8Array) checkLength('zero points', zeroPoints, n * zeroRowBytes)
  else if (zeroPoints !== undefined) checkLength('zero points', zeroPoints, n * blocks)
  const middle = 2 ** (bits - 1)
  const out = new Float32Array(n * k)
  for (let column = 0; column < n; column++) {
    for (let t = 0; t < k; t++) {
      const block = Math.floor(t / blockSize)
      let zero = middle
      if (zeroPoints instanceof Uint8Array) zero = unpack(zeroPoints, column * zeroRowBytes, block, bits)
      else if (zeroPoints !== undefined) zero = zeroPoints[column * blocks + block]!
      const q = unpack(packed, column * rowBytes, t, bits)
      out[column * k + t] = Math.fround(q - zero) * scales[column * blocks + block]!
    }
  }
  return out
}

/** Element `index` of those packed from byte `offset` on. */
function unpack(bytes: Uint8Array, offset: number, index: number, bits: number): number {
  const bit = index * bits
  return (bytes[offset + (bit >> 3)]! >> (bit & 7)) & (2 ** bits - 1)
}

function checkLength(name: string, { length }: { readonly length: number }, expected: number): void {
  if (length !== expected) throw new RangeError(`expected ${expected} elements of ${name}, got ${length}`)
}
