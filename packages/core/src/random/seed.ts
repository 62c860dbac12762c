import { encodeFields, type Field } from '../commitment/fields.ts'
import { sha256 } from '../commitment/suite.ts'

/**
 * An independent 32-byte seed for each label and list of fields: HMAC-SHA256(key, encodeFields(label, …fields)).
 *
 * @param key - 32 bytes that nobody else knows yet.
 * @throws {RangeError} If `key` does not have 32 bytes, or a field cannot be encoded.
 */
export function deriveSeed(key: Uint8Array, label: string, ...fields: readonly Field[]): Uint8Array {
  if (key.length !== 32) throw new RangeError(`a key must have 32 bytes, got ${key.length}`)
  return hmac(key, encodeFields(label, ...fields))
}

/** Bytes that SHA-256 takes in at a time. */
const blockBytes = 64

/**
 * HMAC-SHA256(key, message) = H(key ⊕ opad ‖ H(key ⊕ ipad ‖ message)), by the hash that the runtime has.
 *
 * @param key - A block at most; a longer one would have to be hashed first.
 * @see RFC 2104, section 2.
 */
function hmac(key: Uint8Array, message: Uint8Array): Uint8Array {
  return sha256.hash(padded(key, 0x5c), sha256.hash(padded(key, 0x36), message))
}

function padded(key: Uint8Array, pad: number): Uint8Array {
  const block = new Uint8Array(blockBytes).fill(pad)
  for (let i = 0; i < key.length; i++) block[i]! ^= key[i]!
  return block
}
