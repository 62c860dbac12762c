import { ed25519 } from '@noble/curves/ed25519.js'
import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import { encodeFields, type Field } from '../commitment/fields.ts'

export const publicKeyBytes = 32
export const signatureBytes = 64

/** A key pair (Ed25519, RFC 8032) by which one side recognises the other. */
export interface Identity {
  readonly publicKey: Uint8Array
  /** `ed25519:` and the public key in hexadecimal: what the other side pins. */
  readonly fingerprint: string
  /** Signs a tagged list of fields: 64 bytes. No signature under one tag serves under another. */
  sign(tag: string, ...fields: readonly Field[]): Uint8Array
}

/**
 * @param secretKey - 32 secret bytes; new random ones unless given.
 * @throws {RangeError} If the key does not have 32 bytes.
 *
 * @example
 * ```ts
 * const { fingerprint } = createIdentity() // ed25519:…, for the other side to pin
 * ```
 */
export function createIdentity(secretKey: Uint8Array = ed25519.utils.randomSecretKey()): Identity {
  if (secretKey.length !== 32) throw new RangeError(`a secret key must have 32 bytes, got ${secretKey.length}`)
  const secret = secretKey.slice()
  const publicKey = ed25519.getPublicKey(secret)
  return {
    publicKey,
    fingerprint: fingerprint(publicKey),
    sign: (tag, ...fields) => ed25519.sign(encodeFields(`signed ${tag}`, ...fields), secret),
  }
}

/** Whether `signature` is by the owner of `publicKey`. Never throws, whatever it is given. */
export function isSignedBy(
  publicKey: Uint8Array,
  signature: Uint8Array,
  tag: string,
  ...fields: readonly Field[]
): boolean {
  if (publicKey.length !== publicKeyBytes || signature.length !== signatureBytes) return false
  try {
    // RFC 8032 to the letter: one signature has one encoding, and weak keys sign nothing.
    return ed25519.verify(signature, encodeFields(`signed ${tag}`, ...fields), publicKey, { zip215: false })
  } catch {
    return false
  }
}

/** The text form of a public key. */
export function fingerprint(publicKey: Uint8Array): string {
  return `ed25519:${bytesToHex(publicKey)}`
}

/** @throws {TypeError} If `text` is not a fingerprint. */
export function parseFingerprint(text: string): Uint8Array {
  if (!/^ed25519:[0-9a-f]{64}$/.test(text)) {
    throw new TypeError(`expected a fingerprint such as ed25519:${'ab'.repeat(32)}, got ${JSON.stringify(text)}`)
  }
  return hexToBytes(text.slice('ed25519:'.length))
}
