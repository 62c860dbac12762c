import { weightDigest } from '../../commitment/weight.ts'
import { type DType, toFloat64 } from '../../dtype.ts'
import { type Geometry, geometryOf } from '../../layout.ts'
import { type Matrix, row } from '../../matrix.ts'
import { encodeMatrix } from '../../numerics/calibration/encode.ts'
import type { NumericActivation, NumericEpilogue } from '../../numerics/epilogue.ts'
import { type PreparedMatrix, prepareMatrix } from '../../numerics/prepared.ts'
import { profiles } from '../../numerics/profile.ts'
import { checkRow } from '../../numerics/row.ts'
import type { Activation } from '../../product.ts'
import { assert, assertBytes, assertEqual } from '../assert.ts'
import type { BackendHarness } from '../backend.ts'
import type { Conv2d, MatMul, PlainTensor, Program } from './program.ts'
import { count } from './program.ts'
import type { SeenProduct, Watched } from './watch.ts'

/** Checks that every product of a program was reported, once, in order, and as what it was. */
export function checkWatched(harness: BackendHarness, program: Program, { results, seen, opaque }: Watched): void {
  assertEqual(opaque.map(({ operation, reason }) => `${operation}: ${reason}`).join(), '', 'opaque operations')
  const values = [...program.inputs]
  let product = 0
  for (const operation of program.operations) {
    if (operation.kind === 'assign') {
      values[operation.target] = operation.value
      continue
    }
    const result = results[product]
    const reported = seen[product]
    assert(result !== undefined, `the harness returned ${results.length} results`)
    assert(reported !== undefined, `product ${product} was not reported: ${seen.length} were`)
    checkProduct(harness, reported, operation, values, result)
    values.push(result)
    product++
  }
  assertEqual(seen.length, product, 'products reported')
}

/** Checks one product as it was reported against what was run. */
export function checkProduct(
  { backend }: BackendHarness,
  seen: SeenProduct,
  operation: MatMul | Conv2d,
  values: readonly PlainTensor[],
  result: PlainTensor,
): void {
  const { product, a, b, c, addend } = seen
  const { supports } = backend
  assert(supports.operations.includes(product.operation), `${product.operation} is not among supports.operations`)
  assert(supports.profiles.includes(product.profile), `${product.profile} is not among supports.profiles`)
  const geometry = geometryOf(product.layout)
  checkSize('A', a, geometry.a)
  checkSize('B', b, { rows: geometry.matrices * geometry.n, cols: geometry.k })
  checkSize('C', c, geometry.c)
  if (addend !== undefined) checkSize('the addend', addend, geometry.c)
  for (const { dtype } of [a, b, c, addend ?? c])
    assert(supports.dtypes.includes(dtype), `${dtype} is not among supports.dtypes`)

  const [left, right] = operandsOf(operation, values)
  assertBytes(a.bytes, encoded(rowsOf(left.tensor, left.matrix, left.transposed), a.dtype), 'A')
  assertBytes(b.bytes, encoded(rowsOf(right.tensor, right.matrix, right.transposed), b.dtype), 'the columns of op(B)')
  assertBytes(c.bytes, encoded(result.data, c.dtype), 'C')
  assertEqual(addend !== undefined, operation.addend !== undefined, 'whether there is an addend')
  if (addend !== undefined)
    assertBytes(addend.bytes, encoded(values[operation.addend!]!.data, addend.dtype), 'the addend')
  assertEqual(seen.stored.digest, digestOf(right.tensor, b.dtype), 'digest of B as it is stored')
  assertEqual(product.b.transposed, !right.transposed, 'transposed, of B')
  assertEqual(product.roundedBlocks, undefined, 'blocks in which A is rounded')
  checkEpilogue(seen, operation, values)
  checkRows(seen, geometry, numericEpilogue(seen, operation, values), betaOf(operation))
}

