import { type AbortOptions, AssayError, type Channel, Deadline, Inbox, type Message } from '@tensor-assay/core'
import type { ChannelLimits } from './dialer-options.ts'
import { type Closure, type Link, lengthOf } from './link.ts'
import { Outbox } from './outbox.ts'
import {
  closeCodes,
  creditLine,
  goodbyeLine,
  type Line,
  malformed,
  messageOverheadBytes,
  parseLine,
  tooLarge,
} from './wire.ts'

/** A message under way has to bring this much within every timeout that it would otherwise miss. */
export const leastProgressBytes = 64 * 1024

/** What may wait to be sent besides messages: lines, and answers to pings. */
const spareBacklogBytes = 64 * 1024

const ignore = () => {}

/** What the two sides agreed on, and the waits of this one. */
export interface AgreedLimits extends ChannelLimits {
  readonly windowBytes: number
}

/** A channel over a WebSocket on which both sides said hello. The link is this channel's alone from here on. */
export class LinkChannel implements Channel {
  readonly peer: string
  readonly maxMessageBytes: number
  readonly #windowBytes: number
  readonly #link: Link
  readonly #inbox: Inbox
  readonly #outbox: Outbox
  readonly #idle: Deadline
  readonly #closeWait: Deadline
  /** Resolves when the WebSocket and everything else is free. */
  readonly #released: Promise<void>
  #release!: () => void
  #closing = false
  #saidGoodbye = false
  #peerSaidGoodbye = false
  /** The peer's close frame has confirmed both goodbyes. */
  #finished = false
  #failure: Error | undefined
  /** Received and not credited. */
  #owedBytes = 0
  #resting = false
  #receivedAtMark = 0

