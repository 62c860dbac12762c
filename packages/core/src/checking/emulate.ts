const { fround } = Math

/** Orders in which an engine may add up products in float32. */
const lanes = 16
const block = 48

/**
 * Largest error of float32 summation over four orders: forward, reverse, 16 interleaved lanes, blocks of 48. It shows
 * how far honest rounding goes on this very data, where no rule in √k holds (constant operands, stagnating sums).
 *
 * @param a - Shape [k]; every value a float32.
 * @param b - Shape [k]; every value a float32.
 * @param scale - Factor of the sum.
 * @param offset - Added to the scaled sum, such as a bias.
 * @param exact - The value in float64.
 */
export function largestEmulatedError(
  a: ArrayLike<number>,
  b: ArrayLike<number>,
  scale: number,
  offset: number,
  exact: number,
): number {
  const k = a.length
  let forward = 0
  let reverse = 0
  let blocked = 0
  let inBlock = 0
  const lane = new Float32Array(lanes)
  for (let t = 0; t < k; t++) {
    const product = fround(a[t]! * b[t]!)
    forward = fround(forward + product)
    reverse = fround(reverse + fround(a[k - 1 - t]! * b[k - 1 - t]!))
    lane[t % lanes]! += product
    inBlock = fround(inBlock + product)
    if ((t + 1) % block === 0 || t === k - 1) {
      blocked = fround(blocked + inBlock)
      inBlock = 0
    }
  }
  let laned = 0
  for (const sum of lane) laned = fround(laned + sum)
  let largest = 0
  for (const sum of [forward, reverse, blocked, laned]) {
    largest = Math.max(largest, Math.abs(fround(fround(scale * sum) + offset) - exact))
  }
  return largest
}
