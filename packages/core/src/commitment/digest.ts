import { blake3 } from '@noble/hashes/blake3.js'
import { sha256 } from '@noble/hashes/sha2.js'

/** One implementation of one hash function with digests of 32 bytes. */
export interface Digest {
  /** In memory of its own. */
  hash(bytes: Uint8Array): Uint8Array
  /** Hash of the parts one after the other, without joining them. */
  hashParts(parts: readonly Uint8Array[]): Uint8Array
  /** Up to this many bytes, joining the parts and calling `hash` is the faster way. */
  readonly joinBytes: number
}

export const portableSha256: Digest = portable(sha256)
export const portableBlake3: Digest = portable(blake3)

/** SHA-256 by Node's OpenSSL, or undefined in other runtimes. */
export function nativeSha256(): Digest | undefined {
  const crypto = builtin('node:crypto')
  if (crypto?.createHash === undefined) return undefined
  const hashParts = (parts: readonly Uint8Array[]): Uint8Array => {
    const hash = crypto.createHash('sha256')
    for (const part of parts) hash.update(part)
    return fromBinary(hash.digest('binary'))
  }
  // The one-shot form halves the fixed cost of a hash; Bun and older runtimes lack it.
  const hash =
    typeof crypto.hash === 'function'
      ? (bytes: Uint8Array) => fromBinary(crypto.hash('sha256', bytes, 'binary'))
      : (bytes: Uint8Array) => hashParts([bytes])
  return { hash, hashParts, joinBytes: 16 * 1024 }
}

/** BLAKE3 by the optional package `@napi-rs/blake-hash`, or undefined where it cannot be loaded. */
export function nativeBlake3(): Digest | undefined {
  const { createRequire } = builtin('node:module') ?? {}
  if (createRequire === undefined) return undefined
  let addon: BlakeAddon
  try {
    // `require` keeps loading synchronous, and keeps bundlers from insisting on an optional package.
    addon = createRequire(import.meta.url)('@napi-rs/blake-hash')
  } catch {
    return undefined
  }
  return {
    hash: (bytes) => new Uint8Array(addon.blake3(bytes)),
    hashParts: (parts) => {
      const hasher = new addon.Blake3Hasher()
      for (const part of parts) hasher.update(part)
      return new Uint8Array(hasher.digestBuffer())
    },
    // Making a hasher costs as much as copying this much.
    joinBytes: 128 * 1024,
  }
}

interface BlakeAddon {
  readonly blake3: (bytes: Uint8Array) => Uint8Array
  readonly Blake3Hasher: new () => { update(bytes: Uint8Array): unknown; digestBuffer(): Uint8Array }
}

interface PortableHash {
  (bytes: Uint8Array): Uint8Array
  create(): { update(bytes: Uint8Array): unknown; digest(): Uint8Array }
}

function portable(hash: PortableHash): Digest {
  return {
    hash: (bytes) => hash(bytes),
    hashParts: (parts) => {
      const state = hash.create()
      for (const part of parts) state.update(part)
      return state.digest()
    },
    joinBytes: 4 * 1024,
  }
}

/** A Node built-in module without an import that a browser or a bundler would stumble over. */
function builtin<Id extends 'node:crypto' | 'node:module'>(id: Id) {
  return globalThis.process?.getBuiltinModule?.(id)
}

/** A digest as the string of one character per byte that Node returns in a third of the time of a Buffer. */
function fromBinary(digest: string): Uint8Array {
  const bytes = new Uint8Array(digest.length)
  for (let i = 0; i < digest.length; i++) bytes[i] = digest.charCodeAt(i)
  return bytes
}
