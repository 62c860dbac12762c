import { quoted } from './byte-source.ts'
import { maxRank } from './limits.ts'

/** Product of `shape`; 1 for a scalar. Exact for a shape that {@link shapeProblem} accepts. */
export function elementCount(shape: readonly number[]): number {
  // Zero first: the other dimensions may overflow on the way to it.
  return shape.includes(0) ? 0 : shape.reduce((product, dimension) => product * dimension, 1)
}

/** What keeps `shape` from being the shape of a tensor, or undefined. */
export function shapeProblem(shape: unknown): string | undefined {
  if (!Array.isArray(shape)) return 'its shape is not a list'
  if (shape.length > maxRank) return `it has ${shape.length} dimensions, over the limit of ${maxRank}`
  const wrong = shape.find((dimension) => !isSize(dimension))
  if (wrong !== undefined || shape.includes(undefined)) return `${quoted(wrong)} is not a dimension`
  if (!Number.isSafeInteger(elementCount(shape))) return `its shape [${shape}] has more than 2⁵³ elements`
  return undefined
}

/** A whole number from 0 to 2⁵³ − 1. */
export function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0 && !Object.is(value, -0)
}
