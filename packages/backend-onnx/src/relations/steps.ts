import type { BinaryName, Derivation, ReductionName, UnaryName } from '@tensor-assay/core'

/** A value of the graph as steps, with the shape that it has in this run. */
export interface Value {
  readonly derivation: Derivation
  readonly shape: readonly number[]
  /** What a reshape or transpose is of, so that the next one can take its place. */
  readonly of?: Value
}

/** A value that cannot be stated as steps, and why. */
export class Underivable extends Error {}

export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

/** A number has no axes in a derivation, whatever the shape of the tensor that holds it. */
export function numberOf(value: number, shape: readonly number[] = []): Value {
  if (!Number.isFinite(value)) throw new Underivable(`the number ${value}`)
  return { derivation: { op: 'number', value }, shape }
}

/** What a step may have, at most: see the relations of manifests. */
const [maxRank, maxParts] = [8, 64]

/** Which steps there are depends on the graph and never on sizes, so that runs on other sizes are stated alike. */
export function reshaped(x: Value, shape: readonly number[]): Value {
  if (sizeOf(shape) !== sizeOf(x.shape)) throw new Underivable(`a reshape of [${x.shape}] to [${shape}]`)
  if (shape.length > maxRank) throw new Underivable(`${shape.length} axes`)
  if (isNumber(x)) return { ...x, shape }
  const of = x.derivation.op === 'reshape' && x.of ? x.of : x
  return { derivation: { op: 'reshape', x: of.derivation, shape }, shape, of }
}

/** @param permutation - The axis of `x` that each axis of the result is. */
export function transposed(x: Value, permutation: readonly number[]): Value {
  const shape = permutation.map((axis) => x.shape[axis]!)
  if (isNumber(x)) return { ...x, shape }
  if (x.derivation.op === 'transpose' && x.of) {
    const before = x.derivation.permutation
    return transposed(
      x.of,
      permutation.map((axis) => before[axis]!),
    )
  }
  if (permutation.every((axis, i) => axis === i)) return x
  return { derivation: { op: 'transpose', x: x.derivation, permutation }, shape, of: x }
}

export function sliced(x: Value, axis: number, start: number, end: number): Value {
  if (isNumber(x)) throw new Underivable('a part of a number')
  const shape = x.shape.map((size, i) => (i === axis ? end - start : size))
  const until = end === x.shape[axis] ? null : end
  return { derivation: { op: 'slice', x: x.derivation, axis, start, end: until }, shape }
}

export function concatenated(of: readonly Value[], axis: number): Value {
  if (of.length === 0 || of.some(isNumber)) throw new Underivable('numbers one after the other')
  if (of.length > maxParts) throw new Underivable(`${of.length} parts`)
  const along = of.reduce((sum, { shape }) => sum + shape[axis]!, 0)
  const shape = of[0]!.shape.map((size, i) => (i === axis ? along : size))
  return { derivation: { op: 'concat', of: of.map(({ derivation }) => derivation), axis }, shape }
}

/** Copies of an axis of size 1: there is no step that repeats, and copies one after the other are the same. */
export function repeated(x: Value, axis: number, times: number): Value {
  if (x.shape[axis] !== 1 || times > maxParts) throw new Underivable(`${times} copies of [${x.shape}]`)
  return concatenated(new Array<Value>(times).fill(x), axis)
}

export function binary(op: BinaryName, x: Value, y: Value): Value {
  const derivation: Derivation = { op, x: x.derivation, y: y.derivation }
  return withShape(derivation, broadcast(derivedShape(x), derivedShape(y)), broadcast(x.shape, y.shape))
}

export function unary(op: UnaryName, x: Value): Value {
  return withShape({ op, x: x.derivation }, derivedShape(x), x.shape)
}

export function reduced(op: ReductionName, x: Value, axes: readonly number[], keepDims: boolean): Value {
  const shape = x.shape.flatMap((size, i) => (!axes.includes(i) ? [size] : keepDims ? [1] : []))
  if (isNumber(x)) return { ...x, shape }
  return { derivation: { op, x: x.derivation, axes, keepDims }, shape }
}

export function softmax(x: Value, axis: number): Value {
  if (isNumber(x)) throw new Underivable('the softmax of a number')
  return { derivation: { op: 'softmax', x: x.derivation, axis }, shape: x.shape }
}

export function normalized(x: Value, axis: number, epsilon: number, centred: boolean): Value {
  if (isNumber(x)) throw new Underivable('the normalisation of a number')
  return { derivation: { op: 'normalize', x: x.derivation, axis, epsilon, centred }, shape: x.shape }
}

function isNumber({ derivation }: Value): boolean {
  return derivation.op === 'number'
}

function derivedShape(x: Value): readonly number[] {
  return isNumber(x) ? [] : x.shape
}

/** @param derived - The shape that the derivation has, which lacks leading axes where numbers are involved. */
function withShape(derivation: Derivation, derived: readonly number[], shape: readonly number[]): Value {
  if (derived.length === shape.length) return { derivation, shape }
  return reshaped({ derivation, shape: derived }, shape)
}

/** @see https://numpy.org/doc/stable/user/basics.broadcasting.html */
function broadcast(x: readonly number[], y: readonly number[]): readonly number[] {
  const rank = Math.max(x.length, y.length)
  return Array.from({ length: rank }, (_, i) => {
    const [a, b] = [x[i - rank + x.length] ?? 1, y[i - rank + y.length] ?? 1]
    if (a !== b && a !== 1 && b !== 1) throw new Underivable(`operands of shapes [${x}] and [${y}]`)
    return a === 1 ? b : a
  })
}
