import type { DType } from './dtype.ts'
import type { Matrix } from './matrix.ts'
import type { ProfileName } from './numerics/profile.ts'

/**
 * One product as a tensor library executed it: C = activation(α·op(A)·op(B) + bias).
 *
 * The product is seen as a list of rows. Row r of C, shape [n], is row `operandRows(layout, r).a` of op(A), shape [k],
 * times the matrix `operandRows(layout, r).b` of op(B), shape [k, n]. Batch dimensions are flattened into rows.
 */
export interface Product {
  /** As the library names it: 'BatchMatMul', 'Gemm', … */
  readonly operation: string
  /** Stable name in the model, where there is one. */
  readonly node?: string
  readonly layout: Layout
  /** op(A) as rows: [aBatch × m, k]. */
  readonly a: TensorHandle
  readonly b: RightOperand
  /** C as rows: [batch × m, n], exactly as the caller of the library receives it. */
  readonly c: TensorHandle
  readonly epilogue: Epilogue
  /** The arithmetic that the backend declares; the verifier's policy says which it accepts. */
  readonly profile: ProfileName
}

/** Sizes of a product. The batch shapes broadcast against each other by NumPy's rules (aligned right, 1 repeats). */
export interface Layout {
  readonly m: number
  readonly k: number
  readonly n: number
  readonly aBatch: readonly number[]
  readonly bBatch: readonly number[]
}

/** A tensor as rows, which can be recognised and copied. */
export interface TensorHandle {
  /** The same object for the same data read as the same rows: how a tensor used twice is committed once. */
  readonly key: object
  readonly rows: number
  readonly cols: number
  readonly dtype: DType
  /**
   * Copies rows out of the library. Called while the product is being observed; what it returns belongs to the caller
   * and never changes. A backend whose data lives on a device may return a promise and must keep the tensor until then.
   *
   * @param rows - Row numbers, ascending; every row when omitted.
   * @param allocate - Supplies the destination.
   */
  read(rows: Uint32Array | undefined, allocate: Allocate): Matrix | Promise<Matrix>
}

export type Allocate = (bytes: number) => Uint8Array

/** The handle of B. Its rows are the columns of op(B), matrix by matrix: [bBatch × n, k]. */
export interface RightOperand extends TensorHandle {
  /** Whether the library holds each matrix as [n, k] (true) or as [k, n] (false). */
  readonly transposed: boolean
  /** What the backend knows of B: a candidate may be a public weight; an activation was computed by the run itself. */
  readonly role: 'candidate' | 'activation'
  /** The bytes as the library holds them, for {@link weightDigest}; the view is valid during the call only. */
  stored(): StoredTensor | Promise<StoredTensor>
}

/** A whole tensor in the library's own order. */
export interface StoredTensor {
  readonly key: object
  readonly dtype: DType
  readonly bytes: Uint8Array
}

/** What turns α·A·B into C. */
export interface Epilogue {
  /** Factor of A·B. */
  readonly alpha: number
  /** Added to every row: `bytes` holds n elements, or one for all columns. */
  readonly bias?: VectorOperand
  readonly activation: Activation
}

/** A public vector that is identified by its digest, like a weight. */
export interface VectorOperand {
  readonly length: number
  stored(): StoredTensor | Promise<StoredTensor>
}

export type Activation =
  | { readonly name: 'linear' | 'relu' | 'relu6' | 'elu' | 'sigmoid' }
  | { readonly name: 'leakyrelu'; readonly slope: number }
  | { readonly name: 'prelu'; readonly slopes: VectorOperand }

/** Something the backend saw but cannot state as a product. It is reported to the verifier and never counted as checked. */
export interface OpaqueOperation {
  readonly operation: string
  readonly node?: string
  readonly reason: string
}

/** C's batch shape: the two batch shapes broadcast. @throws {RangeError} If they do not broadcast. */
export function batchShape(layout: Layout): number[] {
  const { aBatch, bBatch } = layout
  const rank = Math.max(aBatch.length, bBatch.length)
  return Array.from({ length: rank }, (_, i) => {
    const a = aBatch[i - rank + aBatch.length] ?? 1
    const b = bBatch[i - rank + bBatch.length] ?? 1
    if (a !== b && a !== 1 && b !== 1) {
      throw new RangeError(`batch shapes [${aBatch}] and [${bBatch}] do not broadcast`)
    }
    return a === 1 ? b : a
  })
}

const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

/** Sizes as rows: C is [rows, n], op(A) is [aRows, k], and B is `matrices` matrices of [k, n]. */
export function rowCounts(layout: Layout): { rows: number; aRows: number; matrices: number } {
  return {
    rows: count(batchShape(layout)) * layout.m,
    aRows: count(layout.aBatch) * layout.m,
    matrices: count(layout.bBatch),
  }
}

/** Which row of op(A) and which matrix of op(B) make row `r` of C. */
export function operandRows(layout: Layout, r: number): { a: number; b: number } {
  const shape = batchShape(layout)
  let rest = Math.floor(r / layout.m)
  let a = 0
  let b = 0
  let aStride = 1
  let bStride = 1
  for (let fromRight = 1; fromRight <= shape.length; fromRight++) {
    const index = rest % shape[shape.length - fromRight]!
    rest = Math.floor(rest / shape[shape.length - fromRight]!)
    const aSize = layout.aBatch[layout.aBatch.length - fromRight] ?? 1
    const bSize = layout.bBatch[layout.bBatch.length - fromRight] ?? 1
    if (aSize !== 1) a += index * aStride
    if (bSize !== 1) b += index * bStride
    aStride *= aSize
    bStride *= bSize
  }
  return { a: a * layout.m + (r % layout.m), b }
}
