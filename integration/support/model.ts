import { memoryWeights } from '@tensor-assay/verifier'
import { normal, stream } from './random.ts'

/** A model of two layers as both processes of a test know it. */
export const layers = [
  { name: 'first', shape: [24, 40], data: values(24 * 40, 1) },
  { name: 'second', shape: [40, 8], data: values(40 * 8, 2) },
] as const

export const modelWeights = memoryWeights(layers)

/** Input of one step of a run: 16 rows of 24 features. */
export function inputOf(step: number): Float32Array {
  return values(16 * 24, 3 + step)
}

function values(length: number, seed: number): Float32Array {
  const random = stream('model', seed)
  return Float32Array.from({ length }, () => normal(random))
}
