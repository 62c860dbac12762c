import type { Message } from '@tensor-assay/core'
import { lengthOf } from './link.ts'
import { Queue } from './queue.ts'
import { malformed, messageOverheadBytes } from './wire.ts'

interface Entry {
  readonly message: Message
  /** What was handed on up to its end. */
  endBytes: number
  /** Its memory is no longer needed. */
  taken: boolean
  resolve(): void
  reject(error: Error): void
}

/** Messages on their way out: those that wait for the window, and those whose senders wait for room. */
export class Outbox {
  readonly #windowBytes: number
  readonly #hand: (message: Message, onTaken: () => void) => void
  readonly #queued = new Queue<Entry>()
  readonly #handed = new Queue<Entry>()
  #handedBytes = 0
  #creditedBytes = 0
  #onEmpty: (() => void) | undefined

  /** @param hand - Passes a message to the connection. */
  constructor(windowBytes: number, hand: (message: Message, onTaken: () => void) => void) {
    this.#windowBytes = windowBytes
    this.#hand = hand
  }

  /** Resolves when the message was taken and there is room for another. */
  send(message: Message): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#queued.push({ message, endBytes: 0, taken: false, resolve, reject })
      this.#advance()
    })
  }

  /** @throws {AssayError} `frame-malformed` if it is for more than was sent. */
  credit(bytes: number): void {
    const outstanding = this.#handedBytes - this.#creditedBytes
    if (bytes > outstanding) throw malformed(`credit for ${bytes} bytes, where ${outstanding} are outstanding`)
    this.#creditedBytes += bytes
    this.#advance()
  }

  /** @param onEmpty - Called when every message was handed on and there would be room for one more. */
  finish(onEmpty: () => void): void {
    this.#onEmpty = onEmpty
    this.#advance()
  }

  /** Rejects every send that is not settled. */
  fail(error: Error): void {
    for (const queue of [this.#handed, this.#queued]) {
      for (let entry = queue.shift(); entry !== undefined; entry = queue.shift()) entry.reject(error)
    }
    this.#onEmpty = undefined
  }

  /** Whether the window has room behind so many of the bytes that were handed on. */
  #hasRoom(handedBytes: number): boolean {
    return handedBytes - this.#creditedBytes < this.#windowBytes
  }

  #advance(): void {
    for (let entry = this.#queued.first; entry !== undefined; entry = this.#queued.first) {
      if (!this.#hasRoom(this.#handedBytes)) break
      this.#queued.shift()
      this.#handed.push(entry)
      this.#handedBytes += lengthOf(entry.message) + messageOverheadBytes
      entry.endBytes = this.#handedBytes
      this.#hand(entry.message, () => {
        entry.taken = true
        this.#settle()
      })
    }
    this.#settle()
    if (this.#queued.first !== undefined || !this.#hasRoom(this.#handedBytes)) return
    const onEmpty = this.#onEmpty
    this.#onEmpty = undefined
    onEmpty?.()
  }

  #settle(): void {
    for (let entry = this.#handed.first; entry !== undefined; entry = this.#handed.first) {
      if (!entry.taken || !this.#hasRoom(entry.endBytes)) return
      this.#handed.shift()
      entry.resolve()
    }
  }
}
