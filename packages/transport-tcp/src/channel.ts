import type { Socket } from 'node:net'
import {
  type AbortOptions,
  AssayError,
  type Channel,
  Deadline,
  Inbox,
  type MemoryAccount,
  MemoryBudget,
  type Message,
} from '@tensor-assay/core'
import { type Frame, FrameReader } from './frame-reader.ts'
import type { ChannelLimits } from './options.ts'
import { Outflow } from './outflow.ts'
import { encodeHeader, kinds, malformed } from './wire.ts'

/** A message that was started has to bring this much, or its end, within every `stallTimeoutMs`; in either direction. */
const leastProgressBytes = 64 * 1024

const ignore = () => {}

/** A channel over a connected socket whose handshake is over. The socket is this channel's alone from here on. */
export class SocketChannel implements Channel {
  readonly peer: string
  readonly maxMessageBytes: number
  readonly #socket: Socket
  readonly #reader: FrameReader
  readonly #inbox: Inbox
  readonly #outflow: Outflow
  readonly #memory: MemoryAccount
  readonly #idle: Deadline
  readonly #stall: Deadline
  readonly #sendStall: Deadline
  readonly #closeWait: Deadline
  /** Resolves when the socket and everything else is free. */
  readonly #released: Promise<void>
  #closing = false
  #goodbyeTaken = false
  #peerSaidGoodbye = false
  /** Both goodbyes are said and taken. */
  #finished = false
  #failure: Error | undefined
  #paused = false
  #receivedBytes = 0
  #receivedAtMark = 0
  #takenAtMark = 0

  /**
   * @param rest - What came after the peer's preamble.
   * @param memory - What all channels of a listener share; of its own unless given.
   */
  constructor(
    socket: Socket,
    peer: string,
    limits: ChannelLimits,
    rest: Uint8Array,
    memory = new MemoryBudget(Number.POSITIVE_INFINITY),
  ) {
    this.peer = peer
    this.maxMessageBytes = limits.maxMessageBytes
    this.#socket = socket
    this.#outflow = new Outflow(socket)
    this.#reader = new FrameReader(limits.maxMessageBytes)
    this.#memory = memory.open(() => this.#giveUpMemory())
    this.#inbox = new Inbox(
      limits.maxBufferedBytes,
      () => this.#regulate(),
      () => this.#countMemory(),
    )
    const late = (what: string) => () => this.#fail(new AssayError('deadline-exceeded', `${peer} ${what}`))
    this.#idle = new Deadline(limits.idleTimeoutMs, late(`sent nothing for ${limits.idleTimeoutMs} ms`))
    this.#stall = new Deadline(limits.stallTimeoutMs, () => this.#checkProgress(limits.stallTimeoutMs))
    this.#sendStall = new Deadline(limits.stallTimeoutMs, () => this.#checkTaken(limits.stallTimeoutMs))
    this.#closeWait = new Deadline(limits.closeTimeoutMs, late(`did not close within ${limits.closeTimeoutMs} ms`))

    socket.on('data', (chunk: Uint8Array) => this.#receive(chunk))
    socket.on('end', () => this.#lose())
    socket.on('error', (error) => this.#lose(error))
    this.#released = new Promise((resolve) => {
      socket.once('close', () => {
        this.#lose()
        this.#stopWaiting()
        resolve()
      })
    })
    this.#idle.start()
    if (socket.destroyed) this.#lose(socket.errored ?? undefined)
    else {
      if (rest.length > 0) this.#receive(rest)
      if (!this.#paused) socket.resume()
    }
  }

  send(message: Message): Promise<void> {
    if (!Array.isArray(message) || !message.every((part) => part instanceof Uint8Array)) {
      return Promise.reject(new TypeError('send() takes an array of Uint8Array, the parts of one message'))
    }
    const sent = this.#send(message)
    // The network can make any send fail, so one that nobody awaits must not end the process.
    sent.catch(ignore)
    return sent
  }

  async #send(message: Message): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#closing) throw new AssayError('channel-closed', `the channel to ${this.peer} was closed on this side`)
    const length = message.reduce((sum, part) => sum + part.byteLength, 0)
    if (length > this.maxMessageBytes) {
      const limit = `a message of ${length} bytes exceeds the ${this.maxMessageBytes} that ${this.peer} and this side take`
      throw new AssayError('message-too-large', `${limit}; split it, or raise maxMessageBytes on both sides`)
    }
    await new Promise<void>((resolve, reject) => {
      // Called when the system has taken every byte, and not before may the sender change its memory; or when the socket
      // was destroyed, which Node may report as success.
      this.#write([encodeHeader(kinds.message, length), ...message], (error) => {
        if (error) this.#lose(error)
        if (this.#failure === undefined) resolve()
        else reject(this.#failure)
      })
    })
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#inbox.iterate()
  }

