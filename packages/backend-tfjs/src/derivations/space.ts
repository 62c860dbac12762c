import type { Derivation } from '@tensor-assay/core'
import { number, part, type Statement, two } from './steps.ts'

/** A pooling of windows that lie side by side within [batch, height, width, channels]; of others none is stated. */
export function pooled(op: 'max' | 'mean'): Statement {
  return ({ inputs, attrs, shapes }) => {
    const { step, shape } = inputs.x!
    const [window, strides] = [pairOf(attrs.filterSize), pairOf(attrs.strides)]
    const [batch, height, width, channels] = shapes[0] as [number, number, number, number]
    const used = [height * window[0], width * window[1]] as const
    const isApart = window[0] === strides[0] && window[1] === strides[1]
    if (shape.length !== 4 || !isApart || used[0] > shape[1]! || used[1] > shape[2]!) return undefined
    const isInside = attrs.pad === 'same' ? String(used) === String(shape.slice(1, 3)) : isNone(attrs.pad)
    if (!isInside) return undefined
    const rows = part({ step, shape }, 1, 0, used[0])
    const x = part({ step: rows, shape }, 2, 0, used[1])
    const windows = [batch, height, window[0], width, window[1], channels]
    return { op, x: { op: 'reshape', x, shape: windows }, axes: [2, 4], keepDims: false }
  }
}

/** A constant around a tensor. It is made of elements of the tensor times 0, so there must be as many. */
export const padded: Statement = ({ inputs, attrs }) => {
  const { step, shape } = inputs.x!
  const paddings = attrs.paddings as readonly (readonly [number, number])[]
  const value = attrs.constantValue as number
  if (!Number.isFinite(value) || paddings.some((sizes, axis) => Math.max(...sizes) > shape[axis]!)) return undefined
  let x = step
  const sizes = [...shape]
  for (const [axis, [before, after]] of paddings.entries()) {
    const around = (size: number): Derivation[] => {
      const zeros = two('multiply', part({ step: x, shape: sizes }, axis, 0, size), number(0))
      return size === 0 ? [] : [value === 0 ? zeros : two('add', zeros, number(value))]
    }
    const of = [...around(before), x, ...around(after)]
    if (of.length > 1) x = { op: 'concat', of, axis }
    sizes[axis]! += before + after
  }
  return x
}

function isNone(pad: unknown): boolean {
  return pad === 'valid' || pad === 0
}

function pairOf(value: unknown): readonly [number, number] {
  return typeof value === 'number' ? [value, value] : (value as [number, number])
}
