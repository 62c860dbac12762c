import type { Socket } from 'node:net'

const ignore = () => {}

/** Writes to a socket and tells how much of it the system has taken, large writes that are under way included. */
export class Outflow {
  readonly #socket: Socket
  #writtenBytes = 0
  /** Up to where every write is done. */
  #doneBytes = 0
  /** Up to where bytes were handed to the system. What is written meanwhile waits, and then goes all at once. */
  #handedBytes = 0
  /** Whether what is written is still gathered. */
  #gathering = false

  constructor(socket: Socket) {
    this.#socket = socket
  }

  /**
   * One gathering write for everything that is written in the same turn, so that a header never travels alone, many short
   * messages cost no more than one, and nothing is copied together.
   *
   * @param onTaken - Called when the system has taken all of it, or with what went wrong.
   */
  write(parts: readonly Uint8Array[], onTaken: (error?: Error | null) => void = ignore): void {
    const filled = parts.filter((part) => part.byteLength > 0)
    for (const part of filled) this.#writtenBytes += part.byteLength
    const end = this.#writtenBytes
    this.#gather()
    filled.forEach((part, i) => {
      this.#socket.write(part, i === filled.length - 1 ? (error) => this.#finish(end, error, onTaken) : undefined)
    })
  }

  /** Bytes that the system has taken. */
  get takenBytes(): number {
    const handle = (this.#socket as { _handle?: { writeQueueSize?: number } | null })._handle
    // Node's own timeouts look at it for the same purpose. It is 0 or missing where it is not known.
    const queued = handle?.writeQueueSize ?? 0
    return queued > 0 ? Math.max(this.#doneBytes, this.#handedBytes - queued) : this.#doneBytes
  }

  /** Bytes that it has not taken. */
  get waitingBytes(): number {
    return this.#writtenBytes - this.takenBytes
  }

  #gather(): void {
    if (this.#gathering) return
    this.#gathering = true
    this.#socket.cork()
    process.nextTick(() => {
      this.#gathering = false
      if (this.#doneBytes === this.#handedBytes) this.#handedBytes = this.#writtenBytes
      this.#socket.uncork()
    })
  }

  #finish(end: number, error: Error | null | undefined, onTaken: (error?: Error | null) => void): void {
    this.#doneBytes = Math.max(this.#doneBytes, end)
    if (end >= this.#handedBytes && !this.#gathering) this.#handedBytes = this.#writtenBytes
    onTaken(error)
  }
}
