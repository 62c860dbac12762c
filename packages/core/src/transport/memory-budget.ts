/**
 * Memory that many holders share. When it is used up, whoever has held some of it for the longest time gives up
 * everything: a peer that sends and is read holds memory for moments, one that stalls for as long as it is let.
 */
export class MemoryBudget {
  readonly #maxBytes: number
  /** Those that hold something, the longest first. */
  readonly #holders = new Set<MemoryAccount>()
  #usedBytes = 0

  /** @param maxBytes - `Infinity` for no limit. */
  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get usedBytes(): number {
    return this.#usedBytes
  }

  /** @param onExhausted - Told to give up what it holds, at once: its account is empty then. */
  open(onExhausted: () => void): MemoryAccount {
    return new MemoryAccount(onExhausted, (account, before) => {
      this.#usedBytes += account.heldBytes - before
      if (account.heldBytes === 0) this.#holders.delete(account)
      else this.#holders.add(account)
      for (const longest of this.#holders) {
        if (this.#usedBytes <= this.#maxBytes) return
        longest.exhaust()
      }
    })
  }
}

/** What one holder has of a {@link MemoryBudget}. */
export class MemoryAccount {
  readonly #onExhausted: () => void
  readonly #onChange: (account: MemoryAccount, before: number) => void
  #heldBytes = 0
  #exhausted = false

  constructor(onExhausted: () => void, onChange: (account: MemoryAccount, before: number) => void) {
    this.#onExhausted = onExhausted
    this.#onChange = onChange
  }

  get heldBytes(): number {
    return this.#heldBytes
  }

  /** States what is held now. Of an account that was exhausted nothing counts any more. */
  hold(bytes: number): void {
    const before = this.#heldBytes
    this.#heldBytes = this.#exhausted ? 0 : bytes
    if (this.#heldBytes !== before) this.#onChange(this, before)
  }

  exhaust(): void {
    if (this.#exhausted) return
    this.#exhausted = true
    this.hold(0)
    this.#onExhausted()
  }
}
