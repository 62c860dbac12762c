import type { RandomStream } from './stream.ts'

/**
 * Draws `count` different integers below `n`; every subset is equally likely. Takes `count` calls of `stream.below`.
 *
 * @returns The integers, ascending.
 * @throws {RangeError} If `count` and `n` are not integers with 0 <= count <= n <= 2³².
 * @see Bentley and Floyd, A Sample of Brilliance, Communications of the ACM 30(9), 1987: algorithm F2.
 */
export function drawWithoutReplacement(stream: RandomStream, count: number, n: number): Uint32Array {
  if (!Number.isInteger(n) || n < 0 || n > 2 ** 32) {
    throw new RangeError(`expected to draw from an integer from 0 to 2^32, got ${n}`)
  }
  if (!Number.isInteger(count) || count < 0 || count > n) {
    throw new RangeError(`expected to draw an integer from 0 to ${n}, got ${count}`)
  }
  const drawn = new Set<number>()
  for (let last = n - count; last < n; last++) {
    const candidate = stream.below(last + 1)
    drawn.add(drawn.has(candidate) ? last : candidate)
  }
  return Uint32Array.from(drawn).sort()
}
