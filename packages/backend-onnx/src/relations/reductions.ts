import type { ReductionName } from '@tensor-assay/core'
import { axesOf, axisOf, type Occurrence, type Rules } from './occurrence.ts'
import { reduced, softmax, Underivable, unary, type Value } from './steps.ts'

/** Operators that take the elements along axes together. */
export const reductionRules: Rules = [
  [':ReduceSum', (at) => reduction('sum', at)],
  [':ReduceMean', (at) => reduction('mean', at)],
  [':ReduceMax', (at) => reduction('max', at)],
  [':ReduceL2', (at) => unary('sqrt', reduction('sum', at, unary('square', at.value(0))))],
  [':ReduceSumSquare', (at) => reduction('sum', at, unary('square', at.value(0)))],
  [':Softmax', softmaxOf],
]

function reduction(op: ReductionName, at: Occurrence, x = at.value(0)): Value {
  const given = axesOf(at, x.shape.length)
  const isEmpty = given === undefined || given.length === 0
  if (isEmpty && at.attributes.int('noop_with_empty_axes', 0) !== 0) return x
  const axes = isEmpty ? x.shape.map((_, i) => i) : given.toSorted((a, b) => a - b)
  return reduced(op, x, axes, at.attributes.int('keepdims', 1) !== 0)
}

/** Before operator set 13 all axes from the given one on counted as one. */
function softmaxOf({ value, attributes, opset }: Occurrence): Value {
  const x = value(0)
  const rank = x.shape.length
  const axis = axisOf(attributes.int('axis', opset < 13 ? 1 : -1), rank)
  if (opset < 13 && axis !== rank - 1) throw new Underivable('a softmax over several axes')
  return softmax(x, axis)
}
