/** Reproducible random numbers, fast rather than unpredictable. */
export interface Random {
  /** An integer from 0 to `n` − 1; 0 for n = 0. */
  below(n: number): number
  pick<T>(list: readonly T[]): T
  /** True once in `n` times. */
  once(n: number): boolean
}

/** @see Doty-Humphrey, PractRand: sfc32. */
export function randomOf(seed: number): Random {
  let a = seed | 0
  let b = 0x9e3779b9 | 0
  let c = 0x243f6a88 | 0
  let counter = 1
  function next(): number {
    const sum = (((a + b) | 0) + counter) | 0
    counter = (counter + 1) | 0
    a = b ^ (b >>> 9)
    b = (c + (c << 3)) | 0
    c = (c << 21) | (c >>> 11)
    c = (c + sum) | 0
    return sum >>> 0
  }
  for (let i = 0; i < 12; i++) next()
  const below = (n: number) => (n < 2 ? 0 : next() % n)
  return {
    below,
    pick: <T>(list: readonly T[]) => list[below(list.length)]!,
    once: (n) => below(n) === 0,
  }
}
