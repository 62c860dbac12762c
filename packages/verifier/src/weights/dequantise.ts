/** How a TensorFlow.js model file packs a tensor: v = q·scale + min, or the upper bits of a float16. */
export type Quantisation =
  | { readonly dtype: 'uint8' | 'uint16'; readonly scale: number; readonly min: number }
  | { readonly dtype: 'float16' }

/**
 * The elements that TensorFlow.js computes with after loading a quantised tensor, bit for bit: q·scale + min in float64,
 * then rounded once to float32, or by `Math.round` to int32.
 *
 * @param bytes - The packed elements, little-endian.
 * @param dtype - Element type after loading.
 * @returns The elements, little-endian.
 * @see tfjs-core 4.22, src/io/io_utils.ts, `decodeWeight`.
 */
export function dequantise(bytes: Uint8Array, quantisation: Quantisation, dtype: 'float32' | 'int32'): Uint8Array {
  const packed = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const size = quantisation.dtype === 'uint8' ? 1 : 2
  const length = bytes.length / size
  const out = new Uint8Array(length * 4)
  const view = new DataView(out.buffer)
  for (let i = 0; i < length; i++) {
    const q = size === 1 ? bytes[i]! : packed.getUint16(i * 2, true)
    if (quantisation.dtype === 'float16') {
      view.setUint32(i * 4, float32Bits(q), true)
      continue
    }
    const v = q * quantisation.scale + quantisation.min
    if (dtype === 'float32') view.setFloat32(i * 4, v, true)
    else view.setInt32(i * 4, Math.round(v), true)
  }
  return out
}

/** Bits of the float32 of the same value as a float16; a NaN keeps its payload, which a trip through a number may not. */
function float32Bits(half: number): number {
  const sign = (half & 0x8000) << 16
  const exponent = (half >> 10) & 0x1f
  const fraction = half & 0x3ff
  if (exponent === 0x1f) return sign | 0x7f800000 | (fraction << 13)
  if (exponent > 0) return sign | ((exponent + 112) << 23) | (fraction << 13)
  if (fraction === 0) return sign
  // Subnormal: shift the leading one up to bit 10, where float32 leaves it out.
  const shift = Math.clz32(fraction) - 21
  return sign | ((113 - shift) << 23) | (((fraction << shift) & 0x3ff) << 13)
}

/** Bytes that one packed element takes. */
export const packedBytes: Readonly<Record<Quantisation['dtype'], number>> = { uint8: 1, uint16: 2, float16: 2 }
