import type { Random } from './random.ts'
import type { Target } from './target.ts'

/** Integers at which decoders go wrong: ends of ranges, and what overflows when something is added. */
const edges = [0, 1, 2, 7, 8, 16, 32, 0x7f, 0x80, 0xff, 0x100, 0x7fff, 0x8000, 0xffff, 0x10000, 2 ** 31 - 1, 2 ** 31]
const wide = [2 ** 32 - 8, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1, 2 ** 53]
const bytes = [0, 1, 0x20, 0x22, 0x2c, 0x2d, 0x30, 0x39, 0x5b, 0x5d, 0x7b, 0x7d, 0x7f, 0x80, 0xff]

/** The constructor as it was before anybody counts what it makes. */
const Bytes = Uint8Array

type Edit = (input: Uint8Array, random: Random) => Uint8Array

const edits: readonly Edit[] = [
  flipBit,
  flipBit,
  setByte,
  addToByte,
  setInteger,
  setInteger,
  remove,
  insertNoise,
  repeat,
  cut,
  append,
  exchange,
]

/** One to a few edits of a byte string that a target may accept. */
export function damage(
  input: Uint8Array,
  others: readonly Uint8Array[],
  { tokens = [], maxInputBytes }: Pick<Target, 'tokens' | 'maxInputBytes'>,
  random: Random,
): Uint8Array {
  let out = input
  for (let left = 1 + random.below(random.once(4) ? 8 : 3); left > 0; left--) {
    if (tokens.length > 0 && random.once(6)) out = insert(out, random.pick(tokens), random)
    else if (others.length > 0 && random.once(12)) out = splice(out, random.pick(others), random)
    else out = random.pick(edits)(out, random)
  }
  return out.length > maxInputBytes ? out.subarray(0, maxInputBytes) : out
}

/** Puts `part` in, or over what is there. */
function insert(input: Uint8Array, part: Uint8Array, random: Random): Uint8Array {
  const at = random.below(input.length + 1)
  return join(
    input.subarray(0, at),
    part,
    input.subarray(random.once(2) ? at : Math.min(input.length, at + part.length)),
  )
}

/** The beginning of one and the end of another. */
function splice(input: Uint8Array, other: Uint8Array, random: Random): Uint8Array {
  return join(input.subarray(0, random.below(input.length + 1)), other.subarray(random.below(other.length + 1)))
}

function flipBit(input: Uint8Array, random: Random): Uint8Array {
  if (input.length === 0) return input
  const out = new Bytes(input)
  out[random.below(out.length)]! ^= 1 << random.below(8)
  return out
}

function setByte(input: Uint8Array, random: Random): Uint8Array {
  if (input.length === 0) return input
  const out = new Bytes(input)
  out[random.below(out.length)] = random.once(2) ? random.below(256) : random.pick(bytes)
  return out
}

function addToByte(input: Uint8Array, random: Random): Uint8Array {
  if (input.length === 0) return input
  const out = new Bytes(input)
  out[random.below(out.length)]! += random.below(2) * 2 - 1
  return out
}

/** Writes an integer of one to eight bytes, in either order of bytes. */
function setInteger(input: Uint8Array, random: Random): Uint8Array {
  const width = 2 ** random.below(4)
  if (input.length < width) return input
  const out = new Bytes(input)
  const at = random.below(out.length - width + 1)
  const littleEndian = random.once(2)
  let rest = random.once(4) ? random.pick(wide) : Math.max(0, random.pick(edges) + random.below(5) - 2)
  for (let i = 0; i < width; i++) {
    out[littleEndian ? at + i : at + width - 1 - i] = rest % 256
    rest = Math.floor(rest / 256)
  }
  return out
}

function remove(input: Uint8Array, random: Random): Uint8Array {
  const at = random.below(input.length)
  const length = 1 + random.below(random.once(3) ? input.length : 8)
  return join(input.subarray(0, at), input.subarray(Math.min(input.length, at + length)))
}

function insertNoise(input: Uint8Array, random: Random): Uint8Array {
  const noise = new Bytes(1 + random.below(8))
  for (let i = 0; i < noise.length; i++) noise[i] = random.below(256)
  return insert(input, noise, random)
}

/** A stretch of the input once more, or many times. */
function repeat(input: Uint8Array, random: Random): Uint8Array {
  const from = random.below(input.length)
  const part = input.subarray(from, from + 1 + random.below(64))
  const times = random.once(4) ? 2 + random.below(32) : 1
  return insert(input, join(...Array.from({ length: times }, () => part)), random)
}

function cut(input: Uint8Array, random: Random): Uint8Array {
  return input.subarray(0, random.below(input.length + 1))
}

function append(input: Uint8Array, random: Random): Uint8Array {
  return join(input, Uint8Array.of(random.once(2) ? 0 : random.below(256)))
}

/** Two stretches change places. */
function exchange(input: Uint8Array, random: Random): Uint8Array {
  const [a, b, c, d] = Array.from({ length: 4 }, () => random.below(input.length + 1)).sort((x, y) => x - y)
  return join(input.subarray(0, a), input.subarray(c, d), input.subarray(b, c), input.subarray(a, b), input.subarray(d))
}

export function join(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0
  for (const part of parts) length += part.length
  const out = new Bytes(length)
  let offset = 0
  for (const part of parts) {
    out.set(part, offset)
    offset += part.length
  }
  return out
}
