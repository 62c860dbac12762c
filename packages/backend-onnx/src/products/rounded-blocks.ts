import { decodeElements, type Matrix, quantizeRow, type TensorHandle, toFloat64 } from '@tensor-assay/core'
import type { TapTensor } from '../taps/tap-tensor.ts'

/** Rows and columns that are looked at: what rounding changes is a thousand times what either way leaves open. */
const [maxRows, maxColumns] = [16, 8]

/** What an operator multiplied: A as it was given, A rounded block by block, or something else. */
export type LeftOperand = 'given' | 'rounded' | 'unknown'

/** A product by weights of blocks, all in float32. */
export interface BlockProduct {
  readonly a: TensorHandle
  /** [n, k]. */
  readonly b: TapTensor
  readonly c: TensorHandle
  /** [n]. */
  readonly bias: TapTensor | undefined
  /** The rows of A and C that can be read, where not all of them can. */
  readonly held: Uint32Array | undefined
}

/**
 * Finds out whether an operator rounded A to 8 bits block by block before it multiplied. ONNX Runtime's CPU kernels do so
 * for some widths of weights and blocks on some machines, and compute in floating point where there is no such kernel.
 * Nothing but the result says which it was. Other machines may have kernels that round otherwise.
 */
export function leftOperand(block: number, { a, b, c, bias, held }: BlockProduct): LeftOperand {
  const looked = held ?? Uint32Array.from({ length: Math.min(maxRows, a.rows) }, (_, i) => i)
  const [left, results] = [valuesOf(a, looked), valuesOf(c, looked)]
  const right = decodeElements(b.bytes(), 'float32')
  const added = bias && decodeElements(bias.bytes(), 'float32')
  const [k, n] = [a.cols, c.cols]
  const r = rowOfLargest(left, k)
  const row = left.subarray(r * k, (r + 1) * k)
  const rounded = quantizeRow(row, block).a
  let asRounded = 0
  let asGiven = 0
  let apart = 0
  for (let j = 0; j < Math.min(n, maxColumns); j++) {
    let sum = 0
    let sumOfRounded = 0
    for (let t = 0; t < k; t++) {
      sum += row[t]! * right[j * k + t]!
      sumOfRounded += rounded[t]! * right[j * k + t]!
    }
    const claimed = results[r * n + j]! - (added?.[j] ?? 0)
    asGiven += (claimed - sum) ** 2
    asRounded += (claimed - sumOfRounded) ** 2
    apart += (sum - sumOfRounded) ** 2
  }
  // Where the two are the same, either will do. An element near a tie may have been rounded the other way.
  if (asRounded <= apart / 4 || apart === 0) return 'rounded'
  return asGiven <= apart / 4 ? 'given' : 'unknown'
}

function valuesOf(handle: TensorHandle, rows: Uint32Array): Float64Array {
  const { bytes, dtype } = handle.read(rows, (length) => new Uint8Array(length)) as Matrix
  return toFloat64(bytes, dtype)
}

/** The row with the largest element: one of zeros is the same either way. */
function rowOfLargest(values: Float64Array, k: number): number {
  let at = 0
  for (let i = 0; i < values.length; i++) if (Math.abs(values[i]!) > Math.abs(values[at]!)) at = i
  return Math.floor(at / Math.max(1, k))
}
