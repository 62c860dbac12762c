import type { BackendCapability, BackendCase } from '../backend.ts'
import { type MatMul, numbers, type Program } from './program.ts'
import { checkWatched } from './statement.ts'
import { watch } from './watch.ts'

type Shape = readonly number[]

/** A program of one matMul, with a bias, slopes of `n` elements and an addend where the operation names them. */
export interface Variant {
  readonly name: string
  readonly requires?: readonly BackendCapability[]
  readonly program: Program
}

function variant(
  name: string,
  a: Shape,
  b: Shape,
  options: Partial<MatMul> = {},
  requires: readonly BackendCapability[] = [],
): Variant {
  const n = b.at(options.transposeB ? -2 : -1)!
  const m = a.at(options.transposeA ? -1 : -2)!
  const vectors = [numbers([n], 3), numbers([n], 4)]
  return {
    name,
    requires,
    program: {
      inputs: [numbers(a, 1), numbers(b, 2), ...vectors, numbers([...a.slice(0, -2), m, n], 5)],
      operations: [{ kind: 'matMul', a: 0, b: 1, ...options }],
    },
  }
}

const biasAt = 2
const slopesAt = 3
const addendAt = 4

/** Each way of multiplying matrices. */
export const variants: readonly Variant[] = [
  variant('plain', [5, 7], [7, 3]),
  variant('square', [6, 6], [6, 6]),
  variant('many terms', [3, 300], [300, 4]),
  variant('one row', [1, 7], [7, 3]),
  variant('one column', [5, 7], [7, 1]),
  variant('one term', [5, 1], [1, 3]),
  variant('A transposed', [7, 5], [7, 3], { transposeA: true }, ['transposed']),
  variant('B transposed', [5, 7], [3, 7], { transposeB: true }, ['transposed']),
  variant('both transposed', [7, 5], [3, 7], { transposeA: true, transposeB: true }, ['transposed']),
  variant('square, B transposed', [6, 6], [6, 6], { transposeB: true }, ['transposed']),
  variant('batched', [4, 5, 7], [4, 7, 3], {}, ['batched']),
  variant('batched in two dimensions', [2, 3, 5, 7], [2, 3, 7, 4], {}, ['batched']),
  variant('batched and transposed', [4, 7, 5], [4, 3, 7], { transposeA: true, transposeB: true }, [
    'batched',
    'transposed',
  ]),
  variant('B repeated', [4, 5, 7], [1, 7, 3], {}, ['batched', 'broadcast']),
  variant('A repeated', [1, 5, 7], [4, 7, 3], {}, ['batched', 'broadcast']),
  variant('a factor', [5, 7], [7, 3], { alpha: -0.375 }, ['alpha']),
  variant('a factor and a bias', [5, 7], [7, 3], { alpha: 2.5, bias: biasAt }, ['alpha', 'bias']),
  variant('a bias', [5, 7], [7, 3], { bias: biasAt }, ['bias']),
  variant('a bias, B transposed', [5, 7], [3, 7], { bias: biasAt, transposeB: true }, ['bias', 'transposed']),
  variant('a factor of a bias', [5, 7], [7, 3], { bias: biasAt, beta: -1.5 }, ['bias', 'beta']),
  variant('an addend', [5, 7], [7, 3], { addend: addendAt }, ['addend']),
  variant('an addend, a bias and relu', [5, 7], [7, 3], { addend: addendAt, bias: biasAt, activation: 'relu' }, [
    'addend',
    'bias',
    'relu',
  ]),
  variant('a factor of an addend, in batches', [4, 5, 7], [4, 7, 3], { addend: addendAt, beta: -1.5 }, [
    'addend',
    'batched',
    'beta',
  ]),
  variant('relu', [5, 7], [7, 3], { activation: 'relu' }, ['relu']),
  variant('relu and a bias', [5, 7], [7, 3], { activation: 'relu', bias: biasAt }, ['relu', 'bias']),
  variant('relu6', [5, 90], [90, 3], { activation: 'relu6' }, ['relu6']),
  variant('elu', [5, 7], [7, 3], { activation: 'elu' }, ['elu']),
  variant('sigmoid', [5, 7], [7, 3], { activation: 'sigmoid' }, ['sigmoid']),
  variant('tanh', [5, 7], [7, 3], { activation: 'tanh' }, ['tanh']),
  variant('leakyrelu', [5, 7], [7, 3], { activation: 'leakyrelu', slope: 0.3 }, ['leakyrelu']),
  variant('clip', [5, 7], [7, 3], { activation: 'clip', least: -0.5, most: 0.75 }, ['clip']),
  variant('hardsigmoid', [5, 7], [7, 3], { activation: 'hardsigmoid', slope: 0.3, offset: 0.4 }, ['hardsigmoid']),
  variant('prelu', [5, 7], [7, 3], { activation: 'prelu', slopes: slopesAt }, ['prelu']),
]

/** Each way of multiplying is reported once, and its handles give what was multiplied and what was delivered. */
export const products: readonly BackendCase[] = variants.map(({ name, requires = [], program }) => ({
  name: `a product is reported as what it was: ${name}`,
  requires,
  run: async (harness) => checkWatched(harness, program, await watch(harness, program)),
}))
