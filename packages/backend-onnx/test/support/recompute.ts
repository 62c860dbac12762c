import { geometryOf, type Layout } from '@tensor-assay/core'
import { dequantiseBlocks } from '@tensor-assay/onnx-model'
import { unblockFilters } from '../../src/graph/blocked-filters.ts'
import { layoutOf } from '../../src/graph/layout-of.ts'
import type { PlannedProduct } from '../../src/graph/plan.ts'
import type { PlannedActivation, Statement } from '../../src/graph/statement.ts'
import type { TappedRun } from '../../src/session/session-observer.ts'
import type { TapTensor } from '../../src/taps/tap-tensor.ts'

/** How far a product's C is from what its statement says. */
export interface Deviation {
  readonly layout: Layout
  /** Largest |claimed − recomputed|, over the size of what was summed for floats, in units of C for integers. */
  readonly largest: number
  readonly entries: number
}

/**
 * Recomputes every entry of a product in float64 from what was tapped, by the plainest means: this is what a statement
 * means, written a second time.
 *
 * @throws {Error} If a value is missing or the shapes do not fit.
 */
export function deviation({ node, statement }: PlannedProduct, run: TappedRun): Deviation {
  const value = (name: string): TapTensor => {
    const tensor = run.value(name)
    if (tensor === undefined) throw new Error(`${node}: no value ${name}`)
    return tensor
  }
  const scalar = (name: string | undefined, fallback: number): number =>
    name === undefined ? fallback : numbersOf(value(name))[0]!
  const vector = (name: string | undefined): Float64Array | undefined =>
    name === undefined ? undefined : numbersOf(value(name))

  const a = value(statement.a)
  const c = value(statement.c)
  const right = rightSide(statement, value, run.filterBlock, a.dims[1] ?? 0)
  const layout = layoutOf(statement.form, { a: a.dims, b: right.dims, c: c.dims })
  if ('reason' in layout) throw new Error(`${node}: ${layout.reason}`)
  const { k, n, matrices, rows, matrixOf, readA, readC, a: aSize, c: cSize } = geometryOf(layout)

  const transposeA = statement.form.kind === 'matmul' && statement.form.transposeA
  // The filters of a convolution lie as [n, k].
  const transposeB = statement.form.kind === 'convolution' || statement.form.transposeB
  const aNumbers = transposeA ? transposed(numbersOf(a), aSize.rows, k, layout) : numbersOf(a)
  const cNumbers = numbersOf(c)
  const addend = vector(statement.addend)
  const columns = transposeB ? right.numbers : transposedAll(right.numbers, matrices, k, n)

  const zeroA = scalar(statement.zeroPoints.a, 0)
  const zeroB = vector(statement.zeroPoints.b)
  const zeroC = scalar(statement.zeroPoints.c, 0)
  const bias = vector(statement.bias)
  const factors = statement.factors.map(({ value: name, inverse }) => ({ numbers: vector(name)!, inverse }))
  const perColumn = (numbers: Float64Array, column: number) => numbers[numbers.length === 1 ? 0 : column]!
  /** Gemm repeats its third operand as NumPy does: it may be a row, a column or of the shape of C. */
  const biasAt = (r: number, j: number, column: number) => {
    if (bias === undefined) return 0
    const [height, width] = value(statement.bias!).dims.slice(-2)
    if (width === undefined || height === 1) return perColumn(bias, column)
    return bias[r * width + (width === 1 ? 0 : j)]!
  }

  let largest = 0
  let entries = 0
  for (let r = 0; r < rows; r++) {
    const aRow = readA(r, (row) => aNumbers.subarray(row * aSize.cols, (row + 1) * aSize.cols), zeroA)
    const cRow = readC(r, (row) => cNumbers.subarray(row * cSize.cols, (row + 1) * cSize.cols))
    const addendRow = addend && readC(r, (row) => addend.subarray(row * cSize.cols, (row + 1) * cSize.cols))
    for (let j = 0; j < n; j++) {
      const column = matrixOf(r) * n + j
      let sum = 0
      let size = 0
      for (let t = 0; t < k; t++) {
        const term = (aRow[t]! - zeroA) * (columns[column * k + t]! - (zeroB ? perColumn(zeroB, column) : 0))
        sum += term
        size += Math.abs(term)
      }
      let scale = statement.alpha
      for (const { numbers, inverse } of factors) {
        scale *= inverse ? 1 / perColumn(numbers, column) : perColumn(numbers, column)
      }
      const added = statement.beta * (biasAt(r, j, column) + (addendRow?.[j] ?? 0))
      const before = statement.biasBeforeScale ? (sum + added) * scale : sum * scale + added
      const expected = activate(statement.activation, before)
      const claimed = cRow[j]!
      entries++
      if (c.type === 'float32') {
        largest = Math.max(largest, Math.abs(claimed - expected) / (size * Math.abs(scale) + Math.abs(added) + 1e-30))
      } else if (c.type === 'int32') largest = Math.max(largest, Math.abs(claimed - (expected | 0)))
      else {
        const [least, most] = c.type === 'uint8' ? [0, 255] : [-128, 127]
        largest = Math.max(largest, Math.abs(claimed - Math.min(most, Math.max(least, Math.round(expected) + zeroC))))
      }
    }
  }
  return { layout, largest, entries }
}

