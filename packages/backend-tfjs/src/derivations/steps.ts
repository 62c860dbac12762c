import type { BinaryName, Derivation } from '@tensor-assay/core'

/** A tensor that a kernel reads. */
export interface Given {
  readonly step: Derivation
  readonly shape: readonly number[]
}

/** A call of a kernel of which all tensors are float32. */
export interface KernelCall {
  readonly inputs: Readonly<Record<string, Given>>
  readonly attrs: Readonly<Record<string, unknown>>
  /** Of the results. */
  readonly shapes: readonly (readonly number[])[]
}

/** @returns The results, or undefined if this call cannot be stated. */
export type Statement = (call: KernelCall) => Derivation | readonly Derivation[] | undefined

export function number(value: number): Derivation {
  return { op: 'number', value }
}

export function two(op: BinaryName, x: Derivation, y: Derivation): Derivation {
  return { op, x, y }
}

/** `size` elements of an axis, or all of them. */
export function part({ step: x, shape }: Given, axis: number, start: number, size: number): Derivation {
  if (size === shape[axis]) return x
  const end = start + size === shape[axis] ? null : start + size
  return { op: 'slice', x, axis, start, end }
}
