import {
  type DType,
  geometryOf,
  type Matrix,
  type OpaqueOperation,
  type Product,
  type ProfileName,
  rowBytes,
  type TensorHandle,
} from '@tensor-assay/core'
import { layoutOf } from '../graph/layout-of.ts'
import type { PlannedProduct } from '../graph/plan.ts'
import type { Statement } from '../graph/statement.ts'
import type { TappedRun } from '../session/session-observer.ts'
import type { TapTensor } from '../taps/tap-tensor.ts'
import { surroundings } from './epilogue.ts'
import { copyRows, elementsOf, type Matrices, storedOf } from './matrices.ts'
import { rightTensor } from './right-side.ts'
import type { TensorKeys } from './tensor-keys.ts'

/** A planned product as a run executed it, or why it cannot be stated. */
export function productOf(planned: PlannedProduct, run: TappedRun, keys: TensorKeys): Product | OpaqueOperation {
  const { node, operation } = planned
  const { form } = planned.statement
  const opaque = (reason: string): OpaqueOperation => ({ node, operation, reason })

  const a = run.value(planned.statement.a)
  const c = run.value(planned.statement.c)
  if (a === undefined || c === undefined) return opaque('its operands or its result cannot be read')
  const statement = withAddend(planned.statement, run, c)
  const addend = statement.addend === undefined ? undefined : run.value(statement.addend)
  if (statement.addend !== undefined && (addend === undefined || !isLike(addend, c))) {
    return opaque(addend === undefined ? 'what it adds cannot be read' : `it adds a tensor of shape [${addend.dims}]`)
  }
  const right = rightTensor(statement, run)
  if ('reason' in right) return opaque(right.reason)
  const layout = layoutOf(form, { a: a.dims, b: right.dims, c: c.dims })
  if ('reason' in layout) return opaque(layout.reason)
  const geometry = geometryOf(layout)
  const { k, n, matrices } = geometry
  const around = surroundings(statement, run, keys, n, matrices * n)
  if ('reason' in around) return opaque(around.reason)
  const profile = profileOf(planned, run, a.type, right.type)
  if (typeof profile !== 'string') return opaque(profile.reason)

  const isMatmul = form.kind === 'matmul'
  const transposeA = isMatmul && form.transposeA
  // The filters of a convolution lie as [n, k], and so do weights in blocks.
  const transposed = !isMatmul || form.transposeB || statement.b.kind === 'packed-blocks'
  const origin = run.plan.origin(statement.b.value)
  const aRows: Matrices = transposeA
    ? { count: geometry.a.rows / Math.max(1, m(layout)), rows: m(layout), cols: k, transposed: true }
    : { count: 1, ...geometry.a, transposed: false }
  const cRows: Matrices = { count: 1, ...geometry.c, transposed: false }
  const bRows: Matrices = { count: matrices, rows: n, cols: k, transposed: !transposed }
  const handles = [handle(a, aRows, keys), handle(right, bRows, keys), handle(c, cRows, keys)]
  const [aHandle, bHandle, cHandle] = handles
  const addendHandle = addend && handle(addend, cRows, keys)
  if (!aHandle || !bHandle || !cHandle) return opaque(`elements of ${a.type}, ${right.type} and ${c.type}`)
  const isWeight = origin === 'initializer' || origin === 'constant'
  if (!isWeight && around.zeroPoints?.b) return opaque('zero points for the columns of a B that the run computes')
  return {
    operation,
    node,
    layout,
    a: aHandle,
    b: {
      ...bHandle,
      transposed,
      role: isWeight ? 'candidate' : 'activation',
      stored: () => storedOf(right, bHandle.dtype, keys),
    },
    c: cHandle,
    ...(addendHandle && { addend: addendHandle }),
    ...around,
    profile,
  }
}

/** A bias that the run computes is an addend where it has the elements of C: the third operand of Gemm may be either. */
function withAddend(statement: Statement, run: TappedRun, c: TapTensor): Statement {
  const { bias: name, ...unbiased } = statement
  if (name === undefined || statement.addend !== undefined || statement.arithmetic === 'integer') return statement
  const origin = run.plan.origin(name)
  const bias = run.value(name)
  if ((origin !== 'computed' && origin !== 'input') || bias === undefined || !isLike(bias, c)) return statement
  return { ...unbiased, addend: name }
}

/** Whether two tensors have the same elements in the same rows. */
function isLike(tensor: TapTensor, { type, dims }: TapTensor): boolean {
  const count = (sizes: readonly number[]) => sizes.reduce((product, size) => product * size, 1)
  return tensor.type === type && tensor.dims.at(-1) === dims.at(-1) && count(tensor.dims) === count(dims)
}

function m(layout: Product['layout']): number {
  return layout.kind === 'matmul' ? layout.m : 1
}

/** The arithmetic of an execution provider, as far as it is known. */
function profileOf(
  { statement }: PlannedProduct,
  { session }: TappedRun,
  a: string,
  b: string,
): ProfileName | { readonly reason: string } {
  switch (statement.arithmetic) {
    case 'quantised-blocks':
      return { reason: 'A is rounded to 8 bits inside the operator' }
    case 'integer':
      return 'int8'
    case 'float':
      if (a !== 'float32' || b !== 'float32') return { reason: `a product of ${a} and ${b}` }
      // ONNX Runtime lets CUDA round operands to TF32 unless it is told not to.
      return session.executionProviders.some((name) => ['cuda', 'tensorrt'].includes(name)) ? 'tf32' : 'float32'
  }
}

/** @returns Undefined for elements that no row can have. */
function handle(tensor: TapTensor, matrices: Matrices, keys: TensorKeys): TensorHandle | undefined {
  const elements = elementsOf(tensor)
  if (elements === undefined) return undefined
  const { count, rows, cols, transposed } = matrices
  const dtype: DType = elements.dtype
  return {
    key: keys.of(tensor, `${count * rows}x${cols}${transposed ? `/${rows}` : ''}`),
    rows: count * rows,
    cols,
    dtype,
    read(wanted, allocate): Matrix {
      const total = wanted?.length ?? count * rows
      const bytes = allocate(total * rowBytes({ cols, dtype }))
      copyRows(elements, matrices, wanted, bytes)
      return { rows: total, cols, dtype, bytes }
    },
  }
}
