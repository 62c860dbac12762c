import { batchShape, type ConvolutionLayout, type Layout, type MatmulLayout } from '@tensor-assay/core'
import type { ConvolutionForm, MatmulForm } from './statement.ts'

/** Shapes of a product's tensors in one run. */
export interface Shapes {
  readonly a: readonly number[]
  /** As the statement's right side is read: [n, k] for packed blocks, [out, in, height, width] for blocked filters. */
  readonly b: readonly number[]
  readonly c: readonly number[]
}

/**
 * How the rows of a product lie in its tensors, or why that cannot be said. A run of a real model never contradicts its
 * statement; a graph that was tampered with may.
 */
export function layoutOf(form: MatmulForm | ConvolutionForm, shapes: Shapes): Layout | { readonly reason: string } {
  const layout = form.kind === 'matmul' ? matmulLayout(form, shapes) : convolutionLayout(form, shapes)
  return layout ?? { reason: `operands of shapes [${shapes.a}] and [${shapes.b}] and a result of shape [${shapes.c}]` }
}

function matmulLayout(form: MatmulForm, { a, b, c }: Shapes): MatmulLayout | undefined {
  const left = form.axes ? axesOf(a, form.axes.batchA, form.axes.m, form.axes.k, form.transposeA) : numpyAxes(a, 'row')
  const right = form.axes
    ? axesOf(b, form.axes.batchB, form.axes.k, form.axes.n, form.transposeB)
    : numpyAxes(b, 'column')
  if (left === undefined || right === undefined) return undefined
  // With axes the sizes are named already; without, transposing swaps the last two.
  const [m, k] = form.transposeA && !form.axes ? [left.cols, left.rows] : [left.rows, left.cols]
  const [k2, n] = form.transposeB && !form.axes ? [right.cols, right.rows] : [right.rows, right.cols]
  if (k !== k2) return undefined
  const layout: MatmulLayout = { kind: 'matmul', m, k, n, aBatch: left.batch, bBatch: right.batch }
  try {
    return count(batchShape(layout)) * m * n === count(c) ? layout : undefined
  } catch {
    return undefined
  }
}

interface MatrixAxes {
  readonly batch: readonly number[]
  readonly rows: number
  readonly cols: number
}

/** A tensor as NumPy multiplies it: a vector is a row on the left and a column on the right. */
function numpyAxes(shape: readonly number[], vector: 'row' | 'column'): MatrixAxes | undefined {
  if (shape.length === 0) return undefined
  if (shape.length === 1) {
    return vector === 'row' ? { batch: [], rows: 1, cols: shape[0]! } : { batch: [], rows: shape[0]!, cols: 1 }
  }
  const [rows, cols] = shape.slice(-2) as [number, number]
  return { batch: shape.slice(0, -2), rows, cols }
}

/** The first of two groups of dimensions behind the batch as rows, in whichever order they lie. */
function axesOf(
  shape: readonly number[],
  batch: number,
  first: number,
  second: number,
  swapped: boolean,
): MatrixAxes | undefined {
  if (shape.length !== batch + first + second) return undefined
  const middle = batch + (swapped ? second : first)
  const sizes = [count(shape.slice(batch, middle)), count(shape.slice(middle))] as const
  const [rows, cols] = swapped ? [sizes[1], sizes[0]] : sizes
  return { batch: shape.slice(0, batch), rows, cols }
}

/** @see https://onnx.ai/onnx/operators/onnx__Conv.html */
function convolutionLayout(form: ConvolutionForm, { a, b, c }: Shapes): ConvolutionLayout | undefined {
  const { groups } = form
  const dimensions = a.length - 2
  if (dimensions < 1 || dimensions > 3 || b.length !== a.length || c.length !== a.length) return undefined
  const [batch, inChannels, ...input] = a as [number, number, ...number[]]
  const [outChannels, groupChannels, ...kernel] = b as [number, number, ...number[]]
  const [cBatch, cChannels, ...output] = c as [number, number, ...number[]]
  if (cBatch !== batch || cChannels !== outChannels || groupChannels * groups !== inChannels) return undefined
  if (groups < 1 || outChannels % groups !== 0) return undefined
  const ones = new Array<number>(dimensions).fill(1)
  const strides = form.strides ?? ones
  const dilations = form.dilations ?? ones
  const pads = form.pads ?? new Array<number>(2 * dimensions).fill(0)
  if (strides.length !== dimensions || dilations.length !== dimensions || pads.length !== 2 * dimensions)
    return undefined
  const padding = input.map((size, d) => {
    if (form.autoPad === 'NOTSET') return pads[d]!
    if (form.autoPad === 'VALID') return 0
    const reach = (output[d]! - 1) * strides[d]! + (kernel[d]! - 1) * dilations[d]! + 1
    const total = Math.max(0, reach - size)
    return form.autoPad === 'SAME_UPPER' ? Math.floor(total / 2) : Math.ceil(total / 2)
  })
  return {
    kind: 'convolution',
    channelsLast: false,
    batch,
    groups,
    inChannels,
    outChannels,
    input,
    output,
    kernel,
    strides,
    dilations,
    padding,
  }
}

function count(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1)
}
