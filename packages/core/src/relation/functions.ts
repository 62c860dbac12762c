import type { BinaryName, UnaryName } from './derivation.ts'

/** A value in float64, and how far the float32 value of an honest engine may lie from it. */
export interface Estimate {
  value: number
  error: number
}

const unitRoundoff = 2 ** -24
/** What an engine that flushes subnormal numbers to zero may lose. */
const underflow = 2 ** -126
const maxFloat32 = (2 - 2 ** -23) * 2 ** 127

/** A number as an engine holds it: rounded to float32. */
export function constant(value: number): Estimate {
  return { value, error: Math.abs(value - Math.fround(value)) }
}

/**
 * Writes x ∘ y into `out`. A sum's rounding is counted relative to |x| + |y|, so that engines may add several terms in any
 * order.
 */
export function binary(name: BinaryName, x: Estimate, y: Estimate, out: Estimate): void {
  const { value: a, error: ea } = x
  const { value: b, error: eb } = y
  switch (name) {
    case 'add':
    case 'subtract':
      out.value = name === 'add' ? a + b : a - b
      if (isMask(a) !== isMask(b) && ea + eb < Number.POSITIVE_INFINITY) {
        out.error = 0
        return
      }
      out.error = ea + eb + unitRoundoff * (Math.abs(a) + Math.abs(b))
      break
    case 'multiply':
      out.value = a * b
      out.error = Math.abs(a) * eb + Math.abs(b) * ea + ea * eb + unitRoundoff * Math.abs(a * b) + underflow
      break
    case 'divide': {
      const least = Math.abs(b) - eb
      out.value = a / b
      // An engine may multiply by the reciprocal, which is rounded as well.
      out.error =
        least > 0
          ? (ea + Math.abs(out.value) * eb) / least + 3 * unitRoundoff * Math.abs(out.value) + underflow
          : Number.POSITIVE_INFINITY
      break
    }
    case 'maximum':
    case 'minimum':
      out.value = name === 'maximum' ? Math.max(a, b) : Math.min(a, b)
      out.error = Math.max(ea, eb)
  }
  limited(out)
}

/** Writes f(x) into `out`: all of these functions are monotonic over what x ± error covers, or treated by their sides. */
export function unary(name: UnaryName, x: Estimate, out: Estimate): void {
  const { value: a, error: e } = x
  switch (name) {
    case 'negate':
    case 'abs':
      out.value = name === 'abs' ? Math.abs(a) : -a
      out.error = e
      break
    case 'square':
      out.value = a * a
      out.error = (2 * Math.abs(a) + e) * e + unitRoundoff * out.value + underflow
      break
    case 'reciprocal':
      binary('divide', one, x, out)
      break
    case 'sqrt':
      out.value = Math.sqrt(a)
      out.error =
        Math.max(Math.sqrt(a + e) - out.value, out.value - Math.sqrt(Math.max(0, a - e))) + unitRoundoff * out.value
      break
    case 'exp':
      out.value = Math.exp(a)
      out.error = Math.exp(a + e) - out.value + expRounding(a) * out.value + underflow
      break
    case 'log':
      out.value = Math.log(a)
      out.error =
        a - e > 0
          ? out.value - Math.log(a - e) + 4 * unitRoundoff * (1 + Math.abs(out.value))
          : Number.POSITIVE_INFINITY
      break
    case 'erf':
    case 'tanh':
    case 'sigmoid': {
      const f = bounded[name]
      out.value = f(a)
      const reach = e === 0 ? 0 : Math.max(f(a + e) - out.value, out.value - f(a - e))
      out.error = reach + boundedRounding
    }
  }
  limited(out)
}

/** What masks a score. */
function isMask(value: number): boolean {
  return value === Number.NEGATIVE_INFINITY
}

const one: Estimate = { value: 1, error: 0 }

/**
 * Relative error of exp in float32: libraries lose an ulp or two, and WGSL allows 3 + 2|x| of them (WebGPU Shading
 * Language, section 15.7.4.1), an ulp being at most 2u.
 */
export function expRounding(x: number): number {
  return (8 + 4 * Math.abs(x)) * unitRoundoff
}

/**
 * Absolute error of a function with values from −1 to 1 in float32. The polynomial of Abramowitz and Stegun, 7.1.26, which
 * TensorFlow.js takes for erf, is wrong by 1.5·10⁻⁷, 2.5u, before anything is rounded.
 */
const boundedRounding = 16 * unitRoundoff

const bounded = {
  erf,
  tanh: Math.tanh,
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
} as const

