import { geometryOf, type Layout, type Matrix, rowBytes, type TensorHandle } from '@tensor-assay/core'
import { layoutOf } from '../graph/layout-of.ts'
import type { OperandName, PlannedProduct } from '../graph/plan.ts'
import type { Statement } from '../graph/statement.ts'
import type { RunValues, TappedRun } from '../session/session-observer.ts'
import type { TapTensor } from '../taps/tap-tensor.ts'
import { copyRows, elementsOf, type Matrices } from './matrices.ts'
import { rightTensor } from './right-side.ts'
import type { TensorKeys } from './tensor-keys.ts'

/** The tensors of a product, cut into rows. */
export interface Operands {
  /** The plan's, with a bias of the shape of C as an addend. */
  readonly statement: Statement
  readonly layout: Layout
  readonly a: Operand
  readonly b: Operand
  readonly c: Operand
  readonly addend?: Operand
  /** Columns of op(B), of one matrix and over all of them. */
  readonly columns: { readonly each: number; readonly all: number }
  /** Whether the matrices of B lie as [n, k]. */
  readonly transposed: boolean
  /** Whether every run has the same B. */
  readonly isWeight: boolean
}

export interface Operand {
  readonly tensor: TapTensor
  readonly matrices: Matrices
}

/** Finds how the rows of a planned product lie in its tensors, or why that cannot be said. */
export function operandsOf(planned: PlannedProduct, run: RunValues): Operands | { readonly reason: string } {
  const { form, b } = planned.statement
  const a = run.operand(planned, 'a')
  const c = run.operand(planned, 'c')
  if (a === undefined || c === undefined) return { reason: 'its operands or its result cannot be read' }
  const statement = withAddend(planned, run, c)
  const addend = statement.addend === undefined ? undefined : run.operand(planned, 'addend')
  if (statement.addend !== undefined && (addend === undefined || !isLike(addend, c))) {
    return {
      reason: addend === undefined ? 'what it adds cannot be read' : `it adds a tensor of shape [${addend.dims}]`,
    }
  }
  const right = rightTensor(planned, run)
  if ('reason' in right) return right
  const layout = layoutOf(form, { a: a.dims, b: right.dims, c: c.dims })
  if ('reason' in layout) return layout
  const geometry = geometryOf(layout)
  const { k, n, matrices } = geometry
  const isMatmul = form.kind === 'matmul'
  const m = layout.kind === 'matmul' ? layout.m : 1
  // The filters of a convolution lie as [n, k], and so do weights in blocks.
  const transposed = !isMatmul || form.transposeB || b.kind === 'packed-blocks'
  const origin = run.plan.origin(b.value)
  const cRows: Matrices = { count: 1, ...geometry.c, transposed: false }
  return {
    statement,
    layout,
    a: {
      tensor: a,
      matrices:
        isMatmul && form.transposeA
          ? { count: geometry.a.rows / Math.max(1, m), rows: m, cols: k, transposed: true }
          : { count: 1, ...geometry.a, transposed: false },
    },
    b: { tensor: right, matrices: { count: matrices, rows: n, cols: k, transposed: !transposed } },
    c: { tensor: c, matrices: cRows },
    ...(addend && { addend: { tensor: addend, matrices: cRows } }),
    columns: { each: n, all: matrices * n },
    transposed,
    isWeight: origin === 'initializer' || origin === 'constant',
  }
}

/** The same operands with the elements of another run on inputs of the same shapes. */
export function ofAnotherRun(known: Operands, planned: PlannedProduct, run: TappedRun): Operands {
  const moved = (operand: Operand, name: OperandName): Operand => {
    const gathered = run.rows(planned, name)
    if (gathered !== undefined) return { ...operand, tensor: { ...operand.tensor, gathered } }
    const tensor = name === 'b' ? rightTensor(planned, run) : run.operand(planned, name)
    return tensor === undefined || 'reason' in tensor ? operand : { ...operand, tensor }
  }
  const { a, b, c, addend } = known
  return {
    ...known,
    a: moved(a, 'a'),
    b: moved(b, 'b'),
    c: moved(c, 'c'),
    ...(addend && { addend: moved(addend, 'addend') }),
  }
}

/** A bias that the run computes is an addend where it has the elements of C: the third operand of Gemm may be either. */
function withAddend({ statement }: PlannedProduct, run: RunValues, c: TapTensor): Statement {
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

/** @returns Undefined for elements that no row can have. */
export function handleOf({ tensor, matrices }: Operand, keys: TensorKeys): TensorHandle | undefined {
  const elements = elementsOf(tensor)
  if (elements === undefined) return undefined
  const { count, rows, cols, transposed } = matrices
  const { dtype } = elements
  return {
    // Rows of their own have nothing to be recognised by.
    key: tensor.gathered ?? keys.of(tensor, `${count * rows}x${cols}${transposed ? `/${rows}` : ''}`),
    rows: count * rows,
    cols,
    dtype,
    read(wanted, allocate): Matrix {
      const total = wanted?.length ?? count * rows
      const { gathered } = tensor
      if (gathered !== undefined) {
        if (!areSame(wanted, gathered.rows)) throw new RangeError('other rows are read than were foreseen')
        const { buffer, byteOffset, byteLength } = gathered.data
        return { rows: total, cols, dtype, bytes: new Uint8Array(buffer, byteOffset, byteLength) }
      }
      const taken = wanted === undefined && !transposed ? tensor.takeOver?.() : undefined
      if (taken !== undefined) return { rows: total, cols, dtype, bytes: taken }
      const bytes = allocate(total * rowBytes({ cols, dtype }))
      copyRows(elements, matrices, wanted, bytes)
      return { rows: total, cols, dtype, bytes }
    },
  }
}

function areSame(wanted: Uint32Array | undefined, rows: Uint32Array): boolean {
  return wanted === rows || (wanted?.length === rows.length && wanted.every((row, i) => row === rows[i]))
}
