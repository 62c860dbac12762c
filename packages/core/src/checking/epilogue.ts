/** What was done to α·A·B + bias, with every vector at hand. */
export type NumericActivation =
  | { readonly name: 'linear' | 'relu' | 'relu6' | 'elu' | 'sigmoid' }
  | { readonly name: 'leakyrelu'; readonly slope: number }
  | { readonly name: 'prelu'; readonly slopes: Float64Array }

export interface NumericEpilogue {
  readonly alpha: number
  /** n elements, or one for all columns. */
  readonly bias?: Float64Array
  readonly activation: NumericActivation
}

/** Element j of a vector that may be one element for all columns. */
export function at(vector: Float64Array, j: number): number {
  return vector.length === 1 ? vector[0]! : vector[j]!
}

/** The activation's value in float64 at pre-activation `x` of column `j`. */
export function activate(activation: NumericActivation, x: number, j: number): number {
  switch (activation.name) {
    case 'linear':
      return x
    case 'relu':
      return Math.max(0, x)
    case 'relu6':
      return Math.min(6, Math.max(0, x))
    case 'elu':
      return x >= 0 ? x : Math.expm1(x)
    case 'sigmoid':
      return 1 / (1 + Math.exp(-x))
    case 'leakyrelu':
      return x >= 0 ? x : activation.slope * x
    case 'prelu':
      return x >= 0 ? x : at(activation.slopes, j) * x
  }
}

/** Lipschitz constant of the activation of column `j`: how much it can enlarge an error. */
export function lipschitz(activation: NumericActivation, j: number): number {
  if (activation.name === 'sigmoid') return 0.25
  if (activation.name === 'leakyrelu') return Math.max(1, Math.abs(activation.slope))
  if (activation.name === 'prelu') return Math.max(1, Math.abs(at(activation.slopes, j)))
  return 1
}

/**
 * Largest error, in the units of C, that an engine makes in evaluating the activation itself in float32: two roundings of
 * a result `y` for the piecewise linear ones; eight for those that go through an exponential, whose results do not exceed
 * 1 where the exponential matters.
 */
export function activationError(activation: NumericActivation, y: number, u: number): number {
  if (activation.name === 'linear') return 0
  if (activation.name === 'elu' || activation.name === 'sigmoid') return 8 * u * Math.max(1, Math.abs(y))
  return 2 * u * Math.abs(y)
}
