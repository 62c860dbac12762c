import type { Socket } from 'node:net'
import { AssayError, Deadline } from '@tensor-assay/core'

/** A connection on its way to become a channel. Why it does not is reported once; the deadline ends it in any case. */
export class Arrival {
  readonly peer: string
  readonly #socket: Socket
  readonly #deadline: Deadline
  readonly #onError: (error: Error, peer: string) => void
  readonly #onGone: () => void
  #settled = false

  /** @param onGone - Called when it has become a channel or has ended. */
  constructor(
    socket: Socket,
    peer: string,
    timeoutMs: number,
    onError: (error: Error, peer: string) => void,
    onGone: () => void,
  ) {
    this.peer = peer
    this.#socket = socket
    this.#onError = onError
    this.#onGone = onGone
    socket.on('error', () => {}) // whoever waits for it hears it too; after that nobody needs to
    this.#deadline = new Deadline(timeoutMs, () => {
      this.report(new AssayError('deadline-exceeded', `${peer} did not complete the handshake within ${timeoutMs} ms`))
      socket.destroy()
    }).start()
    socket.once('close', () => {
      this.#deadline.stop()
      this.report(new AssayError('channel-lost', `${peer} ended the connection during the handshake`))
      onGone()
    })
  }

  report(error: Error): void {
    if (this.#settled) return
    this.#settled = true
    this.#onError(error, this.peer)
  }

  /** It has become a channel. */
  succeed(): void {
    this.#settled = true
    this.#deadline.stop()
    this.#onGone()
  }

  /** Nobody waits for it any more. */
  dismiss(): void {
    this.#settled = true
    this.#socket.destroy()
  }
}
