import type { OnnxNode } from '@tensor-assay/onnx-model'
import { Attributes, type OnnxModel } from '@tensor-assay/onnx-model'
import { requiredInput } from '../graph/operator.ts'
import type { TapTensor } from '../taps/tap-tensor.ts'
import { axisOf } from './occurrence.ts'
import { sizeOf, Underivable } from './steps.ts'

/** Whole numbers that shapes are made of: a scalar or a list. */
export interface Integers {
  readonly isScalar: boolean
  readonly values: readonly number[]
}

/** Numbers of a list, at most. A shape has fewer. */
const maxIntegers = 1024

/** What whole numbers are computed from. Both throw {@link Underivable}. */
export interface IntegerSources {
  /** Numbers that another node computes. */
  integers(value: string): Integers
  shape(value: string): readonly number[]
}

/** The elements of a tensor of the model. @throws {Underivable} If they are not whole numbers, or too many. */
export function integersOf({ type, dims, bytes }: TapTensor): Integers {
  if (dims.length > 1 || sizeOf(dims) > maxIntegers) throw new Underivable(`integers of shape [${dims}]`)
  const isScalar = dims.length === 0
  const { buffer } = bytes().slice()
  switch (type) {
    case 'int64':
      return { isScalar, values: [...new BigInt64Array(buffer)].map(Number) }
    case 'int32':
      return { isScalar, values: [...new Int32Array(buffer)] }
    case 'bool':
      return { isScalar, values: [...new Uint8Array(buffer)] }
    default:
      throw new Underivable(`${type} where integers are expected`)
  }
}

/** The output of a node that computes whole numbers out of shapes and others. @throws {Underivable} */
export function computedIntegers(node: OnnxNode, model: OnnxModel, { integers, shape }: IntegerSources): Integers {
  const attributes = new Attributes(model, node)
  const input = (index: number) => integers(requiredInput(node, index))
  const list = (index: number) => input(index).values
  switch (node.domain === '' ? node.opType : '') {
    case 'Shape': {
      const dims = shape(requiredInput(node, 0))
      return { isScalar: false, values: dims.slice(attributes.int('start', 0), attributes.int('end', dims.length)) }
    }
    case 'Size':
      return { isScalar: true, values: [sizeOf(shape(requiredInput(node, 0)))] }
    case 'Identity':
      return input(0)
    case 'Cast': {
      const to = attributes.int('to', 0)
      if (to !== 6 && to !== 7) throw new Underivable(`a cast of integers to type ${to}`)
      return input(0)
    }
    case 'Squeeze':
      return { isScalar: true, values: list(0).length === 1 ? list(0) : unknown(node) }
    case 'Unsqueeze':
      return input(0).isScalar ? { isScalar: false, values: list(0) } : unknown(node)
    case 'Reshape':
      return list(1).length === 1 ? { isScalar: false, values: list(0) } : unknown(node)
    case 'Concat':
      return { isScalar: false, values: limited(node.inputs.flatMap((_, i) => list(i))) }
    case 'Gather': {
      const [values, indices] = [list(0), input(1)]
      const found = indices.values.map((index) => values[axisOf(index, values.length)] ?? Number.NaN)
      return { isScalar: indices.isScalar, values: found.includes(Number.NaN) ? unknown(node) : found }
    }
    case 'Slice': {
      if (node.inputs.length < 3) unknown(node)
      const values = list(0)
      const [[start = 0], [end = 0]] = [list(1), list(2)]
      const step = node.inputs.length > 4 ? list(4)[0] : 1
      return { isScalar: false, values: step === 1 ? values.slice(start, end) : unknown(node) }
    }
    case 'Add':
      return pairs(input(0), input(1), (a, b) => a + b)
    case 'Sub':
      return pairs(input(0), input(1), (a, b) => a - b)
    case 'Mul':
      return pairs(input(0), input(1), (a, b) => a * b)
    case 'Div':
      return pairs(input(0), input(1), (a, b) => (b === 0 ? unknown(node) : Math.trunc(a / b)))
    default:
      return unknown(node)
  }
}

function unknown({ opType }: OnnxNode): never {
  throw new Underivable(`integers of ${opType}`)
}

function limited(values: readonly number[]): readonly number[] {
  if (values.length > maxIntegers) throw new Underivable(`${values.length} integers`)
  return values
}

function pairs(a: Integers, b: Integers, compute: (a: number, b: number) => number): Integers {
  const [x, y] = [a.values, b.values]
  if (x.length !== y.length && x.length !== 1 && y.length !== 1) throw new Underivable('lists of different lengths')
  const length = Math.max(x.length, y.length)
  const values = Array.from({ length }, (_, i) => compute(x[x.length === 1 ? 0 : i]!, y[y.length === 1 ? 0 : i]!))
  return { isScalar: a.isScalar && b.isScalar, values }
}