interface Operand {
  readonly tensor: PlainTensor
  /** Sizes of each matrix in memory. */
  readonly matrix: readonly [number, number]
  /** Whether the rows wanted are its columns. */
  readonly transposed: boolean
}

function operandsOf(operation: MatMul | Conv2d, values: readonly PlainTensor[]): [Operand, Operand] {
  if (operation.kind === 'matMul') {
    const { transposeA = false, transposeB = false } = operation
    const a = values[operation.a]!
    const b = values[operation.b]!
    return [
      { tensor: a, matrix: lastTwo(a), transposed: transposeA },
      { tensor: b, matrix: lastTwo(b), transposed: !transposeB },
    ]
  }
  const x = values[operation.x]!
  const filters = values[operation.filters]!
  const cols = x.shape.at(-1)!
  const outChannels = filters.shape[operation.channelsLast ? 3 : 0]!
  const patch = count(filters.shape) / outChannels
  return [
    { tensor: x, matrix: [count(x.shape) / cols, cols], transposed: false },
    {
      tensor: filters,
      matrix: operation.channelsLast ? [patch, outChannels] : [outChannels, patch],
      transposed: operation.channelsLast,
    },
  ]
}

function lastTwo({ shape }: PlainTensor): [number, number] {
  return shape.slice(-2) as [number, number]
}

/** The rows of a stack of matrices of [rows, cols], or of their transposes. */
function rowsOf({ data }: PlainTensor, [rows, cols]: readonly [number, number], transposed: boolean): Float32Array {
  if (!transposed) return data
  const size = rows * cols
  return Float32Array.from(data, (_, i) => {
    const within = i % size
    return data[i - within + (within % rows) * cols + Math.floor(within / rows)]!
  })
}

/** Numbers as a library keeps them in tensors of some type. */
function encoded(data: Float32Array, dtype: DType): Uint8Array {
  return encodeMatrix(data, 1, data.length, dtype).bytes
}

function checkSize(name: string, { rows, cols, bytes }: Matrix, size: { rows: number; cols: number }): void {
  assertEqual(`${rows}×${cols}`, `${size.rows}×${size.cols}`, `size of ${name}, which the layout gives`)
  assert(bytes.byteLength % (rows * cols) === 0, `${name} has ${bytes.byteLength} bytes for ${rows}×${cols} elements`)
}

export function digestOf({ data }: PlainTensor, dtype: DType = 'float32'): string {
  return weightDigest(dtype, encoded(data, dtype))
}

function checkEpilogue(
  { product, bias, slopes }: SeenProduct,
  operation: MatMul | Conv2d,
  values: readonly PlainTensor[],
): void {
  const { alpha, beta = 1, activation } = product.epilogue
  const ran = operation.kind === 'matMul' ? Math.fround(operation.alpha ?? 1) : 1
  assertEqual(alpha, ran, 'alpha')
  assertEqual(beta, betaOf(operation), 'beta')
  const digestAt = (index: number | undefined, dtype: DType | undefined) =>
    index === undefined ? undefined : digestOf(values[index]!, dtype)
  assertEqual(bias?.digest, digestAt(operation.bias, product.epilogue.bias?.dtype), 'digest of the bias')
  assertEqual(activation.name, operation.activation ?? 'linear', 'activation')
  assertEqual(slopes?.digest, digestAt(operation.slopes, slopesType(activation)), 'digest of the slopes')
  if (activation.name === 'leakyrelu' || activation.name === 'hardsigmoid')
    assertEqual(Math.fround(activation.slope), Math.fround(operation.slope!), 'slope')
  if (activation.name === 'hardsigmoid')
    assertEqual(Math.fround(activation.offset), Math.fround(operation.offset!), 'offset')
  if (activation.name === 'clip') {
    const stated = `${Math.fround(activation.least)} to ${Math.fround(activation.most)}`
    assertEqual(stated, `${Math.fround(operation.least!)} to ${Math.fround(operation.most!)}`, 'limits')
  }
}

