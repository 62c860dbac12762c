import { type ByteSource, truncated } from './byte-source.ts'

/** Several sources end to end. */
export function concatSource(name: string, parts: readonly ByteSource[]): ByteSource {
  const byteLength = parts.reduce((sum, part) => sum + part.byteLength, 0)
  return {
    name,
    byteLength,
    async read(offset, length) {
      if (offset + length > byteLength) throw truncated(name, 'the range read', offset + length, byteLength)
      const out = new Uint8Array(length)
      let start = 0
      for (const part of parts) {
        const from = Math.max(offset, start)
        const to = Math.min(offset + length, start + part.byteLength)
        if (from < to) out.set(await part.read(from - start, to - from), from - offset)
        start += part.byteLength
      }
      return out
    },
  }
}
