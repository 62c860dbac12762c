import type { AssayError, Message } from '@tensor-assay/core'
import { closeReason, joined, type Link, type LinkEvents } from './link.ts'
import { closeCodes, longestLineBytes } from './wire.ts'

/** Pages may send 1000 and those from 3000 on, and no other code. */
const offsetOfCodes = 3000

/** A WebSocket of the browser itself. */
export class BrowserLink implements Link {
  readonly #socket: WebSocket
  #receivedBytes = 0
  #events: LinkEvents | undefined

  constructor(socket: WebSocket) {
    this.#socket = socket
    socket.binaryType = 'arraybuffer'
    socket.addEventListener('open', () => this.#events?.opened?.())
    socket.addEventListener('message', ({ data }) => this.#receive(data))
    socket.addEventListener('close', ({ code, reason }) => this.#close(code, reason))
  }

  get receivedBytes(): number {
    return this.#receivedBytes
  }

  get backlogBytes(): number {
    return this.#socket.bufferedAmount
  }

  attach(events: LinkEvents): void {
    this.#events = events
    if (this.#socket.readyState === 1) events.opened?.()
  }

  sendMessage(message: Message, onTaken: () => void): void {
    const bytes = joined(message)
    // Memory shared between threads, as WebAssembly has it, is refused by browsers.
    this.#socket.send(bytes.buffer instanceof ArrayBuffer ? (bytes as Uint8Array<ArrayBuffer>) : bytes.slice())
    // The browser keeps a copy.
    onTaken()
  }

  sendText(text: string): void {
    this.#socket.send(text)
  }

  end(code: number, reason: string): void {
    this.#socket.close(code === closeCodes.done ? code : code + offsetOfCodes, reason)
  }

  refuse(code: number, error: AssayError): void {
    this.end(code, closeReason(error))
    this.#close(1006, '')
  }

  destroy(): void {
    this.#socket.close()
    this.#close(1006, '')
  }

  #receive(data: unknown): void {
    if (typeof data === 'string') {
      this.#receivedBytes += data.length
      this.#events?.text(data.slice(0, longestLineBytes))
    } else {
      const body = new Uint8Array(data as ArrayBuffer)
      this.#receivedBytes += body.byteLength
      this.#events?.message(body)
    }
  }

  /** The browser ends what is left of the connection by itself, so nothing has to be waited for. */
  #close(code: number, reason: string): void {
    const events = this.#events
    this.#events = undefined
    events?.closed({ code, reason, cause: undefined })
  }
}
