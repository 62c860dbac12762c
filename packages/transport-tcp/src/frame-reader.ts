import { decodeHeader, headerBytes } from './wire.ts'

export interface Frame {
  readonly kind: number
  /** Memory of its own, aligned as every new buffer is. */
  readonly body: Uint8Array
}

/** Memory for a body when its header has arrived. */
const firstStepBytes = 64 * 1024
/** Memory for a body is at most this many times what has arrived of it, and {@link firstStepBytes} at least. */
const growthFactor = 4

/** Cuts a stream of bytes, in pieces of any size, into frames. */
export class FrameReader {
  readonly #maxMessageBytes: number
  readonly #header = new Uint8Array(headerBytes)
  #headerFilled = 0
  #kind = 0
  #length = 0
  #body: Uint8Array | undefined
  #bodyFilled = 0

  constructor(maxMessageBytes: number) {
    this.#maxMessageBytes = maxMessageBytes
  }

  /** Whether a frame has begun and not ended. */
  get insideFrame(): boolean {
    return this.#headerFilled > 0
  }

  /** Memory of a body that is not complete, bytes. */
  get heldBytes(): number {
    return this.#body?.length ?? 0
  }

  /**
   * Takes the next bytes and yields the frames that they complete. Bodies are copies. Every frame has to be taken before
   * the next call.
   *
   * @throws {AssayError} `frame-malformed`, `message-too-large`.
   */
  *read(chunk: Uint8Array): Generator<Frame, void> {
    let offset = 0
    while (offset < chunk.length) {
      if (this.#headerFilled < headerBytes) {
        offset += this.#fillHeader(chunk, offset)
        if (this.#headerFilled < headerBytes) return
        const { kind, length } = decodeHeader(this.#header, this.#maxMessageBytes)
        this.#kind = kind
        this.#length = length
        this.#body = new Uint8Array(Math.min(length, firstStepBytes))
        this.#bodyFilled = 0
      }
      offset += this.#fillBody(chunk, offset)
      if (this.#bodyFilled < this.#length) continue
      const body = this.#body!
      this.#body = undefined
      this.#headerFilled = 0
      yield { kind: this.#kind, body }
    }
  }

  #fillHeader(chunk: Uint8Array, offset: number): number {
    const count = Math.min(headerBytes - this.#headerFilled, chunk.length - offset)
    this.#header.set(chunk.subarray(offset, offset + count), this.#headerFilled)
    this.#headerFilled += count
    return count
  }

  #fillBody(chunk: Uint8Array, offset: number): number {
    let body = this.#body!
    if (this.#bodyFilled === body.length && body.length < this.#length) {
      const larger = new Uint8Array(Math.min(this.#length, growthFactor * body.length))
      larger.set(body)
      body = larger
      this.#body = body
    }
    const count = Math.min(body.length - this.#bodyFilled, chunk.length - offset)
    body.set(chunk.subarray(offset, offset + count), this.#bodyFilled)
    this.#bodyFilled += count
    return count
  }
}