  async close({ signal }: AbortOptions = {}): Promise<void> {
    const giveUp = () => this.#fail(new AssayError('aborted', 'the caller aborted close()', { cause: signal?.reason }))
    if (!this.#closing && this.#failure === undefined) this.#sayGoodbye()
    if (signal?.aborted) giveUp()
    signal?.addEventListener('abort', giveUp, { once: true })
    await this.#released
    signal?.removeEventListener('abort', giveUp)
  }

  abort(error: Error): void {
    if (this.#over) return
    this.#inbox.failAtOnce(error)
    this.#fail(error)
  }

  get #over(): boolean {
    return this.#finished || this.#failure !== undefined
  }

  #write(parts: readonly Uint8Array[], onTaken?: (error?: Error | null) => void): void {
    // From when there is something to take.
    if (!this.#over && this.#outflow.waitingBytes === 0) this.#startSendStall()
    this.#outflow.write(parts, onTaken)
  }

  #receive(chunk: Uint8Array): void {
    if (this.#over) return
    this.#receivedBytes += chunk.length
    this.#idle.start()
    let completed = false
    try {
      for (const frame of this.#reader.read(chunk)) {
        completed = true
        this.#take(frame)
      }
    } catch (error) {
      this.#fail(error as Error)
      return
    }
    this.#countMemory()
    if (!this.#reader.insideFrame) this.#stall.stop()
    else if (completed || !this.#stall.running) this.#startStall()
    this.#regulate()
  }

  #take({ kind, body }: Frame): void {
    if (kind === kinds.goodbyeReceived) {
      if (!this.#closing || this.#goodbyeTaken) throw malformed('it answers a goodbye that was not said')
      this.#goodbyeTaken = true
    } else if (this.#peerSaidGoodbye) {
      throw malformed('it comes after a goodbye')
    } else if (kind === kinds.message) {
      this.#inbox.push(body)
    } else {
      this.#peerSaidGoodbye = true
      this.#inbox.end()
      this.#write([encodeHeader(kinds.goodbyeReceived, 0)])
    }
    if (this.#goodbyeTaken && this.#peerSaidGoodbye) this.#finish()
  }

  #sayGoodbye(): void {
    this.#closing = true
    this.#closeWait.start()
    this.#inbox.close()
    this.#write([encodeHeader(kinds.goodbye, 0)])
    this.#regulate()
  }

  #finish(): void {
    this.#finished = true
    this.#socket.destroySoon()
  }

  /** Reads the socket while the inbox has room. Deadlines rest meanwhile: what is not read cannot be late. */
  #regulate(): void {
    if (this.#over || this.#inbox.full === this.#paused) return
    this.#paused = this.#inbox.full
    if (this.#paused) {
      this.#socket.pause()
      this.#idle.stop()
      this.#stall.stop()
    } else {
      this.#socket.resume()
      this.#idle.start()
      if (this.#reader.insideFrame) this.#startStall()
    }
  }

  #startStall(): void {
    this.#receivedAtMark = this.#receivedBytes
    this.#stall.start()
  }

  #checkProgress(timeoutMs: number): void {
    const progress = this.#receivedBytes - this.#receivedAtMark
    if (progress >= leastProgressBytes) {
      this.#startStall()
    } else {
      const stalled = `${this.peer} sent ${progress} bytes of a message in ${timeoutMs} ms`
      this.#fail(new AssayError('deadline-exceeded', `${stalled}; at least ${leastProgressBytes} are expected`))
    }
  }

  #startSendStall(): void {
    this.#takenAtMark = this.#outflow.takenBytes
    this.#sendStall.start()
  }

  #checkTaken(timeoutMs: number): void {
    const { takenBytes, waitingBytes } = this.#outflow
    if (waitingBytes === 0) return
    const progress = takenBytes - this.#takenAtMark
    if (progress >= leastProgressBytes) {
      this.#startSendStall()
    } else {
      const stalled = `${this.peer} took ${progress} of ${progress + waitingBytes} bytes in ${timeoutMs} ms`
      this.#fail(new AssayError('deadline-exceeded', `${stalled}; at least ${leastProgressBytes} are expected`))
    }
  }

  #countMemory(): void {
    this.#memory.hold(this.#inbox.heldBytes + (this.#over ? 0 : this.#reader.heldBytes))
  }

  /** This channel has held memory for the longest time, and there is none left. */
  #giveUpMemory(): void {
    const error = new AssayError(
      'channel-lost',
      `the memory of all channels is used up, and ${this.peer} has held some of it for the longest time`,
    )
    this.#inbox.failAtOnce(error)
    this.#fail(error)
  }

  #lose(cause?: Error): void {
    const where = this.#reader.insideFrame ? 'inside a message' : 'without a goodbye'
    this.#fail(new AssayError('channel-lost', `the connection to ${this.peer} ended ${where}`, { cause }))
  }

  /** The first failure ends the channel; the messages that arrived before it can still be read. */
  #fail(error: Error): void {
    if (this.#over) return
    this.#failure = error
    this.#inbox.fail(error)
    this.#countMemory()
    this.#stopWaiting()
    this.#socket.destroy()
  }

  #stopWaiting(): void {
    this.#idle.stop()
    this.#stall.stop()
    this.#sendStall.stop()
    this.#closeWait.stop()
  }
}
