import type { BinaryName, ReductionName } from './derivation.ts'
import { binary, constant, type Estimate, largest, mean, normalize, softmax, sum, unary } from './functions.ts'
import { inputsOf, type Relation, type RelationNode } from './relation.ts'
import { broadcast, filled, sizeOf, stridesOf } from './shapes.ts'

/** Where the elements of a relation come from, by their place in row-major order. */
export interface RelationSources {
  tensor(
    operation: number,
    tensor: TensorName,
  ): {
    /** As its layout has it. */
    readonly shape: readonly number[]
    readonly element: Elements
  }
  weight(digest: string): Elements
}

/** @throws Whatever stops an evaluation. */
export type Elements = (index: number) => number

/** The tensors of a product. */
export type TensorName = 'a' | 'b' | 'c' | 'addend'

/** The tensor that a relation gives, of which elements are evaluated as they are asked for. */
export interface DerivedElements {
  readonly shape: readonly number[]
  /** Writes the element at `index` into `out`. */
  at(index: number, out: Estimate): void
}

/** Elements along which sums are taken, at most. */
const maxLine = 2 ** 20

/** More would have to be computed than anybody is asked to. */
export class TooMuch extends Error {}

/**
 * Prepares the evaluation of a relation in float64, with a bound of how far the float32 value of an honest engine may lie
 * from each element. What it costs is decided by which elements are asked for.
 *
 * @param onStep - Called for each element of each step; may throw to end an evaluation.
 * @throws {RangeError} If the shapes of tensors do not fit the relation.
 * @throws {TooMuch} If a sum has more than 2²⁰ terms.
 */
export function evaluation(relation: Relation, sources: RelationSources, onStep?: () => void): DerivedElements {
  const readers = new Uint32Array(relation.length)
  for (const step of relation) for (const input of inputsOf(step)) readers[input]!++
  const nodes: DerivedElements[] = []
  for (const [i, step] of relation.entries()) {
    const inputs = inputsOf(step).map((input) => nodes[input]!)
    const node = elementsOf(step, inputs, sources)
    const told = onStep === undefined ? node : telling(node, onStep)
    nodes.push(readers[i]! > 1 ? remembering(told) : told)
  }
  return nodes.at(-1)!
}

function elementsOf(step: RelationNode, inputs: readonly DerivedElements[], sources: RelationSources): DerivedElements {
  const [x, y] = inputs
  switch (step.op) {
    case 'tensor': {
      const source = sources.tensor(step.operation, step.tensor)
      if (step.layout !== undefined) checkLayout(step.layout, source.shape)
      const shape = step.shape === undefined ? source.shape : filled(step.shape, sizeOf(source.shape))
      return exact(shape, source.element)
    }
    case 'weight':
      return exact(step.shape, sources.weight(step.digest))
    case 'number': {
      const { value, error } = constant(step.value)
      return {
        shape: [],
        at(_, out) {
          out.value = value
          out.error = error
        },
      }
    }
    case 'reshape':
      return { shape: filled(step.shape, sizeOf(x!.shape)), at: x!.at }
    case 'transpose':
      return transposed(x!, step.permutation)
    case 'slice':
      return sliced(x!, step.axis, step.start, step.end)
    case 'concat':
      return concatenated(inputs, step.axis)
    case 'add':
    case 'subtract':
    case 'multiply':
    case 'divide':
    case 'maximum':
    case 'minimum':
      return combined(step.op, x!, y!)
    case 'sum':
    case 'mean':
    case 'max':
      return reduced(step.op, x!, step.axes, step.keepDims)
    case 'softmax':
      checkAxis(x!, step.axis)
      return alongLines(x!, [step.axis], softmax)
    case 'normalize': {
      const { axis, epsilon, centred } = step
      checkAxis(x!, axis)
      const axes = Array.from({ length: x!.shape.length - axis }, (_, i) => axis + i)
      return alongLines(x!, axes, (values, errors) => normalize(values, errors, epsilon, centred))
    }
    default: {
      const own: Estimate = { value: 0.5, error: 0.5 }
      return {
        shape: x!.shape,
        at(index, out) {
          x!.at(index, own)
          unary(step.op, own, out)
        },
      }
    }
  }
}

