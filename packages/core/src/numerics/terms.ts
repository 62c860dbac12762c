import type { EntryCheck } from './entry.ts'

/** K: the terms of a sum of k products and what is added to it, and the roundings beside those of the sum. */
export function termCount({ a, addend, epilogue }: Pick<EntryCheck, 'a' | 'addend' | 'epilogue'>): number {
  const { alpha, bias } = epilogue
  return a.length + (bias === undefined ? 0 : 1) + (addend === undefined ? 0 : 1) + (alpha === 1 ? 0 : 1)
}
