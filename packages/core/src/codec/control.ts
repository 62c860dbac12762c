import { decode, encode, rfc8949EncodeOptions } from 'cborg'
import { AssayError } from '../errors.ts'

const decodeOptions = {
  strict: true,
  allowIndefinite: false,
  allowUndefined: false,
  allowInfinity: false,
  allowNaN: false,
  allowBigInt: false,
  rejectDuplicateMapKeys: true,
}

/** Encodes a control map as deterministic CBOR (RFC 8949 §4.2): equal values give equal bytes. */
export function encodeControl(value: unknown): Uint8Array {
  return encode(value, rfc8949EncodeOptions)
}

/**
 * Decodes deterministic CBOR. Every other encoding of the same value is refused, so that what was hashed and what was
 * understood cannot differ.
 *
 * @throws {AssayError} `frame-malformed`.
 */
export function decodeControl(bytes: Uint8Array): unknown {
  let value: unknown
  let again: Uint8Array
  try {
    value = decode(bytes, decodeOptions)
    again = encodeControl(value)
  } catch (cause) {
    // Deep nesting ends here too, as a RangeError of the engine's stack.
    throw new AssayError('frame-malformed', `the control map cannot be decoded: ${(cause as Error).message}`, { cause })
  }
  if (again.length !== bytes.length || again.some((byte, i) => byte !== bytes[i])) {
    throw new AssayError('frame-malformed', 'the control map is not in deterministic encoding (RFC 8949 section 4.2)')
  }
  return value
}
