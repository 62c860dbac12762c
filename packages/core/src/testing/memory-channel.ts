import { AssayError } from '../errors.ts'
import type { AbortOptions, Channel, Message } from '../transport.ts'

export interface MemoryChannelLimits {
  readonly maxMessageBytes: number
  readonly maxBufferedBytes: number
  readonly closeTimeoutMs: number
}

/** What an empty message counts for, so that a flood of them meets back-pressure too. */
const messageOverheadBytes = 64

/** One direction. A write resolves once the message is within `maxBufferedBytes` of the reader. */
interface Pipe {
  readonly writer: WritableStreamDefaultWriter<Uint8Array>
  readonly reader: ReadableStreamDefaultReader<Uint8Array>
  break(error: Error): void
}

/** One end of an in-process channel. The message queue is a web stream, which Node and browsers have. */
export class MemoryChannel implements Channel {
  readonly peer: string
  readonly maxMessageBytes: number
  /** Resolves when this end is finished, one way or the other. */
  readonly over: Promise<void>
  readonly #limits: MemoryChannelLimits
  readonly #incoming: Pipe
  readonly #outgoing: Pipe
  #other!: MemoryChannel
  #iterated = false
  #reading = true
  #failure: Error | undefined
  #closing = false
  /** Everything that this side sent, and its goodbye, is with the peer. */
  #saidGoodbye = false
  #isOver = false
  #resolveOver!: () => void

  /** Two connected ends; each sees the other as the label given first and second. */
  static pair(first: string, second: string, limits: MemoryChannelLimits): [MemoryChannel, MemoryChannel] {
    const [there, back] = [pipe(limits.maxBufferedBytes), pipe(limits.maxBufferedBytes)]
    const near = new MemoryChannel(first, limits, back, there)
    const far = new MemoryChannel(second, limits, there, back)
    near.#other = far
    far.#other = near
    return [near, far]
  }

  private constructor(peer: string, limits: MemoryChannelLimits, incoming: Pipe, outgoing: Pipe) {
    this.peer = peer
    this.maxMessageBytes = limits.maxMessageBytes
    this.#limits = limits
    this.#incoming = incoming
    this.#outgoing = outgoing
    this.over = new Promise((resolve) => {
      this.#resolveOver = resolve
    })
  }

  send(message: Message): Promise<void> {
    const sent = this.#send(message)
    // A caller that does not wait learns of a lost channel from its iteration, not from a crash.
    sent.catch(() => {})
    return sent
  }

  async #send(message: Message): Promise<void> {
    if (!Array.isArray(message) || !message.every((part) => part instanceof Uint8Array)) {
      throw new TypeError('send() takes an array of Uint8Array, the parts of one message')
    }
    const length = message.reduce((sum, part) => sum + part.byteLength, 0)
    if (this.#failure !== undefined) throw this.#failure
    if (this.#closing) throw new AssayError('channel-closed', `the channel to ${this.peer} was closed on this side`)
    if (length > this.maxMessageBytes) {
      throw new AssayError('message-too-large', `a message of ${length} bytes exceeds ${this.maxMessageBytes}`)
    }
    const copy = new Uint8Array(length)
    let offset = 0
    for (const part of message) {
      copy.set(part, offset)
      offset += part.byteLength
    }
    try {
      await this.#outgoing.writer.write(copy)
    } catch (error) {
      throw this.#failure ?? error
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    if (this.#iterated) throw new TypeError('a channel can be iterated only once')
    if (this.#closing) throw new AssayError('channel-closed', 'close() was called first; begin iterating before it')
    this.#iterated = true
    return {
      next: async () => {
        if (!this.#reading) return { done: true, value: undefined }
        const { done, value } = await this.#incoming.reader.read()
        return done ? { done, value: undefined } : { done, value }
      },
      return: async () => {
        this.#stopReading()
        return { done: true, value: undefined }
      },
    }
  }

  close({ signal }: AbortOptions = {}): Promise<void> {
    const giveUp = () => this.#fail(new AssayError('aborted', 'the caller aborted close()', { cause: signal?.reason }))
    if (!this.#closing && !this.#isOver) this.#sayGoodbye()
    if (signal?.aborted) giveUp()
    signal?.addEventListener('abort', giveUp, { once: true })
    return this.over.then(() => signal?.removeEventListener('abort', giveUp))
  }

  abort(error: Error): void {
    this.#fail(error)
  }

  #sayGoodbye(): void {
    this.#closing = true
    if (!this.#iterated || !this.#reading) this.#stopReading()
    const { closeTimeoutMs } = this.#limits
    const timer = setTimeout(() => {
      this.#fail(new AssayError('deadline-exceeded', `${this.peer} did not close within ${closeTimeoutMs} ms`))
    }, closeTimeoutMs)
    // Browsers return a number; in Node a timer alone must not keep the process alive.
    if (typeof timer === 'object') timer.unref()
    void this.over.then(() => clearTimeout(timer))
    this.#outgoing.writer.close().then(
      () => {
        this.#saidGoodbye = true
        if (this.#other.#saidGoodbye) {
          this.#finish()
          this.#other.#finish()
        }
      },
      () => {}, // the channel was lost meanwhile, which has ended the wait as well
    )
  }

  /** Messages that nobody will read hold the sender back until close(), and are discarded from then on. */
  #stopReading(): void {
    this.#reading = false
    if (this.#closing) void discard(this.#incoming.reader)
  }

  #fail(error: Error): void {
    if (this.#isOver) return
    const lost = new AssayError('channel-lost', 'the peer ended the connection without a goodbye')
    this.#failure = error
    this.#incoming.break(error)
    if (!this.#other.#isOver) {
      this.#other.#failure = lost
      // After a goodbye the peer has everything, and may still be reading it.
      if (!this.#saidGoodbye) this.#outgoing.break(lost)
      this.#other.#finish()
    }
    this.#finish()
  }

  #finish(): void {
    this.#isOver = true
    this.#resolveOver()
  }
}

function pipe(maxBufferedBytes: number): Pipe {
  let controller: TransformStreamDefaultController<Uint8Array> | undefined
  const { readable, writable } = new TransformStream<Uint8Array, Uint8Array>(
    {
      start(started) {
        controller = started
      },
    },
    undefined,
    { highWaterMark: maxBufferedBytes, size: (message) => message.byteLength + messageOverheadBytes },
  )
  return { writer: writable.getWriter(), reader: readable.getReader(), break: (error) => controller?.error(error) }
}

async function discard(reader: ReadableStreamDefaultReader<Uint8Array>): Promise<void> {
  try {
    while (!(await reader.read()).done);
  } catch {
    // Whoever closes is not interested in how the rest was lost.
  }
}
