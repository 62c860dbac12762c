import type { Socket } from 'node:net'
import { AssayError, Deadline, type MemoryAccount, type MemoryBudget, type Message } from '@tensor-assay/core'
import type { WebSocket } from 'ws'
import { Heartbeat } from './heartbeat.ts'
import { closeReason, joined, type Link, type LinkEvents } from './link.ts'
import { longestLineBytes, malformed, tooLarge } from './wire.ts'

/** How long a peer that was refused may take to read why. */
const lingerMs = 2000

/** Head of a short frame with its mask, RFC 6455 section 5.2. */
const maskedHeadBytes = 6

/** What `ws` says of messages over the limit, and of those over what a number can hold. */
const tooLargeCodes = ['WS_ERR_UNSUPPORTED_MESSAGE_LENGTH', 'WS_ERR_UNSUPPORTED_DATA_PAYLOAD_LENGTH']

export interface NodeLinkOptions {
  readonly maxMessageBytes: number
  readonly pingIntervalMs: number
  readonly stallTimeoutMs: number
}

/** A WebSocket of the package `ws`. */
export class NodeLink implements Link {
  readonly #websocket: WebSocket
  readonly #socket: Socket
  readonly #linger: Deadline
  #heartbeat: Heartbeat | undefined
  #events: LinkEvents | undefined
  readonly #memory: MemoryAccount | undefined
  /** Bytes of the socket up to the last whole message: what came after it is part of the next one. */
  #wholeBytes = 0
  /** Bytes of whole messages that nobody has read. */
  #unreadBytes = 0

  /**
   * @param socket - What the WebSocket runs on.
   * @param memory - What all channels of a listener share.
   */
  constructor(websocket: WebSocket, socket: Socket, options: NodeLinkOptions, memory?: MemoryBudget) {
    this.#websocket = websocket
    this.#socket = socket
    this.#linger = new Deadline(lingerMs, () => this.destroy())
    let cause: Error | undefined
    socket.on('error', (error) => {
      cause ??= error
    })
    this.#memory = memory?.open(() => this.#giveUpMemory())
    this.#wholeBytes = socket.bytesRead
    // `ws` reads the socket already; this one only counts.
    if (memory !== undefined) socket.on('data', () => this.#countMemory())
    websocket.binaryType = 'arraybuffer'
    websocket.on('open', () => this.#open(options))
    websocket.on('message', (data, isBinary) => {
      this.#wholeBytes = socket.bytesRead
      if (isBinary) this.#events?.message(own(data as ArrayBuffer))
      else this.#events?.text((data as Buffer).toString('latin1', 0, longestLineBytes))
    })
    // They may come between the fragments of a message, and are no part of it.
    websocket.on('ping', (payload) => this.#skip(payload))
    websocket.on('pong', (payload) => {
      this.#skip(payload)
      this.#heartbeat?.answered()
    })
    websocket.on('error', (error: NodeJS.ErrnoException) => {
      cause ??= error
      if (error.code?.startsWith('WS_ERR_')) this.#break(error, options.maxMessageBytes)
    })
    websocket.on('close', (code, reason) => {
      this.#heartbeat?.stop()
      this.#linger.stop()
      this.#wholeBytes = socket.bytesRead
      this.#countMemory()
      this.#events?.closed({ code, reason: reason.toString(), cause })
    })
    if (websocket.readyState === websocket.OPEN) this.#open(options)
  }

  get receivedBytes(): number {
    return this.#socket.bytesRead
  }

  get backlogBytes(): number {
    return this.#websocket.bufferedAmount
  }

  attach(events: LinkEvents): void {
    this.#events = events
    if (this.#websocket.readyState === this.#websocket.OPEN) events.opened?.()
  }

  sendMessage(message: Message, onTaken: () => void): void {
    // A failure ends the connection, which is told once, as its end.
    this.#websocket.send(joined(message), { binary: true }, (error) => {
      if (!error) onTaken()
    })
  }

  sendText(text: string): void {
    this.#websocket.send(text, () => {})
  }

  hold(bytes: number): void {
    this.#unreadBytes = bytes
    this.#countMemory()
  }

  end(code: number, reason: string): void {
    this.#websocket.close(code, reason)
  }

  refuse(code: number, error: AssayError): void {
    this.#linger.start()
    this.end(code, closeReason(error))
  }

  destroy(): void {
    this.#websocket.terminate()
  }

  #skip({ length }: Buffer): void {
    this.#wholeBytes += maskedHeadBytes + length
  }

  #countMemory(): void {
    this.#memory?.hold(this.#unreadBytes + this.#socket.bytesRead - this.#wholeBytes)
  }

  #giveUpMemory(): void {
    const exhausted = 'the memory of all channels is used up, and this one has held some of it for the longest time'
    this.#events?.exhausted?.(new AssayError('channel-lost', exhausted))
    this.destroy()
  }

  #open({ pingIntervalMs, stallTimeoutMs }: NodeLinkOptions): void {
    this.#heartbeat = new Heartbeat(pingIntervalMs, stallTimeoutMs, {
      ping: () => this.#websocket.ping(() => {}),
      receivedBytes: () => this.receivedBytes,
      onDead: () => {
        const dead = `the peer did not answer a ping within ${stallTimeoutMs} ms, nor send 64 KiB`
        this.#events?.failed(new AssayError('deadline-exceeded', dead))
        this.destroy()
      },
    })
    this.#events?.opened?.()
  }

  /** `ws` has begun to close already. */
  #break(error: NodeJS.ErrnoException, maxMessageBytes: number): void {
    this.#linger.start()
    const isTooLarge = tooLargeCodes.includes(error.code!)
    this.#events?.failed(isTooLarge ? tooLarge(undefined, maxMessageBytes) : malformed(error.message))
  }
}

/** A view of memory that nobody else has: `ws` keeps one for all empty messages. */
function own(data: ArrayBuffer): Uint8Array {
  return data.byteLength === 0 ? new Uint8Array(0) : new Uint8Array(data)
}
