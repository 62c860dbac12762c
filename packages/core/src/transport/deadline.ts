/**
 * A timer this late was held up by the process itself, in a long synchronous product for example. What the peer sent in
 * time may then still wait to be read, so the wait starts over.
 */
const ownDelayMs = 250

/** A timer that can be started over at no cost, and that alone does not keep a process alive. */
export class Deadline {
  readonly #timeoutMs: number
  readonly #onExpiry: () => void
  #timer: ReturnType<typeof setTimeout> | undefined
  #timerDueMs = 0
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
    if (this.#timer === undefined) this.#arm(this.#timeoutMs)
    return this
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }

  #arm(ms: number): void {
    this.#timerDueMs = performance.now() + ms
    const timer = setTimeout(() => this.#expire(), ms)
    // Browsers return a number; in Node a timer alone must not keep the process alive.
    if (typeof timer === 'object') timer.unref()
    this.#timer = timer
  }

  #expire(): void {
    const now = performance.now()
    this.#timer = undefined
    if (now - this.#timerDueMs > ownDelayMs) this.start()
    else if (now < this.#dueMs) this.#arm(this.#dueMs - now)
    else this.#onExpiry()
  }
}
