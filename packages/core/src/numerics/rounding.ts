/** Formats of 16 bits to which a result may be rounded. */
export type HalfFormat = 'float16' | 'bfloat16'

interface Format {
  /** Significant bits, the leading one included. */
  readonly digits: number
  readonly minNormal: number
  /** Numbers from here on round to infinity. */
  readonly overflow: number
}

export const halfFormats: Readonly<Record<HalfFormat, Format>> = {
  float16: { digits: 11, minNormal: 2 ** -14, overflow: 65520 },
  bfloat16: { digits: 8, minNormal: 2 ** -126, overflow: (2 - 2 ** -8) * 2 ** 127 },
}

const float64 = new Float64Array(1)
const words = new Uint32Array(float64.buffer)

/** The power of two at or below |x|, for a normal float64. */
export function powerBelow(x: number): number {
  float64[0] = x
  words[0] = 0
  words[1]! &= 0x7ff00000
  return float64[0]!
}

/** Distance between neighbouring numbers of the format around `value`. */
export function spacing(format: HalfFormat, value: number): number {
  const { digits, minNormal } = halfFormats[format]
  return powerBelow(Math.max(Math.abs(value), minNormal)) * 2 ** (1 - digits)
}

/** The number of the format nearest to `value`, either one of a tie; beyond `overflow` as if there were larger ones. */
export function nearest(format: HalfFormat, value: number): number {
  const step = spacing(format, value)
  return Math.round(value / step) * step
}

/**
 * How far `value` lies from the numbers that round to `claimed`, to nearest: 0 where `claimed` is `value` correctly
 * rounded. An honest engine rounds its own sum, so this is at most the error of that sum, and half a spacing says nothing
 * against it. Either neighbour of a tie counts as correct.
 *
 * @param claimed - A finite number of the format.
 */
export function beyondRounding(format: HalfFormat, claimed: number, value: number): number {
  const size = Math.abs(claimed)
  const up = spacing(format, claimed) / 2
  const outward = claimed < 0 ? -value : value
  if (outward > size + up) return outward - (size + up)
  // Below a power of two the numbers lie twice as close.
  const down = size > halfFormats[format].minNormal && size === powerBelow(size) ? up / 2 : up
  return outward < size - down ? size - down - outward : 0
}
