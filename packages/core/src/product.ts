import type { DType } from './dtype.ts'
import type { Layout } from './layout.ts'
import type { Matrix } from './matrix.ts'
import type { ProfileName } from './numerics/profile.ts'
import type { Derivation } from './relation/derivation.ts'

/**
 * One product as a tensor library executed it: C = activation(α·scales·(op(A) − a₀)·(op(B) − b₀) + β·(bias + addend)).
 *
 * The product is seen as a list of rows, which {@link Layout} finds in the tensors. The zero points a₀ and b₀ are those of
 * quantised operands; elsewhere they are absent, and so are the scales.
 */
export interface Product {
  /** As the library names it: 'BatchMatMul', 'Gemm', … */
  readonly operation: string
  /** Stable name in the model, where there is one. */
  readonly node?: string
  readonly layout: Layout
  /** A, cut into rows as the layout says. */
  readonly a: TensorHandle
  readonly b: RightOperand
  /** C, cut into rows as the layout says, exactly as the caller of the library receives it. */
  readonly c: TensorHandle
  /** Added to the product in the same operation, such as the other branch of a residual: cut into the rows of C. */
  readonly addend?: TensorHandle
  readonly zeroPoints?: ZeroPoints
  /** Neighbouring elements of a row of A, as many as this, that the operation rounds to 8 bits together: `quantizeRow`. */
  readonly roundedBlocks?: number
  readonly epilogue: Epilogue
  /** The arithmetic that the backend declares; the verifier's policy says which it accepts. */
  readonly profile: ProfileName
}

/** A tensor as rows, which can be recognised and copied. */
export interface TensorHandle {
  /** The same object for the same data read as the same rows: how a tensor used twice is committed once. */
  readonly key: object
  readonly rows: number
  readonly cols: number
  readonly dtype: DType
  /**
   * Copies rows out of the library. Called while the product is being observed; what it returns belongs to the caller,
   * who may hand its memory to another thread, and never changes. Memory that nobody else uses need not be copied. A backend whose data lives on a device may return a promise and must keep the tensor until then.
   *
   * @param rows - Row numbers, ascending; every row when omitted.
   * @param allocate - Supplies the destination of a copy.
   */
  read(rows: Uint32Array | undefined, allocate: Allocate): Matrix | Promise<Matrix>
  /**
   * How the library computed this tensor since the products before, where the backend can tell. Asked for during the product
   * and only when a manifest is recorded, so it may take its time.
   */
  derivation?(): Derivation | undefined
}

export type Allocate = (bytes: number) => Uint8Array

/** The handle of B. Its rows are the columns of op(B), matrix by matrix: [matrices × n, k]. */
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
  readonly byteLength: number
  /** Looked at only where key and length leave it open which tensor this is; may be read when it is. */
  readonly bytes: Uint8Array
}

/** Subtracted from the elements of quantised operands before they are multiplied. */
export interface ZeroPoints {
  readonly a: number
  /** Of the columns of op(B), matrix by matrix, or one for all of them. */
  readonly b?: VectorOperand
}

/** What turns A·B into C. Vectors have an element for each column of op(B), matrix by matrix, or one for all of them. */
export interface Epilogue {
  /** Factor of A·B. */
  readonly alpha: number
  /** Further factors, one for each column: the scales of a quantised B. */
  readonly scales?: VectorOperand
  /** Added to every row; an integer bias is added to an integer sum before it is scaled. */
  readonly bias?: VectorOperand
  /** Factor of the bias and of the addend; 1 when absent. */
  readonly beta?: number
  readonly activation: Activation
  /** Added to a result that is rounded to 8 bits. */
  readonly zeroPoint?: number
}

/** A public vector that is identified by its digest, like a weight. */
export interface VectorOperand {
  readonly length: number
  readonly dtype: DType
  stored(): StoredTensor | Promise<StoredTensor>
}

export type Activation =
  | { readonly name: 'linear' | 'relu' | 'relu6' | 'elu' | 'sigmoid' | 'tanh' }
  | { readonly name: 'leakyrelu'; readonly slope: number }
  | { readonly name: 'clip'; readonly least: number; readonly most: number }
  /** min(max(slope·x + offset, 0), 1). */
  | { readonly name: 'hardsigmoid'; readonly slope: number; readonly offset: number }
  | { readonly name: 'prelu'; readonly slopes: VectorOperand }

/** Something the backend saw but cannot state as a product. It is reported to the verifier and never counted as checked. */
export interface OpaqueOperation {
  readonly operation: string
  readonly node?: string
  readonly reason: string
}
