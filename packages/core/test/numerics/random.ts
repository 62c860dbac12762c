/** Reproducible random numbers for test data: mulberry32, and normal deviates by Box and Muller's method. */
export interface TestRandom {
  /** Uniform on [0, 1). */
  uniform(): number
  normal(): number
  /** Uniform integer in [0, n). */
  below(n: number): number
}

export function testRandom(seed: number): TestRandom {
  let state = seed >>> 0
  let spare: number | undefined
  function uniform(): number {
    state = (state + 0x6d2b79f5) | 0
    let z = Math.imul(state ^ (state >>> 15), 1 | state)
    z = (z + Math.imul(z ^ (z >>> 7), 61 | z)) ^ z
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    uniform,
    below: (n) => Math.floor(uniform() * n),
    normal() {
      if (spare !== undefined) {
        const value = spare
        spare = undefined
        return value
      }
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()))
      const angle = 2 * Math.PI * uniform()
      spare = radius * Math.sin(angle)
      return radius * Math.cos(angle)
    },
  }
}
