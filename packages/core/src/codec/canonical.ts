import { encode, rfc8949EncodeOptions } from 'cborg'
import { float16ToNumber } from '../dtype.ts'

/** Bounds on what a control map may hold, so that decoding one costs no more than a few times its bytes. */
export const controlLimits = {
  /** Numbers, texts, byte strings, lists and maps, keys included. A commitment of 1024 products has about 140 000. */
  maxControlItems: 2 ** 18,
  /** Lists and maps within each other. No message of the protocol needs more than 7. */
  maxControlDepth: 16,
} as const

const majorTypes = { uint: 0, negint: 1, bytes: 2, text: 3, list: 4, map: 5, tag: 6, simple: 7 } as const

/**
 * Why `bytes` are not one value in the encoding that `encodeControl` gives it (RFC 8949 section 4.2), within
 * {@link controlLimits}; undefined if they are.
 *
 * One pass and no memory worth mentioning: whatever decodes the bytes afterwards can rely on their sizes.
 */
export function canonicalProblem(bytes: Uint8Array): string | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let position = 0
  let items = 0

  const problem = item(0)
  if (problem !== undefined) return problem
  return position === bytes.length ? undefined : `${bytes.length - position} bytes follow the value`

  function item(depth: number): string | undefined {
    const start = position
    if (++items > controlLimits.maxControlItems) return `more than ${controlLimits.maxControlItems} items`
    if (start >= bytes.length) return 'it ends where a value is expected'
    const major = bytes[start]! >> 5
    if (major === majorTypes.simple) return simple(start)
    const argument = head(start)
    if (argument === undefined) return `a number at byte ${start} is cut off, or longer than it has to be`
    const left = bytes.length - position
    switch (major) {
      case majorTypes.uint:
        return Number.isSafeInteger(argument) ? undefined : `an integer at byte ${start} that is not below 2^53`
      case majorTypes.negint:
        return Number.isSafeInteger(-1 - argument) ? undefined : `an integer at byte ${start} that is not above -2^53`
      case majorTypes.bytes:
      case majorTypes.text:
        if (argument > left) return `${argument} bytes are declared at byte ${start}, ${left} are left`
        position += argument
        return major === majorTypes.text ? textProblem(start, position - argument) : undefined
      case majorTypes.list:
      case majorTypes.map:
        // Every element takes a byte at least.
        if (argument > left) return `${argument} elements are declared at byte ${start}, with ${left} bytes left`
        if (depth >= controlLimits.maxControlDepth) return `deeper than ${controlLimits.maxControlDepth} levels`
        return major === majorTypes.list ? list(argument, depth + 1) : map(argument, depth + 1)
      default:
        return `a tag at byte ${start}`
    }
  }

  function list(length: number, depth: number): string | undefined {
    for (let i = 0; i < length; i++) {
      const problem = item(depth)
      if (problem !== undefined) return problem
    }
    return undefined
  }

  /** Keys are texts in ascending order of their encoding: none comes twice. */
  function map(length: number, depth: number): string | undefined {
    let previous: Uint8Array | undefined
    for (let i = 0; i < length; i++) {
      const start = position
      if (bytes[start] === undefined || bytes[start] >> 5 !== majorTypes.text)
        return `no text as a key at byte ${start}`
      const problem = item(depth)
      if (problem !== undefined) return problem
      const key = bytes.subarray(start, position)
      if (previous !== undefined && !isBefore(previous, key)) return `a key out of order, or twice, at byte ${start}`
      previous = key
      const valueProblem = item(depth)
      if (valueProblem !== undefined) return valueProblem
    }
    return undefined
  }

  /** The argument of the head at `start`, if it has the shortest form; `position` is behind it then. */
  function head(start: number): number | undefined {
    const short = bytes[start]! & 0x1f
    position = start + 1
    if (short < 24) return short
    const length = 2 ** (short - 24)
    if (length > 8 || position + length > bytes.length) return undefined
    position += length
    if (short === 24) return atLeast(24, bytes[start + 1]!)
    if (short === 25) return atLeast(2 ** 8, view.getUint16(start + 1))
    if (short === 26) return atLeast(2 ** 16, view.getUint32(start + 1))
    return atLeast(2 ** 32, view.getUint32(start + 1) * 2 ** 32 + view.getUint32(start + 5))
  }

  /** false, true, null, or a float in the form that the encoder chooses for its value. */
  function simple(start: number): string | undefined {
    const short = bytes[start]! & 0x1f
    position = start + 1
    if (short >= 20 && short <= 22) return undefined
    if (short < 25 || short > 27) return `a simple value at byte ${start} that is not false, true or null`
    position += 2 ** (short - 24)
    if (position > bytes.length) return `a float is cut off at byte ${start}`
    const value = short === 25 ? float16ToNumber(view.getUint16(start + 1)) : float(start, short)
    if (!Number.isFinite(value)) return `a float at byte ${start} that is not finite`
    const shortest = encode(value, rfc8949EncodeOptions)
    const isShortest = shortest.length === position - start && shortest.every((byte, i) => byte === bytes[start + i])
    return isShortest ? undefined : `a float at byte ${start} that has another encoding`
  }

  function float(start: number, short: number): number {
    return short === 26 ? view.getFloat32(start + 1) : view.getFloat64(start + 1)
  }

  /** @param from - Where the text begins, behind its head; it ends at `position`. */
  function textProblem(start: number, from: number): string | undefined {
    let ascii = from
    while (ascii < position && bytes[ascii]! < 0x80) ascii++
    if (ascii === position) return undefined
    try {
      // A byte order mark at its start is dropped by decoders, which would make two texts one.
      const isMarked = utf8.decode(bytes.subarray(from, position)).startsWith('\ufeff')
      return isMarked ? `a text with a byte order mark at byte ${start}` : undefined
    } catch {
      return `a text at byte ${start} that is not UTF-8`
    }
  }
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

function atLeast(least: number, value: number): number | undefined {
  return value >= least ? value : undefined
}

function isBefore(first: Uint8Array, second: Uint8Array): boolean {
  const length = Math.min(first.length, second.length)
  for (let i = 0; i < length; i++) if (first[i] !== second[i]) return first[i]! < second[i]!
  return first.length < second.length
}
