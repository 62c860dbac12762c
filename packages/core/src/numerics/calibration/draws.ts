import { randomStream } from '../../random/stream.ts'

/** Where made-up operands come from. */
export interface Draws {
  /** Uniform on [0, 1). */
  uniform(): number
  /** Standard normal. */
  normal(): number
}

/** Reproducible numbers: normal deviates by the method of Box and Muller. */
export function draws(seed: Uint8Array): Draws {
  const stream = randomStream(seed)
  let spare: number | undefined
  const uniform = () => stream.uint32() * 2 ** -32
  return {
    uniform,
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
