import type { ReferenceTensor } from './tensor.ts'

/** What a kernel applies to each sum, in float32 arithmetic. Slopes have an element for each column, or one for all. */
export type ReferenceActivation =
  | { readonly name: 'linear' | 'relu' | 'relu6' | 'elu' | 'sigmoid' | 'tanh' }
  | { readonly name: 'leakyrelu'; readonly slope: number }
  | { readonly name: 'clip'; readonly least: number; readonly most: number }
  | { readonly name: 'hardsigmoid'; readonly slope: number; readonly offset: number }
  | { readonly name: 'prelu'; readonly slopes: ReferenceTensor }

/** The activation of a sum that belongs to `column`. Written apart from the verifier's, which must not check itself. */
export function activateReference(activation: ReferenceActivation, column: number, sum: number): number {
  switch (activation.name) {
    case 'linear':
      return sum
    case 'relu':
      return Math.max(sum, 0)
    case 'relu6':
      return Math.min(Math.max(sum, 0), 6)
    case 'elu':
      return sum >= 0 ? sum : Math.fround(Math.exp(sum) - 1)
    case 'sigmoid':
      return Math.fround(1 / (1 + Math.exp(-sum)))
    case 'tanh':
      return Math.fround(Math.tanh(sum))
    case 'hardsigmoid': {
      const slope = Math.fround(Math.fround(activation.slope) * sum)
      return Math.min(Math.max(Math.fround(slope + Math.fround(activation.offset)), 0), 1)
    }
    case 'leakyrelu':
      return sum >= 0 ? sum : Math.fround(Math.fround(activation.slope) * sum)
    case 'clip':
      return Math.min(Math.max(sum, Math.fround(activation.least)), Math.fround(activation.most))
    case 'prelu':
      return sum >= 0 ? sum : Math.fround(perColumn(activation.slopes, column) * sum)
  }
}

export function perColumn({ data }: ReferenceTensor, column: number): number {
  return data[data.length === 1 ? 0 : column]!
}

/** @throws {RangeError} If a vector has neither `n` elements nor one. */
export function checkVector(what: string, vector: ReferenceTensor | undefined, n: number): void {
  if (vector !== undefined && vector.data.length !== n && vector.data.length !== 1) {
    throw new RangeError(`${what} must have ${n} elements or one, got shape [${vector.shape}]`)
  }
}

/** @throws {RangeError} If what is added does not have the elements of C. */
export function checkAddend(addend: ReferenceTensor | undefined, elements: number): void {
  if (addend !== undefined && addend.data.length !== elements) {
    throw new RangeError(`an addend must have the ${elements} elements of C, got shape [${addend.shape}]`)
  }
}
