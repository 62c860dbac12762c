/** A timer that can be started over, and that alone does not keep the process alive. */
export class Deadline {
  readonly #timeoutMs: number
  readonly #onExpiry: () => void
  #timer: NodeJS.Timeout | undefined

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
    if (this.#timer !== undefined) this.#timer.refresh()
    else if (this.#timeoutMs !== Number.POSITIVE_INFINITY) {
      this.#timer = setTimeout(() => {
        this.#timer = undefined
        this.#onExpiry()
      }, this.#timeoutMs).unref()
    }
    return this
  }

  stop(): void {
    clearTimeout(this.#timer)
    this.#timer = undefined
  }
}
