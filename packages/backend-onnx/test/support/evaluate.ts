import type { Derivation } from '@tensor-assay/core'

interface Tensor {
  readonly shape: readonly number[]
  readonly data: Float64Array
}

/** Elements of what a derivation is made of. */
export interface Leaves {
  tensor(key: object): Float64Array
}

/**
 * Computes every element of a derivation in float64 by the plainest means: this is what the steps mean, written a second
 * time.
 *
 * @throws {Error} If shapes do not fit.
 */
export function evaluate(derivation: Derivation, leaves: Leaves): Tensor {
  const known = new Map<Derivation, Tensor>()
  const visit = (step: Derivation): Tensor => {
    const found = known.get(step) ?? compute(step, leaves, visit)
    if (found.data.length !== sizeOf(found.shape)) {
      throw new Error(`${step.op} has ${found.data.length} elements and shape [${found.shape}]`)
    }
    known.set(step, found)
    return found
  }
  return visit(derivation)
}

function compute(step: Derivation, leaves: Leaves, visit: (step: Derivation) => Tensor): Tensor {
  switch (step.op) {
    case 'tensor':
      return { shape: step.shape, data: leaves.tensor(step.key) }
    case 'weight': {
      const stored = step.vector.stored()
      if (stored instanceof Promise) throw new Error('a promise')
      if (stored.byteLength !== 4 * step.vector.length) throw new Error(`a weight of ${stored.byteLength} bytes`)
      return { shape: step.shape, data: Float64Array.from(new Float32Array(stored.bytes.slice().buffer)) }
    }
    case 'number':
      return { shape: [], data: Float64Array.of(step.value) }
    case 'reshape':
      return { shape: step.shape as readonly number[], data: visit(step.x).data }
    case 'transpose': {
      const { shape } = visit(step.x)
      return picked(
        visit(step.x),
        step.permutation.map((axis) => shape[axis]!),
        (at) => {
          const from: number[] = []
          for (const [i, axis] of step.permutation.entries()) from[axis] = at[i]!
          return from
        },
      )
    }
    case 'slice': {
      const { shape } = visit(step.x)
      const size = (step.end ?? shape[step.axis]!) - step.start
      if (step.start + size > shape[step.axis]!) throw new Error(`a slice to ${step.end} of [${shape}]`)
      return picked(visit(step.x), shape.with(step.axis, size), (at) => at.with(step.axis, at[step.axis]! + step.start))
    }
    case 'concat': {
      const parts = step.of.map(visit)
      const along = parts.reduce((sum, { shape }) => sum + shape[step.axis]!, 0)
      const shape = parts[0]!.shape.with(step.axis, along)
      return tensorOf(shape, (at) => {
        let i = at[step.axis]!
        for (const part of parts) {
          if (i < part.shape[step.axis]!) return elementOf(part, at.with(step.axis, i))
          i -= part.shape[step.axis]!
        }
        throw new Error(`nothing at ${at}`)
      })
    }
    case 'add':
      return both(visit(step.x), visit(step.y), (a, b) => a + b)
    case 'subtract':
      return both(visit(step.x), visit(step.y), (a, b) => a - b)
    case 'multiply':
      return both(visit(step.x), visit(step.y), (a, b) => a * b)
    case 'divide':
      return both(visit(step.x), visit(step.y), (a, b) => a / b)
    case 'maximum':
      return both(visit(step.x), visit(step.y), Math.max)
    case 'minimum':
      return both(visit(step.x), visit(step.y), Math.min)
    case 'sum':
    case 'mean':
    case 'max':
      return reduced(visit(step.x), step.axes, step.keepDims, (values) => reductions[step.op](values))
    case 'softmax': {
      const x = visit(step.x)
      const exponentials = both(x, reduced(x, [step.axis], true, reductions.max), (a, b) => Math.exp(a - b))
      return both(exponentials, reduced(exponentials, [step.axis], true, reductions.sum), (a, b) => a / b)
    }
    case 'normalize': {
      const x = visit(step.x)
      const axes = x.shape.map((_, i) => i).slice(step.axis)
      const centred = step.centred ? both(x, reduced(x, axes, true, reductions.mean), (a, b) => a - b) : x
      const squares = both(centred, centred, (a, b) => a * b)
      const spread = reduced(squares, axes, true, (values) => Math.sqrt(reductions.mean(values) + step.epsilon))
      return both(centred, spread, (a, b) => a / b)
    }
    default: {
      const { shape, data } = visit(step.x)
      return { shape, data: data.map(functions[step.op]) }
    }
  }
}

