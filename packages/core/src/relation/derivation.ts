import type { VectorOperand } from '../product.ts'

/**
 * How a library computed a tensor from tensors that products gave or read, and from public ones: a graph whose inner steps
 * are {@link RelationStep}s. A step that is read twice is the same object. Elements are float32, row-major; binary steps
 * broadcast by NumPy's rules.
 *
 * The elements of the last step, in order, are those of the tensor that is derived, as its handle's rows. It says what
 * is computed, not how: an engine may fuse, reorder and round as it likes.
 */
export type Derivation =
  | DerivedTensor
  | DerivedWeight
  | DerivedNumber
  | Reshape<Derivation>
  | Transpose<Derivation>
  | Slice<Derivation>
  | Concat<Derivation>
  | Binary<Derivation>
  | Unary<Derivation>
  | Reduction<Derivation>
  | Softmax<Derivation>
  | Normalize<Derivation>

/** A tensor of a product before: the rows of a handle, one after the other, are the elements. */
export interface DerivedTensor {
  readonly op: 'tensor'
  /** The `key` of its handle. */
  readonly key: object
  readonly shape: readonly number[]
}

/** A public tensor. */
export interface DerivedWeight {
  readonly op: 'weight'
  readonly vector: VectorOperand
  readonly shape: readonly number[]
}

export interface DerivedNumber {
  readonly op: 'number'
  readonly value: number
}

/** A step over others. Axes count from 0. In shapes, null stands for what differs from run to run. */
export type RelationStep<Input> =
  | Reshape<Input>
  | Transpose<Input>
  | Slice<Input>
  | Concat<Input>
  | Binary<Input>
  | Unary<Input>
  | Reduction<Input>
  | Softmax<Input>
  | Normalize<Input>

export interface Reshape<Input> {
  readonly op: 'reshape'
  readonly x: Input
  readonly shape: readonly (number | null)[]
}

export interface Transpose<Input> {
  readonly op: 'transpose'
  readonly x: Input
  readonly permutation: readonly number[]
}

/** Elements from `start` up to `end` of an axis. Null: up to its end, stated wherever a slice reaches it, whatever its size is. */
export interface Slice<Input> {
  readonly op: 'slice'
  readonly x: Input
  readonly axis: number
  readonly start: number
  readonly end: number | null
}

export interface Concat<Input> {
  readonly op: 'concat'
  readonly of: readonly Input[]
  readonly axis: number
}

export interface Binary<Input> {
  readonly op: BinaryName
  readonly x: Input
  readonly y: Input
}

export interface Unary<Input> {
  readonly op: UnaryName
  readonly x: Input
}

export interface Reduction<Input> {
  readonly op: ReductionName
  readonly x: Input
  readonly axes: readonly number[]
  /** Whether the axes stay, with size 1. */
  readonly keepDims: boolean
}

export interface Softmax<Input> {
  readonly op: 'softmax'
  readonly x: Input
  readonly axis: number
}

/** (x − mean)/√(variance + epsilon) over the axes from `axis` to the last; where not `centred`, x/√(mean of x² + epsilon). */
export interface Normalize<Input> {
  readonly op: 'normalize'
  readonly x: Input
  readonly axis: number
  readonly epsilon: number
  readonly centred: boolean
}

export type BinaryName = (typeof binaryNames)[number]
export type UnaryName = (typeof unaryNames)[number]
export type ReductionName = (typeof reductionNames)[number]

export const binaryNames = ['add', 'subtract', 'multiply', 'divide', 'maximum', 'minimum'] as const
export const unaryNames = [
  'negate',
  'abs',
  'square',
  'sqrt',
  'reciprocal',
  'exp',
  'log',
  'erf',
  'tanh',
  'sigmoid',
] as const
export const reductionNames = ['sum', 'mean', 'max'] as const
