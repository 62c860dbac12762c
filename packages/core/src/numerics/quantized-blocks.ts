import { columnOffset, type PreparedMatrix } from './prepared.ts'

/** Terms of a row that an engine may have rounded either way: so near a tie that its own rounding decides. */
export interface Doubt {
  readonly terms: Uint32Array
  /** What the other choice adds to the term. */
  readonly steps: Float64Array
}

/** A row of A after it was rounded. */
export interface QuantizedRow {
  /** Shape [k]. */
  readonly a: Float64Array
  readonly doubt: Doubt
}

/** Relative error of a quotient that is rounded three times on its way: the scale, its reciprocal and the product. */
const quotientError = 3 * 2 ** -24

/**
 * A row as it is multiplied by an engine that rounds it to 8 bits block by block, such as ONNX Runtime's MatMulNBits with
 * accuracy level 4: a_t becomes s·q_t, s = max|a|/127 over the block, q_t = a_t·(127/max|a|) to nearest, ties to even. The
 * blocks' sums of integers are exact and are added in float32, so that what is left is an error of the profile `float32`,
 * for B as its own blocks say, (q − z)·s.
 *
 * Engines compute the quotient in float32, as 127/max·a or as (1/s)·a, so that a quotient within a few ulp of a tie may go
 * either way. That is once in 30,000 terms for random data.
 *
 * @param row - Of A, float32 values, shape [k].
 * @param blockSize - Terms that share a scale; the last block may be shorter.
 */
export function quantizeRow(row: Float64Array, blockSize: number): QuantizedRow {
  const a = new Float64Array(row.length)
  const terms: number[] = []
  const steps: number[] = []
  for (let first = 0; first < row.length; first += blockSize) {
    const end = Math.min(first + blockSize, row.length)
    let largest = 0
    for (let t = first; t < end; t++) largest = Math.max(largest, Math.abs(row[t]!))
    const scale = Math.fround(largest / 127)
    if (scale === 0) continue
    for (let t = first; t < end; t++) {
      const quotient = (row[t]! / largest) * 127
      const floor = Math.floor(quotient)
      const rest = quotient - floor
      const isUp = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0)
      a[t] = scale * (isUp ? floor + 1 : floor)
      if (Math.abs(rest - 0.5) > quotientError * Math.abs(quotient)) continue
      terms.push(t)
      steps.push(isUp ? -scale : scale)
    }
  }
  return { a, doubt: { terms: Uint32Array.from(terms), steps: Float64Array.from(steps) } }
}

/** Columns from which the choices of an engine are inferred. */
const settlingColumns = 128
/** Passes over the terms in doubt: each choice changes what the others are inferred from. */
const settlingPasses = 3

/**
 * The row as the engine rounded it, as far as its results tell: of every term in doubt, the choice to which they fit
 * better. All columns share it, and either is honest, so that a prover gains nothing but the choice.
 *
 * A term counts as rounded the other way if that explains more than half of what is left of the claimed values:
 * Σ_j e_j·d_j > ½Σ_j d_j², with e_j the error so far and d_j = step·b_tj.
 *
 * @param c - Claimed values of a·B, without factor or bias, shape [n]; `b` is held in full.
 */
export function settleDoubt({ a, doubt }: QuantizedRow, b: PreparedMatrix, c: Float64Array): Float64Array {
  if (doubt.terms.length === 0) return a
  const settled = a.slice()
  const count = Math.min(settlingColumns, b.n)
  const offsets = Array.from({ length: count }, (_, i) => columnOffset(b, Math.floor((i * b.n) / count)))
  const errors = offsets.map((offset, i) => {
    let sum = 0
    for (let t = 0; t < b.k; t++) sum += a[t]! * b.columns[offset + t]!
    return c[Math.floor((i * b.n) / count)]! - sum
  })
  for (let pass = 0; pass < settlingPasses; pass++) {
    for (const [i, t] of doubt.terms.entries()) {
      // From the choice that was made to the other one.
      const step = settled[t] === a[t] ? doubt.steps[i]! : -doubt.steps[i]!
      let explained = 0
      let size = 0
      for (const [j, offset] of offsets.entries()) {
        const change = step * b.columns[offset + t]!
        explained += errors[j]! * change
        size += change * change
      }
      if (!(explained > size / 2)) continue
      settled[t]! += step
      for (const [j, offset] of offsets.entries()) errors[j]! -= step * b.columns[offset + t]!
    }
  }
  return settled
}
