/** The bytes of a model file: in memory, or in a file that is read in pieces. */
export interface ModelSource {
  /** For messages: a path or a label. */
  readonly name: string
  readonly byteLength: number
  /**
   * Bytes `offset` to `offset + length`, which lie within the source. Not to be changed, and not a copy where the bytes
   * are in memory.
   *
   * @throws {AssayError} `model-malformed` if the source has become shorter, `weights-unreadable` if it cannot be read.
   */
  view(offset: number, length: number): Uint8Array
}

/** Where something lies in a source. */
export interface ByteRange {
  readonly offset: number
  readonly length: number
}

/**
 * A source over bytes in memory, which are not copied.
 *
 * @param name - For messages.
 */
export function bytesSource(bytes: Uint8Array, name = 'model'): ModelSource {
  return {
    name,
    byteLength: bytes.byteLength,
    view: (offset, length) => new Uint8Array(bytes.buffer, bytes.byteOffset + offset, length),
  }
}
