import type { HalfFormat } from './rounding.ts'

/** What turns A·B into C, as numbers: C = activation(α·scales·A·B + bias). Vectors have shape [n], or [1] for all columns. */
export interface NumericEpilogue {
  /** As the engine uses it: a float32 value where the engine computes in float32. */
  readonly alpha: number
  readonly bias?: Float64Array
  readonly activation: NumericActivation
  /** Format of a result of 16 bits, to which the float32 value is rounded to nearest at the end. */
  readonly roundedTo?: HalfFormat
  /** Where 8-bit operands were multiplied. */
  readonly quantized?: QuantizedEpilogue
}

/** What becomes of an exact sum of products of 8-bit integers. */
export interface QuantizedEpilogue {
  readonly scales?: Float64Array
  /** Whether the bias is added to the sum, before it is scaled. */
  readonly biasBeforeScale: boolean
  readonly output: 'int32' | 'float32' | 'uint8' | 'int8'
  /** Added after rounding to an 8-bit output. */
  readonly zeroPoint: number
}

export type NumericActivation =
  | { readonly name: 'linear' | 'relu' | 'relu6' | 'elu' | 'sigmoid' | 'tanh' }
  | { readonly name: 'leakyrelu'; readonly slope: number }
  | { readonly name: 'clip'; readonly least: number; readonly most: number }
  | { readonly name: 'hardsigmoid'; readonly slope: number; readonly offset: number }
  /** `slopes`: shape [n], or [1] for every column. */
  | { readonly name: 'prelu'; readonly slopes: Float64Array }

/** C = A·B. */
export const identityEpilogue: NumericEpilogue = { alpha: 1, activation: { name: 'linear' } }

/** Element of a vector of shape [n] or [1] that belongs to `column`. */
export function perColumn(vector: Float64Array, column: number): number {
  return vector[vector.length === 1 ? 0 : column]!
}

/** @throws {RangeError} If a vector of the epilogue has neither n elements nor one. */
export function checkEpilogue({ bias, activation, quantized }: NumericEpilogue, n: number): void {
  if (bias !== undefined) checkLength('bias', bias, n)
  if (quantized?.scales !== undefined) checkLength('scales', quantized.scales, n)
  if (activation.name === 'prelu') checkLength('slopes', activation.slopes, n)
}

/** activation(x) in float64. */
export function activate(activation: NumericActivation, column: number, x: number): number {
  switch (activation.name) {
    case 'linear':
      return x
    case 'relu':
      return Math.max(x, 0)
    case 'relu6':
      return Math.min(Math.max(x, 0), 6)
    case 'clip':
      return Math.min(Math.max(x, activation.least), activation.most)
    case 'elu':
      return x < 0 ? Math.expm1(x) : x
    case 'sigmoid':
      return 1 / (1 + Math.exp(-x))
    case 'tanh':
      return Math.tanh(x)
    case 'hardsigmoid':
      return Math.min(Math.max(activation.slope * x + activation.offset, 0), 1)
    case 'leakyrelu':
      return x < 0 ? activation.slope * x : x
    case 'prelu':
      return x < 0 ? perColumn(activation.slopes, column) * x : x
  }
}

/**
 * How far an honest value may lie above (or below) activation(x) when the engine's pre-activation value lies within
 * `tolerance` of x: the activation's range over that interval, and what the engine may lose in evaluating it. Where the
 * activation is flat this is far less than `tolerance` times a Lipschitz constant: a rectified negative sum must be 0.
 *
 * @param above - Whether the claimed value is above activation(x).
 */
export function activatedTolerance(
  activation: NumericActivation,
  column: number,
  x: number,
  tolerance: number,
  above: boolean,
): number {
  if (activation.name === 'linear') return tolerance
  const left = activate(activation, column, x - tolerance)
  const right = activate(activation, column, x + tolerance)
  const value = activate(activation, column, x)
  const isFlat = activation.name === 'hardsigmoid' && left === right && (left === 0 || left === 1)
  const rounding = isFlat ? 0 : evaluationError(activation, x - tolerance, Math.max(Math.abs(left), Math.abs(right)))
  // Each activation is monotone, or decreasing up to 0 and increasing beyond (a negative slope).
  if (above) return Math.max(left, right) - value + rounding
  const turn = x - tolerance < 0 && x + tolerance > 0 ? activate(activation, column, 0) : value
  return value - Math.min(left, right, turn) + rounding
}

const unitRoundoff = 2 ** -24

/**
 * Largest error of evaluating an activation in float32, absolute.
 *
 * - Rectifiers are exact; a slope costs its own rounding and that of the product, 2u of the value.
 * - elu and sigmoid: CPU libraries lose an ulp or two. WGSL allows exp (3 + 2|x|) ulp and a quotient 2.5 ulp (WebGPU
 *   Shading Language, section 15.7.4.1), an ulp being at most 2u of the value. For x <= 0, (3 + 2|x|)·eˣ <= 3: eˣ − 1 is
 *   wrong by at most 6u, and u/2 of its own. In σ = 1/(1 + e⁻ˣ) the error of e⁻ˣ counts (3 + 2|x|)·2u·σ(1 − σ) < 2u,
 *   the sum u·σ and the quotient 5u·σ, together less than 8u. Hence 8u for both.
 * - tanh: ONNX Runtime's quotient of polynomials loses 4.6u where the value is near 1, and no more elsewhere; 8u again.
 * - A product slope·x of at most 1 + |offset| where the result is neither 0 nor 1, rounded, and a sum of at most 1: less than
 *   2u·(1 + |offset|).
 */
function evaluationError(activation: NumericActivation, leftEnd: number, magnitude: number): number {
  switch (activation.name) {
    case 'elu':
      return leftEnd < 0 ? 8 * unitRoundoff : 0
    case 'sigmoid':
    case 'tanh':
      return 8 * unitRoundoff
    case 'hardsigmoid':
      return 2 * unitRoundoff * (1 + Math.abs(activation.offset))
    case 'leakyrelu':
    case 'prelu':
      return leftEnd < 0 ? 2 * unitRoundoff * magnitude : 0
    default:
      return 0
  }
}

function checkLength(name: string, vector: Float64Array, n: number): void {
  if (vector.length !== n && vector.length !== 1) {
    throw new RangeError(`expected ${name} of ${n} elements, or one for all columns, got ${vector.length}`)
  }
}