/** The error function, to about 10⁻¹⁵: Abramowitz and Stegun, 7.1.6, a series of positive terms. */
export function erf(x: number): number {
  const size = Math.abs(x)
  if (!(size < 6)) return Number.isNaN(x) ? Number.NaN : Math.sign(x)
  let term = size
  let sum = size
  for (let n = 1; term > sum * 1e-17; n++) {
    term *= (2 * size * size) / (2 * n + 1)
    sum += term
  }
  return Math.sign(x) * (2 / Math.sqrt(Math.PI)) * Math.exp(-size * size) * sum
}

/** Nothing is known of what overflows float32: what lies up to half a unit beyond the largest number rounds to it. */
function limited(out: Estimate): void {
  if (!(Math.abs(out.value) <= maxFloat32 * (1 + 2 ** -26))) out.error = Number.POSITIVE_INFINITY
}

/** Sum of estimates, in any order of an engine. */
export function sum(values: Float64Array, errors: Float64Array, out: Estimate): void {
  let total = 0
  let sizes = 0
  let error = 0
  for (let i = 0; i < values.length; i++) {
    total += values[i]!
    sizes += Math.abs(values[i]!)
    error += errors[i]!
  }
  out.value = total
  out.error = error + (values.length + 2) * unitRoundoff * sizes
  limited(out)
}

export function mean(values: Float64Array, errors: Float64Array, out: Estimate): void {
  sum(values, errors, out)
  out.value /= values.length
  out.error = out.error / values.length + 2 * unitRoundoff * Math.abs(out.value)
}

export function largest(values: Float64Array, errors: Float64Array, out: Estimate): void {
  out.value = Number.NEGATIVE_INFINITY
  out.error = 0
  for (let i = 0; i < values.length; i++) {
    if (!(values[i]! <= out.value)) out.value = values[i]!
    out.error = Math.max(out.error, errors[i]!)
  }
}

/**
 * exp(x_i)/Σ exp(x_j), in place. An honest value is largest where its own x is as large and all others are as small as
 * their errors allow; rounding comes on top of it.
 */
export function softmax(values: Float64Array, errors: Float64Array): void {
  const n = values.length
  const top = values.reduce((most, value) => Math.max(most, value), Number.NEGATIVE_INFINITY)
  let exact = 0
  let low = 0
  let high = 0
  let rounding = 0
  for (let i = 0; i < n; i++) {
    const shifted = values[i]! - top
    const term = Math.exp(shifted)
    exact += term
    if (term > 0) rounding += term * expRounding(shifted)
    low += Math.exp(shifted - errors[i]!)
    high += Math.exp(shifted + errors[i]!)
  }
  for (let i = 0; i < n; i++) {
    const shifted = values[i]! - top
    const most = Math.exp(shifted + errors[i]!)
    const least = Math.exp(shifted - errors[i]!)
    const value = Math.exp(shifted) / exact
    const above = most / (most + Math.max(0, low - least)) - value
    const below = value - least / (least + Math.max(0, high - most))
    values[i] = value
    const relative = expRounding(shifted) + rounding / exact + (n + 4) * unitRoundoff
    // Far below the largest the value is 0, however wrong the exponent is.
    errors[i] = Math.max(above, below) + (value === 0 ? 0 : relative * value) + underflow
  }
}

/**
 * (x_i − mean)/√(variance + epsilon), in place, or x_i/√(mean of squares + epsilon). Engines take the variance from the
 * deviations, or from the mean of squares less the square of the mean, which rounds relative to these: the bound is for
 * the latter.
 */
export function normalize(values: Float64Array, errors: Float64Array, epsilon: number, centred: boolean): void {
  const n = values.length
  const middle: Estimate = { value: 0, error: 0 }
  if (centred) mean(values, errors, middle)
  let squares = 0
  let deviations = 0
  let ofErrors = 0
  for (let i = 0; i < n; i++) {
    const deviation = values[i]! - middle.value
    squares += (values[i]! * values[i]!) / n
    deviations += (deviation * deviation) / n
    ofErrors += ((2 * Math.abs(deviation) + errors[i]!) * errors[i]!) / n
  }
  const rounding = (n + 8) * unitRoundoff * (squares + middle.value * middle.value + epsilon)
  const spread = deviations + epsilon
  const deviation: Estimate = { value: 0, error: 0 }
  unary('sqrt', { value: spread, error: ofErrors + middle.error * middle.error + rounding }, deviation)
  const x: Estimate = { value: 0, error: 0 }
  for (let i = 0; i < n; i++) {
    binary('subtract', { value: values[i]!, error: errors[i]! }, middle, x)
    binary('divide', x, deviation, x)
    values[i] = x.value
    errors[i] = x.error
  }
}
