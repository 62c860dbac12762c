import { batchShape, type Layout } from '../layout.ts'

/** Elements of a tensor of this shape. */
export function sizeOf(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}

/** Elements between neighbours along each axis. */
export function stridesOf(shape: readonly number[]): number[] {
  const strides = new Array<number>(shape.length)
  let stride = 1
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    strides[axis] = stride
    stride *= shape[axis]!
  }
  return strides
}

/**
 * The shape with its free size filled in.
 *
 * @param elements - What it must hold.
 * @throws {RangeError} If it cannot.
 */
export function filled(shape: readonly (number | null)[], elements: number): number[] {
  const known = shape.reduce<number>((product, size) => product * (size ?? 1), 1)
  const free = known === 0 ? 0 : elements / known
  const full = shape.map((size) => size ?? free)
  if (!full.every(Number.isSafeInteger) || sizeOf(full) !== elements) {
    throw new RangeError(`${elements} elements do not have the shape [${shape.map((size) => size ?? '?')}]`)
  }
  return full
}

/** @throws {RangeError} If the shapes do not broadcast. */
export function broadcast(x: readonly number[], y: readonly number[]): number[] {
  const rank = Math.max(x.length, y.length)
  return Array.from({ length: rank }, (_, i) => {
    const a = x[i - rank + x.length] ?? 1
    const b = y[i - rank + y.length] ?? 1
    if (a !== b && a !== 1 && b !== 1) throw new RangeError(`shapes [${x}] and [${y}] do not broadcast`)
    return a === 1 ? b : a
  })
}

/** The shape in which a layout sees a tensor, whose rows are committed one after the other. */
export function shapeInLayout(layout: Layout, tensor: 'a' | 'b' | 'c' | 'addend'): number[] {
  if (layout.kind === 'matmul') {
    const { m, k, n, aBatch, bBatch } = layout
    if (tensor === 'a') return [...aBatch, m, k]
    // The columns of op(B) are its rows.
    return tensor === 'b' ? [...bBatch, n, k] : [...batchShape(layout), m, n]
  }
  const { channelsLast, batch, groups, inChannels, outChannels, input, output, kernel } = layout
  if (tensor === 'b') return [outChannels, (inChannels / groups) * sizeOf(kernel)]
  const [channels, space] = tensor === 'a' ? [inChannels, input] : [outChannels, output]
  return channelsLast ? [batch, ...space, channels] : [batch, channels, ...space]
}
