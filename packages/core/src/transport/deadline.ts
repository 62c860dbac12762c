/**
 * A timer this late was held up by the process itself, in a long synchronous product for example. What the peer sent in
 * time may then still wait to be read, so the wait starts over.
 */
const ownDelayMs = 250

/** A timer that can be started over, and that alone does not keep the process alive. */
export class Deadline {
  readonly #timeoutMs: number
  readonly #onExpiry: () => void
  #timer: NodeJS.Timeout | undefined
  #dueMs = 0

  /** @param timeoutMs - `Infinity` for never. */
  constructor(timeoutMs: number, onExpiry: () => void) {
    this.#timeoutMs = timeoutMs
    this.#onExpiry = onExpiry
  }

  get running(): boolean {
    return this.#timer !== undefined
  }

  /** Starts it, or starts it over. */
  start(): this {
    if (this.#timeoutMs === Number.POSITIVE_INFINITY) return this
    this.#dueMs = performance.now() + this.#timeoutMs
    if (this.#timer === undefined) this.#timer = setTimeout(() => this.#expire(), this.#timeoutMs).unref()
    else this.#timer.refresh()
    return this
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #expire(): void {
    if (performance.now() - this.#dueMs > ownDelayMs) {
      this.start()
    } else {
      this.#timer = undefined
      this.#onExpiry()
    }
  }
}
