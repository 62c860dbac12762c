import { AssayError } from '@tensor-assay/core'

/** Bytes that are read in ranges: a file, a `Blob`, a buffer. What every parser of this folder reads from. */
export interface ByteSource {
  /** For messages: a path or a label. */
  readonly name: string
  readonly byteLength: number
  /**
   * Exactly `length` bytes from `offset` on, in a buffer that the caller may keep and change.
   *
   * @throws {AssayError} `weights-truncated` if the source ends first, `weights-unreadable` if it cannot be read.
   */
  read(offset: number, length: number): Promise<Uint8Array>
}

/**
 * A source over bytes in memory. They are not copied here, but every read is a copy.
 *
 * @param name - For messages.
 */
export function bytesSource(bytes: Uint8Array, name = 'bytes'): ByteSource {
  return {
    name,
    byteLength: bytes.byteLength,
    async read(offset, length) {
      if (offset + length > bytes.byteLength) throw truncated(name, 'the range read', offset + length, bytes.byteLength)
      return Uint8Array.prototype.slice.call(bytes, offset, offset + length)
    },
  }
}

/** @param expected - Bytes that the source would need to have. */
export function truncated(name: string, what: string, expected: number, actual: number): AssayError {
  return new AssayError(
    'weights-truncated',
    `${name}: ${what} ends at byte ${expected}, but there are only ${actual} bytes; copy or download it again`,
  )
}

export function unreadable(name: string, problem: string, cause?: unknown): AssayError {
  return new AssayError('weights-unreadable', `${name}: ${problem}`, { cause })
}

/** A value out of a file, safe to print: strings are escaped and cut at 80 characters, containers only named. */
export function quoted(value: unknown): string {
  if (typeof value === 'string') {
    const cut = value.length > 80 ? `${value.slice(0, 77)}...` : value
    return JSON.stringify(cut).replace(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
      return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`
    })
  }
  if (typeof value !== 'object' || value === null) return String(value)
  return Array.isArray(value) ? 'a list' : 'an object'
}
