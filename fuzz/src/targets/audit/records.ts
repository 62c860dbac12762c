import { hexToBytes } from '@noble/hashes/utils.js'
import { type DType, dtypes, type ProductRecord, type ProfileName, profiles, type Weight } from '@tensor-assay/core'
import { weights } from '../../model.ts'
import type { Choices } from './choices.ts'
import { layoutOf, sizesOf } from './layouts.ts'
import type { Shape } from './tensors.ts'

type Vector = NonNullable<ProductRecord['bias']>

/** Element types of operands and results. */
const typesOf: Readonly<Record<ProfileName, readonly [readonly DType[], readonly DType[]]>> = {
  float32: [['float32'], ['float32']],
  tf32: [['float32'], ['float32']],
  exact: [['float32'], ['float32']],
  float16: [['float16'], ['float16', 'float32']],
  bfloat16: [['bfloat16'], ['bfloat16', 'float32']],
  int32: [['int32'], ['int32']],
  int8: [
    ['uint8', 'int8'],
    ['int32', 'float32', 'uint8', 'int8'],
  ],
}
const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid'] as const
const factors = [1, 1, 1, 1, 0.5, 0, -1, 1e-30, 1e30, 1e300, 5e-324]

/** A record, but for the numbers of its tensors: their shapes are what the record asks for, most of the time. */
export interface Draft {
  readonly record: Omit<ProductRecord, 'a' | 'b' | 'c' | 'addend'>
  readonly weight: Weight
  readonly transposed: boolean
  readonly a: Shape
  readonly c: Shape
  /** Where B is an activation. */
  readonly b?: Shape
  /** Where a tensor is added. */
  readonly addend?: Shape
}

export function draftOf(choices: Choices, sequence: number): Draft {
  const weight = choices.pick(weights.weights)
  const profile = choices.once(3) ? choices.pick(Object.keys(profiles) as ProfileName[]) : profileOf(weight)
  const layout = layoutOf(choices, weight)
  const { a, c, matrices, n, k } = sizesOf(layout)
  const [operands, results] = typesOf[profile]
  const shape = (size: { rows: number; cols: number }, types: readonly DType[]): Shape => ({
    rows: size.rows,
    cols: size.cols,
    dtype: choices.once(24) ? choices.pick(dtypes) : choices.pick(types),
  })
  const vector = () => vectorOf(choices, n, matrices)
  const zeroPoint = () => choices.below(256) - 128
  const quantised = profile === 'int8' || choices.once(32)
  return {
    record: {
      kind: 'product',
      sequence: choices.once(64) ? choices.below(9) : sequence,
      step: choices.below(3),
      operation: choices.pick(['MatMul', 'Conv2D', '']),
      layout,
      alpha: choices.pick(factors),
      activation: activationOf(choices, vector),
      profile,
      ...choices.maybe(3, 'bias', vector),
      ...choices.maybe(8, 'beta', () => choices.pick(factors)),
      ...(quantised && {
        ...choices.maybe(2, 'scales', vector),
        ...choices.maybe(2, 'zeroPoints', () => ({ a: zeroPoint(), ...choices.maybe(2, 'b', vector) })),
        ...choices.maybe(2, 'zeroPoint', zeroPoint),
      }),
    },
    weight,
    transposed: layout.kind === 'convolution' ? !layout.channelsLast : choices.once(3),
    a: shape(a, operands),
    c: shape(c, results),
    ...choices.maybe(6, 'addend', () => shape(c, results)),
    ...choices.maybe(4, 'b', () => shape({ rows: matrices * n, cols: k }, operands)),
  }
}

function profileOf({ dtype }: Weight): ProfileName {
  if (dtype === 'int8' || dtype === 'uint8') return 'int8'
  return dtype === 'int32' || dtype === 'float16' ? dtype : 'float32'
}

function activationOf(choices: Choices, vector: () => Vector): ProductRecord['activation'] {
  const kind = choices.below(12)
  if (kind < 6) return { name: 'linear' }
  if (kind < 10) return { name: choices.pick(activations) }
  return kind === 10 ? { name: 'leakyrelu', slope: choices.pick(factors) } : { name: 'prelu', slopes: vector() }
}

function vectorOf(choices: Choices, n: number, matrices: number): Vector {
  const fitting = weights.weights.filter(({ shape }) => shape.length === 1 && [1, n, matrices * n].includes(shape[0]!))
  const weight = choices.pick(fitting.length === 0 || choices.once(8) ? weights.weights : fitting)
  const length = weight.shape.reduce((product, size) => product * size, 1)
  return {
    digest: hexToBytes(weight.digest),
    length: choices.once(24) ? choices.size() : length,
    dtype: choices.once(8) ? choices.pick(dtypes) : weight.dtype,
  }
}
