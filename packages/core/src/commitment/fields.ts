const domain = 'tensor-assay/v1/'
const utf8 = new TextEncoder()

/**
 * Bytes as they are, parts of bytes as if joined, a string as UTF-8, a number as an unsigned 64-bit integer. Other numbers
 * go through {@link float64Field}.
 */
export type Field = Uint8Array | readonly Uint8Array[] | string | number

/**
 * Canonical bytes of a tagged list of fields: every field, the domain tag first, behind its length in bytes (u64 LE).
 *
 * Injective on lists of byte strings: no field can spill into the next, and no two tags share an encoding. The tag fixes
 * how many fields follow and of what type, so `1` and its eight bytes, which encode alike, never compete for a place.
 *
 * @param tag - What is encoded; the domain tag is `tensor-assay/v1/<tag>`.
 * @throws {RangeError} If a number is not a safe integer >= 0, or a string is not well-formed UTF-16.
 */
export function encodeFields(tag: string, ...fields: readonly Field[]): Uint8Array {
  return concatBytes(fieldParts(tag, ...fields))
}

/** {@link encodeFields} as parts to hash one after the other; byte fields are passed through, not copied. */
export function fieldParts(tag: string, ...fields: readonly Field[]): Uint8Array[] {
  const parts: Uint8Array[] = []
  for (const field of [domain + tag, ...fields]) {
    const bytes = fieldBytes(field)
    parts.push(uint64(totalLength(bytes)), ...bytes)
  }
  return parts
}

/** The eight little-endian bytes of a float64; every NaN as the same quiet NaN, −0 apart from 0. */
export function float64Field(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  const view = new DataView(bytes.buffer)
  if (Number.isNaN(value)) view.setUint32(4, 0x7ff80000, true)
  else view.setFloat64(0, value, true)
  return bytes
}

/** Writes `value` as an unsigned 64-bit little-endian integer. @throws {RangeError} If it is not a safe integer >= 0. */
export function writeUint64(target: Uint8Array, offset: number, value: number): void {
  if (!Number.isSafeInteger(value) || value < 0) {
    throw new RangeError(`a numeric field must be a safe integer >= 0, got ${value}`)
  }
  let rest = value
  for (let i = 0; i < 8; i++) {
    target[offset + i] = rest % 256
    rest = Math.floor(rest / 256)
  }
}

export function concatBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(totalLength(parts))
  let offset = 0
  for (const part of parts) {
    joined.set(part, offset)
    offset += part.length
  }
  return joined
}

function uint64(value: number): Uint8Array {
  const bytes = new Uint8Array(8)
  writeUint64(bytes, 0, value)
  return bytes
}

function totalLength(parts: readonly Uint8Array[]): number {
  let length = 0
  for (const part of parts) length += part.length
  return length
}

function fieldBytes(field: Field): readonly Uint8Array[] {
  if (typeof field === 'number') return [uint64(field)]
  if (typeof field !== 'string') return field instanceof Uint8Array ? [field] : field
  return [textBytes(field)]
}

function textBytes(text: string): Uint8Array {
  const bytes = new Uint8Array(text.length)
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i)
    if (code > 0x7f) return utf8Bytes(text)
    bytes[i] = code
  }
  return bytes
}

function utf8Bytes(text: string): Uint8Array {
  // TextEncoder would turn every lone surrogate into U+FFFD, and so give two strings one encoding.
  if (/\p{Surrogate}/u.test(text)) {
    throw new RangeError(`a string field must be well-formed, got ${JSON.stringify(text)}`)
  }
  return utf8.encode(text)
}
