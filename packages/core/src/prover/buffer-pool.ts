/**
 * Memory for snapshots, reused: touching fresh pages costs several times as much as copying into old ones.
 */
export interface BufferPool {
  /** `length` bytes, 8-byte aligned, of unspecified content. */
  acquire(length: number): Uint8Array
  /** Gives back what `acquire` returned; the bytes may be overwritten from now on. Memory of others is let go. */
  release(bytes: Uint8Array): void
  /** Drops all unused memory. */
  clear(): void
}

/** @param maxIdleBytes - Unused memory that the pool keeps. */
export function bufferPool(maxIdleBytes: number): BufferPool {
  const idle = new Map<number, ArrayBuffer[]>()
  /** Buffers of each size that are out: memory that went through another thread comes back as another object. */
  const lent = new Map<number, number>()
  let idleBytes = 0
  return {
    acquire(length) {
      const size = sizeClass(length)
      lent.set(size, (lent.get(size) ?? 0) + 1)
      const buffer = idle.get(size)?.pop()
      if (buffer === undefined) return new Uint8Array(new ArrayBuffer(size), 0, length)
      idleBytes -= size
      return new Uint8Array(buffer, 0, length)
    },
    release(bytes) {
      const buffer = bytes.buffer as ArrayBuffer
      const out = lent.get(buffer.byteLength) ?? 0
      if (out === 0) return
      lent.set(buffer.byteLength, out - 1)
      if (idleBytes + buffer.byteLength > maxIdleBytes) return
      idleBytes += buffer.byteLength
      const buffers = idle.get(buffer.byteLength)
      if (buffers) buffers.push(buffer)
      else idle.set(buffer.byteLength, [buffer])
    },
    clear() {
      idle.clear()
      idleBytes = 0
    },
  }
}

/** Rounds up to an eighth of a power of two, so that nearly equal sizes share buffers and at most 1/8 is wasted. */
export function sizeClass(length: number): number {
  const step = Math.max(64, 2 ** (Math.floor(Math.log2(Math.max(1, length))) - 3))
  return Math.max(64, Math.ceil(length / step) * step)
}
