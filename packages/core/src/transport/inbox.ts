import { AssayError } from '../errors.ts'

/** What a message counts for besides its bytes, so that a flood of empty ones meets back-pressure too. */
const messageOverheadBytes = 256

interface Waiting {
  resolve(step: IteratorResult<Uint8Array, undefined>): void
  reject(error: Error): void
}

interface Entry {
  readonly message: Uint8Array
  next: Entry | undefined
}

/**
 * Messages between a socket and the `for await` that reads them. It never refuses a message; whoever fills it stops
 * while it is {@link Inbox.full}.
 */
export class Inbox {
  readonly #maxBytes: number
  readonly #onRoom: () => void
  readonly #onChange: () => void
  readonly #waiting: Waiting[] = []
  #first: Entry | undefined
  #last: Entry | undefined
  #bytes = 0
  #full = false
  #ended = false
  #error: Error | undefined
  #iterated = false
  #iterating = false
  #closed = false

  /**
   * @param onRoom - Called when it was full and is so no longer.
   * @param onChange - Called when it holds more or less than before.
   */
  constructor(maxBytes: number, onRoom: () => void, onChange: () => void = () => {}) {
    this.#maxBytes = maxBytes
    this.#onRoom = onRoom
    this.#onChange = onChange
  }

  /** Bytes of the messages that nobody has read yet, with what they count for besides. */
  get heldBytes(): number {
    return this.#bytes
  }

  /** From `maxBytes` until the reader has taken half of it. */
  get full(): boolean {
    return this.#full
  }

  push(message: Uint8Array): void {
    if (this.#closed && !this.#iterating) return
    const waiting = this.#waiting.shift()
    if (waiting === undefined) this.#hold(message)
    else waiting.resolve({ done: false, value: message })
  }

  /** No message follows. */
  end(): void {
    this.#ended = true
    for (const { resolve } of this.#waiting.splice(0)) resolve({ done: true, value: undefined })
  }

  /** The iteration throws `error` after the messages that arrived, unless it ended before. */
  fail(error: Error): void {
    if (this.#ended || this.#error !== undefined) return
    this.#error = error
    for (const { reject } of this.#waiting.splice(0)) reject(error)
  }

  /** The iteration throws `error` at once, and what it has not read is dropped. */
  failAtOnce(error: Error): void {
    this.#clear()
    this.#ended = false
    this.fail(error)
  }

  /** From now on, messages that nobody will read are dropped instead of held. Whoever is reading goes on. */
  close(): void {
    this.#closed = true
    if (!this.#iterating) this.#clear()
  }

  /** @throws {TypeError} The second time, and {AssayError} `channel-closed` after {@link Inbox.close}. */
  iterate(): AsyncIterator<Uint8Array> {
    if (this.#iterated) throw new TypeError('a channel can be iterated only once')
    if (this.#closed) throw new AssayError('channel-closed', 'close() was called first; begin iterating before it')
    this.#iterated = true
    this.#iterating = true
    return {
      next: () => this.#next(),
      return: async () => {
        this.#stopIterating()
        return { done: true, value: undefined }
      },
    }
  }

  #next(): Promise<IteratorResult<Uint8Array, undefined>> {
    if (!this.#iterating) return Promise.resolve({ done: true, value: undefined })
    const entry = this.#first
    if (entry !== undefined) {
      this.#first = entry.next
      if (entry.next === undefined) this.#last = undefined
      this.#bytes -= entry.message.byteLength + messageOverheadBytes
      this.#onChange()
      if (this.#full && this.#bytes <= this.#maxBytes / 2) this.#makeRoom()
      return Promise.resolve({ done: false, value: entry.message })
    }
    if (this.#error !== undefined) return Promise.reject(this.#error)
    if (this.#ended) return Promise.resolve({ done: true, value: undefined })
    return new Promise((resolve, reject) => this.#waiting.push({ resolve, reject }))
  }

  #hold(message: Uint8Array): void {
    const entry: Entry = { message, next: undefined }
    if (this.#last === undefined) this.#first = entry
    else this.#last.next = entry
    this.#last = entry
    this.#bytes += message.byteLength + messageOverheadBytes
    if (this.#bytes >= this.#maxBytes) this.#full = true
    this.#onChange()
  }

  #stopIterating(): void {
    this.#iterating = false
    for (const { resolve } of this.#waiting.splice(0)) resolve({ done: true, value: undefined })
    this.#clear()
    // What nobody can read any more holds the peer back, rather than vanish, until this side closes too.
    if (!this.#closed) this.#full = true
  }

  #clear(): void {
    this.#first = undefined
    this.#last = undefined
    this.#bytes = 0
    this.#onChange()
    if (this.#full) this.#makeRoom()
  }

  #makeRoom(): void {
    this.#full = false
    this.#onRoom()
  }
}