  constructor(link: Link, peer: string, limits: AgreedLimits) {
    const { maxMessageBytes, maxBufferedBytes, windowBytes, idleTimeoutMs, closeTimeoutMs } = limits
    this.peer = peer
    this.maxMessageBytes = maxMessageBytes
    this.#windowBytes = windowBytes
    this.#link = link
    // The other half is for what the peer may send before it learns that the inbox is full.
    this.#inbox = new Inbox(
      maxBufferedBytes / 2,
      () => this.#regulate(),
      () => link.hold?.(this.#inbox.heldBytes),
    )
    this.#outbox = new Outbox(windowBytes, (message, onTaken) => link.sendMessage(message, onTaken))
    this.#idle = new Deadline(idleTimeoutMs, () => this.#checkProgress(idleTimeoutMs))
    this.#closeWait = new Deadline(closeTimeoutMs, () => {
      this.#fail(new AssayError('deadline-exceeded', `${peer} did not close within ${closeTimeoutMs} ms`))
    })
    this.#released = new Promise((resolve) => {
      this.#release = resolve
    })
    link.attach({
      message: (body) => this.#guard(() => this.#takeMessage(body)),
      text: (text) => this.#guard(() => this.#takeText(text)),
      failed: (error) => this.#fail(error, ignore),
      exhausted: (error) => {
        this.#inbox.failAtOnce(error)
        this.#fail(error, ignore)
      },
      closed: (closure) => this.#takeClosure(closure),
    })
    this.#startIdle()
  }

  send(message: Message): Promise<void> {
    if (!Array.isArray(message) || !message.every((part) => part instanceof Uint8Array)) {
      return Promise.reject(new TypeError('send() takes an array of Uint8Array, the parts of one message'))
    }
    const sent = this.#send([...message])
    // The network can make any send fail, so one that nobody awaits must not end the process.
    sent.catch(ignore)
    return sent
  }

  async #send(message: Message): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure
    if (this.#closing) throw new AssayError('channel-closed', `the channel to ${this.peer} was closed on this side`)
    const length = lengthOf(message)
    if (length > this.maxMessageBytes) {
      const limit = `a message of ${length} bytes exceeds the ${this.maxMessageBytes} that ${this.peer} and this side take`
      throw new AssayError('message-too-large', `${limit}; split it, or raise maxMessageBytes on both sides`)
    }
    await this.#outbox.send(message)
  }

  [Symbol.asyncIterator](): AsyncIterator<Uint8Array> {
    return this.#inbox.iterate()
  }

  async close({ signal }: AbortOptions = {}): Promise<void> {
    const giveUp = () => this.#fail(new AssayError('aborted', 'the caller aborted close()', { cause: signal?.reason }))
    if (!this.#closing && !this.#over) this.#startClosing()
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

  #guard(take: () => void): void {
    if (this.#over) return
    try {
      take()
    } catch (error) {
      const refusal = error as AssayError
      const code = refusal.code === 'message-too-large' ? closeCodes.tooLarge : closeCodes.malformed
      this.#refuse(refusal, code)
    }
  }

  #takeMessage(body: Uint8Array): void {
    if (this.#peerSaidGoodbye) throw malformed('a message after its goodbye')
    if (this.#owedBytes >= this.#windowBytes) throw malformed('a message without waiting for credit')
    if (body.byteLength > this.maxMessageBytes) throw tooLarge(body.byteLength, this.maxMessageBytes)
    this.#owedBytes += body.byteLength + messageOverheadBytes
    this.#startIdle()
    this.#inbox.push(body)
    this.#regulate()
  }

  #takeText(text: string): void {
    const line = parseLine(text)
    if (line === undefined) this.#refuse(malformed('text that is none of its lines'), closeCodes.unsupported)
    else this.#takeLine(line)
  }

  #takeLine(line: Line): void {
    if (line.kind === 'hello') throw malformed('a second hello')
    if (line.kind === 'credit') {
      this.#startIdle()
      this.#outbox.credit(line.bytes)
      return
    }
    if (this.#peerSaidGoodbye) throw malformed('a second goodbye')
    this.#peerSaidGoodbye = true
    this.#inbox.end()
    this.#idle.stop()
    this.#endIfDone()
  }

  #startClosing(): void {
    this.#closing = true
    this.#closeWait.start()
    this.#inbox.close()
    this.#outbox.finish(() => {
      this.#saidGoodbye = true
      this.#link.sendText(goodbyeLine)
      this.#endIfDone()
    })
    this.#regulate()
  }

  #endIfDone(): void {
    if (this.#saidGoodbye && this.#peerSaidGoodbye) this.#link.end(closeCodes.done, '')
  }

  #takeClosure({ code, reason, cause }: Closure): void {
    if (this.#saidGoodbye && this.#peerSaidGoodbye && code === closeCodes.done && !this.#over) {
      this.#finished = true
    } else {
      const how = code === 1005 || code === 1006 ? '' : `: it was closed with ${code} ${JSON.stringify(reason)}`
      const lost = `the connection to ${this.peer} ended without a goodbye${how}`
      this.#fail(new AssayError('channel-lost', lost, { cause }))
    }
    this.#stopWaiting()
    this.#release()
  }

  /** Gives credit while the inbox has room. The deadline rests meanwhile: who may not send cannot be late. */
  #regulate(): void {
    if (this.#over || this.#peerSaidGoodbye) return
    if (this.#inbox.full !== this.#resting) {
      this.#resting = this.#inbox.full
      if (this.#resting) this.#idle.stop()
      else this.#startIdle()
    }
    if (this.#resting || this.#owedBytes < this.#windowBytes / 2) return
    // The window bounds the messages that wait to be sent; only a peer that sends without reading lets lines pile up.
    if (this.#link.backlogBytes > this.#windowBytes + this.maxMessageBytes + spareBacklogBytes) {
      this.#fail(malformed('messages, without reading the answers'))
      return
    }
    this.#link.sendText(creditLine(this.#owedBytes))
    this.#owedBytes = 0
  }

  #startIdle(): void {
    if (this.#resting || this.#peerSaidGoodbye) return
    this.#receivedAtMark = this.#link.receivedBytes
    this.#idle.start()
  }

  #checkProgress(timeoutMs: number): void {
    if (this.#link.receivedBytes - this.#receivedAtMark >= leastProgressBytes) this.#startIdle()
    else this.#fail(new AssayError('deadline-exceeded', `${this.peer} sent nothing for ${timeoutMs} ms`))
  }

  #refuse(error: AssayError, code: number): void {
    this.#fail(error, () => this.#link.refuse(code, error))
  }

  /** The first failure ends the channel; the messages that arrived before it can still be read. */
  #fail(error: Error, end = () => this.#link.destroy()): void {
    if (this.#over) return
    this.#failure = error
    this.#inbox.fail(error)
    this.#outbox.fail(error)
    this.#stopWaiting()
    end()
  }

  #stopWaiting(): void {
    this.#idle.stop()
    this.#closeWait.stop()
  }
}
