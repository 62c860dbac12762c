import { drawWithoutReplacement, type RandomStream } from '@tensor-assay/core'
import type { Plain } from './plain-backend.ts'
import { normal } from './random.ts'

/** A product whose C is about to be spoiled. */
export interface Spoiled {
  readonly a: Plain
  readonly b: Plain
  readonly row: number
  /** Row of C, changed in place. */
  readonly c: Float32Array
  readonly random: RandomStream
}

/** Makes one row of C wrong. */
export type Corruption = (product: Spoiled) => void

/** Other numbers of the same size. */
export const otherValues: Corruption = ({ c, random }) => {
  const size = norm(c) / Math.sqrt(c.length)
  for (let j = 0; j < c.length; j++) c[j] = size * normal(random)
}

/** One entry is off by `relative` of the norm of the row. */
export function oneEntry(relative: number): Corruption {
  return ({ c, random }) => {
    const error = relative * norm(c)
    c[random.below(c.length)]! += random.below(2) === 0 ? error : -error
  }
}

/** Every entry is off by about `relative` of itself. */
export function relativeNoise(relative: number): Corruption {
  return ({ c, random }) => {
    for (let j = 0; j < c.length; j++) c[j]! *= 1 + relative * normal(random)
  }
}

/** Computed with weights rounded to bfloat16, accumulated in float32 as the honest ones are. */
export const bfloat16Weights: Corruption = ({ a, b, row, c }) => {
  c.fill(0)
  for (let t = 0; t < a.cols; t++) {
    const x = a.data[row * a.cols + t]!
    for (let j = 0; j < b.cols; j++) c[j]! += x * bfloat16(b.data[t * b.cols + j]!)
  }
}

const bits = new DataView(new ArrayBuffer(4))

/** The nearest bfloat16, ties to even. */
function bfloat16(value: number): number {
  bits.setFloat32(0, value)
  const pattern = bits.getUint32(0)
  const rounded = (pattern + 0x7fff + ((pattern >>> 16) & 1)) & 0xffff0000
  bits.setUint32(0, rounded >>> 0)
  return bits.getFloat32(0)
}

export function norm(values: Iterable<number>): number {
  let sum = 0
  for (const value of values) sum += value * value
  return Math.sqrt(sum)
}

/**
 * Two entries are off by the same amount, `relative` of the norm of the row together: of all errors of that size the one
 * that a random vector misses most often.
 */
export function twoEntries(relative: number): Corruption {
  return ({ c, random }) => {
    const error = (relative * norm(c)) / Math.SQRT2
    const [first, second] = drawWithoutReplacement(random, 2, c.length)
    c[first!]! += error
    c[second!]! += error
  }
}
