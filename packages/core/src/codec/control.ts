import { decode } from 'cborg'
import { AssayError } from '../errors.ts'
import { canonicalProblem } from './canonical.ts'
import { Encoder } from './encoder.ts'

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
  const encoder = new Encoder()
  encoder.write(value)
  return encoder.written
}

/**
 * Decodes deterministic CBOR. Every other encoding of the same value is refused, so that what was hashed and what was
 * understood cannot differ; so is whatever exceeds {@link controlLimits}, before it is decoded.
 *
 * @throws {AssayError} `frame-malformed`.
 */
export function decodeControl(bytes: Uint8Array): unknown {
  const problem = canonicalProblem(bytes)
  if (problem !== undefined) {
    const message = `the control map is not deterministic CBOR (RFC 8949 section 4.2) within the limits: ${problem}`
    throw new AssayError('frame-malformed', message)
  }
  try {
    return decode(bytes, decodeOptions)
  } catch (cause) {
    throw new AssayError('frame-malformed', `the control map cannot be decoded: ${(cause as Error).message}`, { cause })
  }
}
