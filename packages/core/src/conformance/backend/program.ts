/** A tensor as plain numbers, row-major; a library of 16-bit types rounds what it is given and returns what that stands for. */
export interface PlainTensor {
  readonly shape: readonly number[]
  readonly data: Float32Array
}

/**
 * What a harness is asked to run. Values are numbered: first the inputs, then the results of the products in order. Each
 * input becomes one tensor of the library, each operand names a value.
 */
export interface Program {
  readonly inputs: readonly PlainTensor[]
  readonly operations: readonly ProgramOperation[]
}

export type ProgramOperation = MatMul | Conv2d | Assign

/** activation(alpha·op(A)·op(B) + beta·(bias + addend)), in one operation of the library. */
export interface MatMul extends Fused {
  readonly kind: 'matMul'
  readonly a: number
  readonly b: number
  readonly transposeA?: boolean
  readonly transposeB?: boolean
  readonly alpha?: number
  readonly beta?: number
}

/**
 * activation(convolution + bias + addend), in one operation of the library. Channels last: input [batch, height, width, channels],
 * filters [height, width, channels, filters]. Channels first: input [batch, channels, height, width], filters [filters,
 * channels of a group, height, width].
 */
export interface Conv2d extends Fused {
  readonly kind: 'conv2d'
  readonly x: number
  readonly filters: number
  readonly channelsLast: boolean
  readonly groups: number
  readonly strides: readonly [number, number]
  readonly dilations: readonly [number, number]
  /** Zeros before and after the input in each dimension. */
  readonly padding: readonly [number, number]
}

interface Fused {
  /** Shape [n]. */
  readonly bias?: number
  /** Of the shape of the result. */
  readonly addend?: number
  readonly activation?: 'relu' | 'relu6' | 'elu' | 'sigmoid' | 'tanh' | 'leakyrelu' | 'prelu' | 'clip' | 'hardsigmoid'
  /** Of `leakyrelu` and `hardsigmoid`. */
  readonly slope?: number
  /** Of `hardsigmoid`. */
  readonly offset?: number
  /** Of `prelu`, shape [n]. */
  readonly slopes?: number
  /** Of `clip`. */
  readonly least?: number
  readonly most?: number
}

/** Changes the elements of an input in place, by a function of the library that the backend knows. No value. */
export interface Assign {
  readonly kind: 'assign'
  readonly target: number
  readonly value: PlainTensor
}

/** Reproducible numbers around 0. */
export function numbers(shape: readonly number[], seed: number): PlainTensor {
  let state = Math.imul(seed + 1, 2654435761) >>> 0
  const data = Float32Array.from({ length: count(shape) }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  })
  return { shape, data }
}

export function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

/** One product, [5, 7] by [7, 3]. */
export function oneProduct(seed = 0): Program {
  return {
    inputs: [numbers([5, 7], 2 * seed), numbers([7, 3], 2 * seed + 1)],
    operations: [{ kind: 'matMul', a: 0, b: 1 }],
  }
}

/** `layers` products, each of which takes the result of the one before. */
export function layers(depth: number, seed = 0): Program {
  return {
    inputs: [numbers([5, 6], seed), ...Array.from({ length: depth }, (_, i) => numbers([6, 6], seed + 100 + i))],
    operations: Array.from({ length: depth }, (_, i) => ({ kind: 'matMul', a: i === 0 ? 0 : depth + i, b: 1 + i })),
  }
}