function telling({ shape, at }: DerivedElements, onStep: () => void): DerivedElements {
  return {
    shape,
    at(index, out) {
      onStep()
      at(index, out)
    },
  }
}

/** Elements of which several steps ask for the same one in turn. */
function remembering({ shape, at }: DerivedElements): DerivedElements {
  const last: Estimate = { value: 0.5, error: 0.5 }
  let known = -1
  return {
    shape,
    at(index, out) {
      if (index !== known) at(index, last)
      known = index
      out.value = last.value
      out.error = last.error
    },
  }
}

function exact(shape: readonly number[], element: Elements): DerivedElements {
  return {
    shape,
    at(index, out) {
      out.value = element(index)
      out.error = 0
    },
  }
}

/** A tensor whose elements are those of `x` at other places. */
function moved(x: DerivedElements, shape: readonly number[], strides: readonly number[], offset: number) {
  const place = placeOf(shape, strides, offset)
  return { shape, at: (index: number, out: Estimate) => x.at(place(index), out) }
}

/** From the place of an element in a tensor of this shape to `offset` + Σ index·stride over its axes. */
function placeOf(shape: readonly number[], strides: readonly number[], offset = 0): (index: number) => number {
  return (index) => {
    let place = offset
    for (let axis = shape.length - 1; axis >= 0; axis--) {
      place += (index % shape[axis]!) * strides[axis]!
      index = Math.floor(index / shape[axis]!)
    }
    return place
  }
}

function transposed(x: DerivedElements, permutation: readonly number[]): DerivedElements {
  const isPermutation = new Set(permutation).size === x.shape.length && permutation.length === x.shape.length
  if (!isPermutation || permutation.some((axis) => axis >= x.shape.length)) {
    throw new RangeError(`[${permutation}] does not permute the axes of [${x.shape}]`)
  }
  const strides = stridesOf(x.shape)
  const shape = permutation.map((axis) => x.shape[axis]!)
  return moved(
    x,
    shape,
    permutation.map((axis) => strides[axis]!),
    0,
  )
}

function sliced(x: DerivedElements, axis: number, start: number, end: number | null): DerivedElements {
  checkAxis(x, axis)
  const size = x.shape[axis]!
  const until = Math.min(end ?? size, size)
  if (start > until) throw new RangeError(`an axis of ${size} has no elements from ${start} to ${until}`)
  const strides = stridesOf(x.shape)
  return moved(x, x.shape.with(axis, until - start), strides, start * strides[axis]!)
}

function concatenated(parts: readonly DerivedElements[], axis: number): DerivedElements {
  const [first] = parts
  for (const part of parts) {
    checkAxis(part, axis)
    if (String(part.shape.with(axis, 0)) !== String(first!.shape.with(axis, 0))) {
      throw new RangeError(`tensors of shapes [${first!.shape}] and [${part.shape}] do not join along axis ${axis}`)
    }
  }
  const total = parts.reduce((size, { shape }) => size + shape[axis]!, 0)
  const shape = first!.shape.with(axis, total)
  const inner = sizeOf(shape.slice(axis + 1))
  return {
    shape,
    at(index, out) {
      const outer = Math.floor(index / (total * inner))
      let along = Math.floor(index / inner) % total
      for (const part of parts) {
        const size = part.shape[axis]!
        if (along < size) return part.at((outer * size + along) * inner + (index % inner), out)
        along -= size
      }
    },
  }
}

function combined(name: BinaryName, x: DerivedElements, y: DerivedElements): DerivedElements {
  const shape = broadcast(x.shape, y.shape)
  const [placeX, placeY] = [x, y].map((input) => {
    const isWhole = input.shape.length === shape.length && input.shape.every((size, axis) => size === shape[axis])
    if (isWhole) return (index: number) => index
    const strides = stridesOf(input.shape)
    const missing = shape.length - input.shape.length
    const repeated = shape.map((_, axis) => ((input.shape[axis - missing] ?? 1) === 1 ? 0 : strides[axis - missing]!))
    return placeOf(shape, repeated)
  })
  const [ofX, ofY]: Estimate[] = [
    { value: 0.5, error: 0.5 },
    { value: 0.5, error: 0.5 },
  ]
  return {
    shape,
    at(index, out) {
      x.at(placeX!(index), ofX!)
      y.at(placeY!(index), ofY!)
      binary(name, ofX!, ofY!, out)
    },
  }
}

