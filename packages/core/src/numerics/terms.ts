import type { NumericEpilogue } from './epilogue.ts'

/** K: the terms of a sum of k products with this epilogue, and the roundings beside those of the sum. */
export function termCount(k: number, { alpha, bias }: NumericEpilogue): number {
  return k + (bias === undefined ? 0 : 1) + (alpha === 1 ? 0 : 1)
}
