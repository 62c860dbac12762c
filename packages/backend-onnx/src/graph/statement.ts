import type { BlockShape } from '@tensor-assay/onnx-model'

/**
 * What a node of the graph multiplies, before anything has run:
 * C = activation(α·factors·(op(A) − a₀)·(op(B) − b₀) + β·(bias + addend)), rounded to 8 bits where there is an output factor.
 *
 * All names are of values of the instrumented graph. Sizes are left to the run, which knows them.
 */
export interface Statement {
  readonly form: MatmulForm | ConvolutionForm
  readonly a: string
  readonly b: RightSide
  readonly c: string
  readonly alpha: number
  /** Scales of quantised operands: scalars, and for B possibly one for each column. */
  readonly factors: readonly Factor[]
  readonly zeroPoints: { readonly a?: string; readonly b?: string; readonly c?: string }
  readonly beta: number
  readonly bias?: string
  /** A tensor of the shape of C: the other branch of a residual connection. */
  readonly addend?: string
  /** Whether the bias is added to the sum of integers, before it is scaled. */
  readonly biasBeforeScale: boolean
  readonly activation: PlannedActivation
  readonly arithmetic: Arithmetic
}

/**
 * - `float`: in the type of A.
 * - `integer`: exact sums of 8-bit products, scaled where there are factors.
 * - `quantised-blocks`: as `float`; the CPU may round A to 8 bits first, in blocks of those of B.
 */
export type Arithmetic = 'float' | 'integer' | 'quantised-blocks'

export interface Factor {
  readonly value: string
  /** Divides instead: the scale of the output. */
  readonly inverse: boolean
}

/** Which values and initializers B is made of. */
export type RightSide =
  /** The value as it is. */
  | { readonly kind: 'value'; readonly value: string }
  /** Filters that ONNX Runtime reordered for its blocked convolutions; `unblockFilters` gives [out, in, height, width]. */
  | { readonly kind: 'blocked-filters'; readonly value: string; readonly outChannels: number }
  /** Integers of a few bits with a scale for each block; `dequantiseBlocks` gives [n, k] float32. */
  | ({ readonly kind: 'packed-blocks'; readonly value: string } & PackedBlocks)

export interface PackedBlocks extends BlockShape {
  readonly scales: string
  readonly zeroPoints?: string
}

/** As NumPy's matmul; with {@link Axes}, as an Einsum that needs no permuting. */
export interface MatmulForm {
  readonly kind: 'matmul'
  readonly transposeA: boolean
  readonly transposeB: boolean
  readonly axes?: Axes
}

/** How many neighbouring dimensions make up each size: A is [batch…, m…, k…] before transposing, B [batch…, k…, n…]. */
export interface Axes {
  readonly batchA: number
  readonly batchB: number
  readonly m: number
  readonly k: number
  readonly n: number
}

/** As ONNX's Conv: A [batch, channels, …], B [out, in of a group, …], C [batch, out, …]. */
export interface ConvolutionForm {
  readonly kind: 'convolution'
  readonly groups: number
  /** Absent: one for each spatial dimension. */
  readonly strides?: readonly number[]
  readonly dilations?: readonly number[]
  /** Before each dimension, then after each. Absent: none, or as `autoPad` says. */
  readonly pads?: readonly number[]
  readonly autoPad: 'NOTSET' | 'VALID' | 'SAME_UPPER' | 'SAME_LOWER'
}

export type PlannedActivation =
  | { readonly name: 'linear' | 'relu' | 'sigmoid' | 'tanh' }
  | { readonly name: 'leakyrelu' | 'elu'; readonly alpha: number }
  | { readonly name: 'hardsigmoid'; readonly slope: number; readonly offset: number }
  | { readonly name: 'clip'; readonly least: number; readonly most: number }

/** C = A·B. */
export const plainProduct = {
  alpha: 1,
  factors: [],
  zeroPoints: {},
  beta: 1,
  biasBeforeScale: false,
  activation: { name: 'linear' },
  arithmetic: 'float',
} as const satisfies Partial<Statement>
