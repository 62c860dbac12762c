/** Reads an input as choices, a byte each; 0 for ever after its end. */
export class Choices {
  private readonly input: Uint8Array
  private offset = 0

  constructor(input: Uint8Array) {
    this.input = input
  }

  get left(): number {
    return this.input.length - this.offset
  }

  /** An integer from 0 to `n` − 1. */
  below(n: number): number {
    return (this.input[this.offset++] ?? 0) % n
  }

  /** True once in `n` times, where bytes are evenly spread; never after the end. */
  once(n: number): boolean {
    return this.below(n) === n - 1
  }

  pick<T>(list: readonly T[]): T {
    return list[this.below(list.length)]!
  }

  /** A dimension, usually a small one. */
  size(): number {
    return this.once(64) ? this.pick(hugeSizes) : this.pick(sizes)
  }

  list<T>(most: number, one: () => T): T[] {
    return Array.from({ length: this.below(most + 1) }, one)
  }

  /** A field of a record, or none. */
  maybe<Name extends string, T>(chance: number, name: Name, make: () => T): { [name in Name]?: T } {
    return this.once(chance) ? ({ [name]: make() } as { [name in Name]?: T }) : {}
  }

  /** A stretch of the input, over and over. */
  fill(length: number): Uint8Array {
    const pattern = this.input.subarray(this.offset, this.offset + 1 + this.below(32))
    const out = new Uint8Array(length)
    if (pattern.length > 0) for (let i = 0; i < length; i++) out[i] = pattern[i % pattern.length]!
    return out
  }
}

const sizes = [0, 1, 1, 2, 2, 3, 4, 5, 6, 8, 12, 20, 64, 300]
const hugeSizes = [2 ** 16, 2 ** 20, 2 ** 24, 2 ** 26, 2 ** 28, 2 ** 30, 2 ** 31]