const functions = {
  negate: (x: number) => -x,
  abs: Math.abs,
  square: (x: number) => x * x,
  sqrt: Math.sqrt,
  reciprocal: (x: number) => 1 / x,
  exp: Math.exp,
  log: Math.log,
  erf,
  tanh: Math.tanh,
  sigmoid: (x: number) => 1 / (1 + Math.exp(-x)),
} as const

/** 2/√π·Σ (−1)ⁿ·x²ⁿ⁺¹/(n!·(2n + 1)), which is exact enough for the small numbers of tests. */
function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x)
  let [power, sum] = [x, x]
  for (let n = 1; n < 80; n++) {
    power *= (-x * x) / n
    sum += power / (2 * n + 1)
  }
  return (sum * 2) / Math.sqrt(Math.PI)
}

const reductions = {
  sum: (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0),
  mean: (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length,
  max: (values: readonly number[]) => Math.max(...values),
} as const

function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

function placeOf(index: number, shape: readonly number[]): number[] {
  let rest = index
  return shape
    .toReversed()
    .map((size) => {
      const at = rest % size
      rest = Math.floor(rest / size)
      return at
    })
    .reverse()
}

function elementOf({ shape, data }: Tensor, at: readonly number[]): number {
  return data[at.reduce((index, i, axis) => index * shape[axis]! + i, 0)]!
}

function tensorOf(shape: readonly number[], element: (at: readonly number[]) => number): Tensor {
  return { shape, data: Float64Array.from({ length: sizeOf(shape) }, (_, i) => element(placeOf(i, shape))) }
}

function picked(x: Tensor, shape: readonly number[], from: (at: readonly number[]) => readonly number[]): Tensor {
  return tensorOf(shape, (at) => elementOf(x, from(at)))
}

function both(x: Tensor, y: Tensor, f: (a: number, b: number) => number): Tensor {
  const rank = Math.max(x.shape.length, y.shape.length)
  const wide = (shape: readonly number[]) => [...new Array<number>(rank - shape.length).fill(1), ...shape]
  const [a, b] = [wide(x.shape), wide(y.shape)]
  const shape = a.map((size, i) => {
    if (size !== b[i] && size !== 1 && b[i] !== 1) throw new Error(`[${x.shape}] and [${y.shape}]`)
    return size === 1 ? b[i]! : size
  })
  const at = (sizes: readonly number[], place: readonly number[]) => place.map((i, axis) => (sizes[axis] === 1 ? 0 : i))
  return tensorOf(shape, (place) =>
    f(elementOf({ shape: a, data: x.data }, at(a, place)), elementOf({ shape: b, data: y.data }, at(b, place))),
  )
}

function reduced(
  x: Tensor,
  axes: readonly number[],
  keepDims: boolean,
  f: (values: readonly number[]) => number,
): Tensor {
  const kept = x.shape.map((size, axis) => (axes.includes(axis) ? 1 : size))
  const groups = new Map<string, number[]>()
  for (const [i, value] of x.data.entries()) {
    const key = placeOf(i, x.shape)
      .map((at, axis) => (axes.includes(axis) ? 0 : at))
      .join()
    const group = groups.get(key)
    if (group === undefined) groups.set(key, [value])
    else group.push(value)
  }
  const { data } = tensorOf(kept, (at) => f(groups.get(at.join())!))
  return { shape: keepDims ? kept : x.shape.filter((_, axis) => !axes.includes(axis)), data }
}
