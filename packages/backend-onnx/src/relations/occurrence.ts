import type { Attributes, OnnxNode } from '@tensor-assay/onnx-model'
import { Underivable, type Value } from './steps.ts'

/** A node of which one output is to be stated. What is asked of its inputs throws {@link Underivable} if it is not known. */
export interface Occurrence {
  readonly node: OnnxNode
  readonly attributes: Attributes
  /** Which of its outputs. */
  readonly output: number
  /** Version of ONNX's own operators. */
  readonly opset: number
  /** Whether an optional input is given. */
  has(input: number): boolean
  value(input: number): Value
  /** An input that holds one number which is the same in every run. */
  number(input: number): number
  /** An input of whole numbers that follow from the model and from shapes. */
  integers(input: number): readonly number[]
  /** Whether that input has no axis. */
  isScalar(input: number): boolean
}

/** States an output of a node. @throws {Underivable} */
export type Rule = (occurrence: Occurrence) => Value

export type Rules = readonly (readonly [operator: string, Rule])[]

/** @param axis - From the front, or negative from the back. */
export function axisOf(axis: number, rank: number): number {
  const found = axis < 0 ? axis + rank : axis
  if (found < 0 || found > rank) throw new Underivable(`axis ${axis} of ${rank}`)
  return found
}

/** Axes that newer operators take as an input and older ones as an attribute; undefined where neither is given. */
export function axesOf({ has, integers, attributes }: Occurrence, rank: number): readonly number[] | undefined {
  const axes = has(1) ? integers(1) : attributes.ints('axes', undefined)
  return axes?.map((axis) => axisOf(axis, rank))
}
