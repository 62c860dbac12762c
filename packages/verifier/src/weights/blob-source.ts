import { type ByteSource, truncated, unreadable } from './byte-source.ts'

/** A `Blob` of browsers and of Node, as far as it is needed. */
interface BlobLike {
  readonly size: number
  slice(start: number, end: number): { arrayBuffer(): Promise<ArrayBuffer> }
}

/**
 * A source over a `Blob`, such as a `File` that was dropped onto a page.
 *
 * @param name - For messages.
 *
 * @example
 * ```ts
 * const store = await readSafetensors(blobSource(file, file.name))
 * ```
 */
export function blobSource(blob: BlobLike, name: string): ByteSource {
  return {
    name,
    byteLength: blob.size,
    async read(offset, length) {
      if (offset + length > blob.size) throw truncated(name, 'the range read', offset + length, blob.size)
      const buffer = await blob
        .slice(offset, offset + length)
        .arrayBuffer()
        .catch((cause) => {
          throw unreadable(name, 'cannot be read; it may have changed since it was chosen', cause)
        })
      return new Uint8Array(buffer)
    },
  }
}
