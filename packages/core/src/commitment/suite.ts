import { AssayError } from '../errors.ts'
import { type Digest, nativeBlake3, nativeSha256, portableBlake3, portableSha256 } from './digest.ts'

export type SuiteId = 'sha256' | 'blake3'

/** The hash function that a session agreed on. Every implementation of a suite gives the same bytes. */
export interface HashSuite {
  readonly id: SuiteId
  readonly digestBytes: 32
  /** Hash of the parts one after the other, as if they were joined; in memory of its own. */
  hash(...parts: readonly Uint8Array[]): Uint8Array
}

/** Makes a suite of one implementation. */
export function suiteOf(id: SuiteId, digest: Digest): HashSuite {
  const scratch = new Uint8Array(digest.joinBytes)
  return {
    id,
    digestBytes: 32,
    hash(...parts) {
      if (parts.length === 1) return digest.hash(parts[0]!)
      let length = 0
      for (const part of parts) length += part.length
      if (length > scratch.length) return digest.hashParts(parts)
      let offset = 0
      for (const part of parts) {
        scratch.set(part, offset)
        offset += part.length
      }
      return digest.hash(scratch.subarray(0, length))
    },
  }
}

/** SHA-256 (FIPS 180-4): Node's own where there is one. */
export const sha256: HashSuite = /* @__PURE__ */ suiteOf('sha256', nativeSha256() ?? portableSha256)

let blake3: HashSuite | undefined

/**
 * The fastest implementation of a suite that this runtime has.
 *
 * @param id - `sha256`, or `blake3`, which is fast where the optional package `@napi-rs/blake-hash` is installed.
 * @throws {AssayError} `suite-unknown` if there is no such suite.
 */
export function loadSuite(id: string): HashSuite {
  if (id === 'sha256') return sha256
  if (id === 'blake3') {
    blake3 ??= suiteOf('blake3', nativeBlake3() ?? portableBlake3)
    return blake3
  }
  throw new AssayError('suite-unknown', `expected the hash suite to be 'sha256' or 'blake3', got ${JSON.stringify(id)}`)
}