const reductions = { sum, mean, max: largest } as const

function reduced(name: ReductionName, x: DerivedElements, axes: readonly number[], keepDims: boolean): DerivedElements {
  for (const axis of axes) checkAxis(x, axis)
  const line = lineOf(x, axes)
  const others = x.shape.flatMap((size, axis) => (axes.includes(axis) ? [] : [size]))
  const first = line.start(others)
  return {
    shape: keepDims ? x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size)) : others,
    at: rememberingAll((index, out) => {
      const { values, errors } = line.read(first(index))
      reductions[name](values, errors, out)
    }),
  }
}

/** Applies `change` to all elements along some axes together. */
function alongLines(
  x: DerivedElements,
  axes: readonly number[],
  change: (values: Float64Array, errors: Float64Array) => void,
): DerivedElements {
  const { shape } = x
  const strides = stridesOf(shape)
  const line = lineOf(x, axes)
  const lines = new Map<number, Line>()
  const apart = shape.map((_, axis) => (axes.includes(axis) ? 0 : strides[axis]!))
  const startOf = placeOf(shape, apart)
  const within = stridesOf(axes.map((axis) => shape[axis]!))
  const placeIn = placeOf(
    shape,
    shape.map((_, axis) => (axes.includes(axis) ? within[axes.indexOf(axis)]! : 0)),
  )
  return {
    shape,
    at(index, out) {
      const start = startOf(index)
      let known = lines.get(start)
      if (known === undefined) {
        known = line.read(start)
        change(known.values, known.errors)
        lines.set(start, known)
      }
      const place = placeIn(index)
      out.value = known.values[place]!
      out.error = known.errors[place]!
    },
  }
}

interface Line {
  readonly values: Float64Array
  readonly errors: Float64Array
}

/** The elements that differ in their places along some axes only. */
function lineOf(x: DerivedElements, axes: readonly number[]) {
  const strides = stridesOf(x.shape)
  const sizes = axes.map((axis) => x.shape[axis]!)
  const length = sizeOf(sizes)
  if (length > maxLine) throw new TooMuch(`expected at most ${maxLine} elements together, got ${length}`)
  const offset = placeOf(
    sizes,
    axes.map((axis) => strides[axis]!),
  )
  const own: Estimate = { value: 0.5, error: 0.5 }
  return {
    /** Where the line begins that gives an element of the tensor without these axes. */
    start(others: readonly number[]): (index: number) => number {
      return placeOf(
        others,
        strides.filter((_, axis) => !axes.includes(axis)),
      )
    },
    read(start: number): Line {
      const values = new Float64Array(length)
      const errors = new Float64Array(length)
      for (let i = 0; i < length; i++) {
        x.at(start + offset(i), own)
        values[i] = own.value
        errors[i] = own.error
      }
      return { values, errors }
    },
  }
}

/** Elements that cost a whole line each. */
function rememberingAll(at: DerivedElements['at']): DerivedElements['at'] {
  const known = new Map<number, Estimate>()
  return (index, out) => {
    let result = known.get(index)
    if (result === undefined) {
      result = { value: 0.5, error: 0.5 }
      at(index, result)
      known.set(index, result)
    }
    out.value = result.value
    out.error = result.error
  }
}

function checkLayout(expected: readonly (number | null)[], shape: readonly number[]): void {
  const isExpected = expected.length === shape.length && expected.every((size, i) => size === null || size === shape[i])
  if (isExpected) return
  const wanted = expected.map((size) => size ?? '?')
  throw new RangeError(`it follows from a tensor of shape [${wanted}], and a layout of shape [${shape}] was declared`)
}

function checkAxis({ shape }: DerivedElements, axis: number): void {
  if (axis >= shape.length) throw new RangeError(`a tensor of shape [${shape}] has no axis ${axis}`)
}
