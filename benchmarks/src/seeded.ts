import { seededRandom } from './measure.ts'

/** A tensor that both processes make for themselves. */
export interface SeededTensor {
  readonly name: string
  readonly shape: readonly number[]
  readonly seed: number
  /** The values lie within ±`scale`. */
  readonly scale: number
}

/** The elements, row-major. */
export function valuesOf({ shape, seed, scale }: Omit<SeededTensor, 'name'>): Float32Array {
  const random = seededRandom(seed)
  const values = new Float32Array(shape.reduce((product, size) => product * size, 1))
  for (let i = 0; i < values.length; i++) values[i] = (2 * random() - 1) * scale
  return values
}
