import { chacha20 } from '@noble/ciphers/chacha.js'

/**
 * Reproducible random numbers: the same seed gives the same sequence of calls the same results in every runtime. Each
 * call consumes the bytes that it needs and no others, in order.
 */
export interface RandomStream {
  /** The next `length` bytes. */
  bytes(length: number): Uint8Array
  /** Four bytes, little-endian. */
  uint32(): number
  /**
   * Uniform integer in [0, n). Draws the leading bits that n − 1 needs from a `uint32` until they are below n; nothing is
   * consumed for n = 1.
   *
   * @throws {RangeError} If `n` is not an integer from 1 to 2³².
   */
  below(n: number): number
  /**
   * Uniform on the 2²⁴ odd multiples of 2⁻²⁴ between −1 and 1: (2v + 1 − 2²⁴) · 2⁻²⁴ for the 24 leading bits v of a
   * `uint32`. Symmetric about 0, never 0, variance (1 − 2⁻⁴⁸)/3, and exact in float32.
   */
  signedUnit(): number
  /** Fills `target` as {@link signedUnit} would, one element after the other. */
  fillSignedUnit(target: Float64Array): void
}

const blockBytes = 64
const bufferBlocks = 4
const nonce = new Uint8Array(12)

/**
 * The keystream of ChaCha20 under `seed`, with nonce and block counter starting at 0.
 *
 * @param seed - 32 bytes, used for one stream only.
 * @throws {RangeError} If `seed` does not have 32 bytes; by a call that would go beyond 256 GiB.
 * @see RFC 8439, section 2.4.
 *
 * @example
 * ```ts
 * const die = randomStream(new Uint8Array(32)).below(6) + 1
 * ```
 */
export function randomStream(seed: Uint8Array): RandomStream {
  if (seed.length !== 32) throw new RangeError(`a seed must have 32 bytes, got ${seed.length}`)
  const key = seed.slice()
  // Most streams are for a few numbers. One that goes on fills more at once.
  let buffer = new Uint8Array(blockBytes)
  let view = new DataView(buffer.buffer)
  let position = buffer.length
  let block = 0

  function keystream(target: Uint8Array): void {
    const blocks = target.length / blockBytes
    if (block + blocks > 2 ** 32) throw new RangeError('a random stream ends after 256 GiB: derive another seed')
    chacha20(key, nonce, target.fill(0), target, block)
    block += blocks
  }

  function refill(): void {
    if (block > 0 && buffer.length === blockBytes) {
      buffer = new Uint8Array(bufferBlocks * blockBytes)
      view = new DataView(buffer.buffer)
    }
    keystream(buffer)
    position = 0
  }

  function bytes(length: number): Uint8Array {
    if (!Number.isSafeInteger(length) || length < 0) throw new RangeError(`expected a length >= 0, got ${length}`)
    const out = new Uint8Array(length)
    const buffered = buffer.subarray(position, position + Math.min(length, buffer.length - position))
    out.set(buffered)
    position += buffered.length
    const rest = out.subarray(buffered.length)
    const whole = rest.length - (rest.length % blockBytes)
    if (whole > 0) rest.set(wholeBlocks(whole))
    if (whole < rest.length) {
      refill()
      position = rest.length - whole
      rest.set(buffer.subarray(0, position), whole)
    }
    return out
  }

  function wholeBlocks(length: number): Uint8Array {
    // The cipher wants memory aligned to four bytes, which a view into the caller's result may not be.
    const out = new Uint8Array(length)
    keystream(out)
    return out
  }

  function uint32(): number {
    if (position === buffer.length) refill()
    if (position + 4 > buffer.length) {
      const four = bytes(4)
      return new DataView(four.buffer).getUint32(0, true)
    }
    position += 4
    return view.getUint32(position - 4, true)
  }

  function signedUnit(): number {
    return (2 * (uint32() >>> 8) + 1 - 2 ** 24) * 2 ** -24
  }

  return {
    bytes,
    uint32,
    below(n) {
      if (!Number.isInteger(n) || n < 1 || n > 2 ** 32) {
        throw new RangeError(`expected an integer from 1 to 2^32, got ${n}`)
      }
      if (n === 1) return 0
      const unusedBits = Math.clz32(n - 1)
      let value = uint32() >>> unusedBits
      while (value >= n) value = uint32() >>> unusedBits
      return value
    },
    signedUnit,
    fillSignedUnit(target) {
      for (let i = 0; i < target.length; i++) target[i] = signedUnit()
    },
  }
}