function rightSide(
  { b, form }: Statement,
  value: (name: string) => TapTensor,
  block: number,
  inChannels: number,
): { dims: readonly number[]; numbers: Float64Array } {
  const tensor = value(b.value)
  if (b.kind === 'value') return { dims: tensor.dims, numbers: numbersOf(tensor) }
  if (b.kind === 'blocked-filters') {
    if (form.kind !== 'convolution') throw new Error('blocked filters of something else')
    const groupChannels = inChannels / form.groups
    const bytes = unblockFilters(tensor.bytes(), tensor.dims, form.groups, b.outChannels, groupChannels, block)
    const dims = [b.outChannels, groupChannels, ...tensor.dims.slice(2)]
    return { dims, numbers: numbersOf({ type: 'float32', dims, bytes: () => bytes }) }
  }
  const zeroPoints = b.zeroPoints === undefined ? undefined : value(b.zeroPoints)
  const matrix = dequantiseBlocks(b, {
    packed: tensor.bytes(),
    scales: Float32Array.from(numbersOf(value(b.scales))),
    ...(zeroPoints === undefined
      ? {}
      : { zeroPoints: zeroPoints.type === 'uint8' ? zeroPoints.bytes() : Float32Array.from(numbersOf(zeroPoints)) }),
  })
  return { dims: [b.n, b.k], numbers: Float64Array.from(matrix) }
}

export function numbersOf({ type, bytes }: Pick<TapTensor, 'type' | 'dims' | 'bytes'>): Float64Array {
  const { buffer } = bytes().slice()
  switch (type) {
    case 'float32':
      return Float64Array.from(new Float32Array(buffer))
    case 'int32':
      return Float64Array.from(new Int32Array(buffer))
    case 'uint8':
      return Float64Array.from(new Uint8Array(buffer))
    case 'int8':
      return Float64Array.from(new Int8Array(buffer))
    default:
      throw new Error(`numbers of ${type}`)
  }
}

/** op(A) as rows of k, from matrices of [k, m]. */
function transposed(numbers: Float64Array, rows: number, k: number, layout: Layout): Float64Array {
  const m = layout.kind === 'matmul' ? layout.m : 1
  return transposedAll(numbers, m === 0 ? 0 : rows / m, k, m)
}

/** Matrices of [n, k] from matrices of [k, n]. */
function transposedAll(numbers: Float64Array, matrices: number, k: number, n: number): Float64Array {
  const out = new Float64Array(numbers.length)
  for (let matrix = 0; matrix < matrices; matrix++) {
    const base = matrix * k * n
    for (let t = 0; t < k; t++) for (let j = 0; j < n; j++) out[base + j * k + t] = numbers[base + t * n + j]!
  }
  return out
}

function activate(activation: PlannedActivation, x: number): number {
  switch (activation.name) {
    case 'linear':
      return x
    case 'relu':
      return Math.max(0, x)
    case 'sigmoid':
      return 1 / (1 + Math.exp(-x))
    case 'tanh':
      return Math.tanh(x)
    case 'hardsigmoid':
      return Math.min(1, Math.max(0, activation.slope * x + activation.offset))
    case 'leakyrelu':
      return x < 0 ? activation.alpha * x : x
    case 'elu':
      return x < 0 ? activation.alpha * Math.expm1(x) : x
    case 'clip':
      return Math.min(activation.most, Math.max(activation.least, x))
  }
}
