import { Deadline } from '@tensor-assay/core'
import { leastProgressBytes } from './channel.ts'

export interface Pulse {
  /** Asks the peer for a sign of life, see {@link Heartbeat.answered}. */
  ping(): void
  receivedBytes(): number
  onDead(): void
}

/**
 * Finds out whether a peer is still there, one ping at a time. An answer may have to wait behind a long message, so a
 * message that makes progress is as good.
 */
export class Heartbeat {
  readonly #pulse: Pulse
  readonly #next: Deadline
  readonly #answer: Deadline
  #receivedAtMark = 0

  /** Starts to beat. */
  constructor(pingIntervalMs: number, stallTimeoutMs: number, pulse: Pulse) {
    this.#pulse = pulse
    this.#answer = new Deadline(stallTimeoutMs, () => this.#checkProgress())
    this.#next = new Deadline(pingIntervalMs, () => {
      pulse.ping()
      this.#await()
    }).start()
  }

  answered(): void {
    if (!this.#answer.running) return
    this.#answer.stop()
    this.#next.start()
  }

  stop(): void {
    this.#next.stop()
    this.#answer.stop()
  }

  #await(): void {
    this.#receivedAtMark = this.#pulse.receivedBytes()
    this.#answer.start()
  }

  #checkProgress(): void {
    if (this.#pulse.receivedBytes() - this.#receivedAtMark >= leastProgressBytes) this.#await()
    else this.#pulse.onDead()
  }
}