const betaOf = (operation: MatMul | Conv2d): number =>
  operation.kind === 'matMul' && (operation.bias ?? operation.addend) !== undefined
    ? Math.fround(operation.beta ?? 1)
    : 1

const slopesType = (activation: Activation): DType | undefined =>
  activation.name === 'prelu' ? activation.slopes.dtype : undefined

function numericEpilogue(
  { product: { epilogue }, c }: SeenProduct,
  operation: MatMul | Conv2d,
  values: readonly PlainTensor[],
): NumericEpilogue {
  const vector = (index: number, dtype: DType = 'float32') => toFloat64(encoded(values[index]!.data, dtype), dtype)
  const { bias, slopes } = operation
  return {
    alpha: operation.kind === 'matMul' ? Math.fround(operation.alpha ?? 1) : 1,
    ...(bias === undefined
      ? {}
      : { bias: vector(bias, epilogue.bias?.dtype).map((value) => betaOf(operation) * value) }),
    activation: numericActivation(operation, () => vector(slopes!, slopesType(epilogue.activation))),
    ...(c.dtype === 'float16' || c.dtype === 'bfloat16' ? { roundedTo: c.dtype } : {}),
  }
}

function numericActivation(
  { activation: name, slope, offset, least, most }: MatMul | Conv2d,
  slopes: () => Float64Array,
): NumericActivation {
  if (name === 'prelu') return { name, slopes: slopes() }
  if (name === 'leakyrelu') return { name, slope: Math.fround(slope!) }
  if (name === 'clip') return { name, least: Math.fround(least!), most: Math.fround(most!) }
  if (name === 'hardsigmoid') return { name, slope: Math.fround(slope!), offset: Math.fround(offset!) }
  return { name: name ?? 'linear' }
}

/** C = A·B in float64, row by row, as a verifier sees it. */
function checkRows(
  { product, a, b, c, addend }: SeenProduct,
  geometry: Geometry,
  epilogue: NumericEpilogue,
  beta: number,
): void {
  const { rows, k, n, matrices } = geometry
  const matrixBytes = b.bytes.byteLength / matrices
  const prepared = Array.from({ length: matrices }, (_, i): PreparedMatrix => {
    const bytes = b.bytes.slice(i * matrixBytes, (i + 1) * matrixBytes)
    return prepareMatrix({ bytes, dtype: b.dtype, k, n, transposed: true })
  })
  const look = (matrix: Matrix) => (index: number) => toFloat64(row(matrix, index), matrix.dtype)
  for (let r = 0; r < rows; r++) {
    const matrix = geometry.matrixOf(r)
    const { outcome, failures, guard } = checkRow({
      a: geometry.readA(r, look(a)),
      b: prepared[matrix]!,
      c: geometry.readC(r, look(c)),
      profile: profiles[product.profile],
      epilogue: shareOf(epilogue, matrix, n, matrices),
      ...(addend && { addend: geometry.readC(r, look(addend)).map((value) => beta * value) }),
    })
    const [failure] = failures
    const found = failure && `C[${r}, ${failure.column}] is ${failure.claimed}, A·B gives ${failure.recomputed}`
    // A row of few columns may be small by chance, beside which every tolerance is large.
    const isFine = outcome === 'accept' || (outcome === 'guard' && guard === 'cancellation')
    assert(isFine, `row ${r} does not follow from A and B in ${product.profile}: ${found ?? guard}`)
  }
}

/** The part of an epilogue that belongs to one of several matrices. */
function shareOf(epilogue: NumericEpilogue, matrix: number, n: number, matrices: number): NumericEpilogue {
  const share = (vector: Float64Array) =>
    vector.length === matrices * n ? vector.subarray(matrix * n, (matrix + 1) * n) : vector
  const { bias, activation } = epilogue
  return {
    ...epilogue,
    ...(bias === undefined ? {} : { bias: share(bias) }),
    activation: activation.name === 'prelu' ? { name: 'prelu', slopes: share(activation.slopes) } : activation,
  }
}
