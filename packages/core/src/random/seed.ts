import { hmac } from '@noble/hashes/hmac.js'
import { sha256 } from '@noble/hashes/sha2.js'
import { encodeFields, type Field } from '../commitment/fields.ts'

/**
 * An independent 32-byte seed for each label and list of fields: HMAC-SHA256(key, encodeFields(label, …fields)).
 *
 * @param key - 32 bytes that nobody else knows yet.
 * @throws {RangeError} If `key` does not have 32 bytes, or a field cannot be encoded.
 */
export function deriveSeed(key: Uint8Array, label: string, ...fields: readonly Field[]): Uint8Array {
  if (key.length !== 32) throw new RangeError(`a key must have 32 bytes, got ${key.length}`)
  return hmac(sha256, key, encodeFields(label, ...fields))
}
