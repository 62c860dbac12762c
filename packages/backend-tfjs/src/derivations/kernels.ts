import type { BinaryName, Derivation, ReductionName, UnaryName } from '@tensor-assay/core'
import { padded, pooled } from './space.ts'
import { type Given, number, part, type Statement, two } from './steps.ts'

/** Tensors that a step joins, at most. */
const maxParts = 64

const positive = (x: Derivation) => two('maximum', x, number(0))
const negative = (x: Derivation) => two('minimum', x, number(0))
/** x where it is positive, else a multiple of it. */
const leaky = (x: Derivation, slope: Derivation) => two('add', positive(x), two('multiply', slope, negative(x)))

const unary =
  (op: UnaryName): Statement =>
  ({ inputs }) => ({ op, x: inputs.x!.step })

const binary =
  (op: BinaryName): Statement =>
  ({ inputs }) =>
    two(op, inputs.a!.step, inputs.b!.step)

const reduction =
  (op: ReductionName): Statement =>
  ({ inputs, attrs, shapes }) => {
    const { step: x, shape } = inputs.x!
    const axes = axesOf(attrs.axis ?? attrs.reductionIndices, shape.length)
    const keepDims = shapes[0]!.length === shape.length
    return axes.length === 0 ? x : { op, x, axes, keepDims }
  }

/** How results follow from inputs, by kernel. What is missing here cannot be stated, or nobody has stated it yet. */
export const statements = {
  Identity: ({ inputs }) => inputs.x!.step,
  Cast: ({ inputs }) => inputs.x!.step,
  Transpose: ({ inputs, attrs }) => ({
    op: 'transpose',
    x: inputs.x!.step,
    permutation: [...(attrs.perm as readonly number[])],
  }),
  Concat: ({ inputs, attrs, shapes }) => {
    const parts = Object.values(inputs).filter(({ shape }) => !shape.includes(0))
    return joined(
      parts.map(({ step }) => step),
      axisOf(attrs.axis, shapes[0]!.length),
    )
  },
  Pack: ({ inputs, attrs, shapes }) => {
    const axis = axisOf(attrs.axis, shapes[0]!.length)
    const shape = shapes[0]!.with(axis, 1)
    const parts = Object.values(inputs).map(({ step: x }): Derivation => ({ op: 'reshape', x, shape }))
    return joined(parts, axis)
  },
  Unpack: ({ inputs, attrs, shapes }) => {
    const axis = axisOf(attrs.axis, inputs.value!.shape.length)
    return shapes.map((shape, i) => ({ op: 'reshape', x: part(inputs.value!, axis, i, 1), shape }))
  },
  SplitV: ({ inputs, attrs, shapes }) => {
    const axis = axisOf(attrs.axis, inputs.x!.shape.length)
    let start = 0
    return shapes.map((shape) => {
      start += shape[axis]!
      return part(inputs.x!, axis, start - shape[axis]!, shape[axis]!)
    })
  },
  Slice: ({ inputs, attrs, shapes }) => {
    const begin = [attrs.begin].flat() as readonly number[]
    return shapes[0]!.reduce<Derivation>(
      (step, size, axis) => part({ step, shape: inputs.x!.shape }, axis, begin[axis] ?? 0, size),
      inputs.x!.step,
    )
  },
  Add: binary('add'),
  Sub: binary('subtract'),
  Multiply: binary('multiply'),
  RealDiv: binary('divide'),
  Maximum: binary('maximum'),
  Minimum: binary('minimum'),
  AddN: ({ inputs }) =>
    Object.values(inputs)
      .map(({ step }) => step)
      .reduce((x, y) => two('add', x, y)),
  SquaredDifference: ({ inputs }) => ({ op: 'square', x: two('subtract', inputs.a!.step, inputs.b!.step) }),
  Neg: unary('negate'),
  Abs: unary('abs'),
  Square: unary('square'),
  Sqrt: unary('sqrt'),
  Rsqrt: ({ inputs }) => ({ op: 'reciprocal', x: { op: 'sqrt', x: inputs.x!.step } }),
  Reciprocal: unary('reciprocal'),
  Exp: unary('exp'),
  Log: unary('log'),
  Erf: unary('erf'),
  Tanh: unary('tanh'),
  Sigmoid: unary('sigmoid'),
  Pow: ({ inputs }) => {
    const { a, b } = inputs
    const x = a!.step
    if (b!.step.op !== 'number') return undefined
    const { value } = b!.step
    if (value === 2) return { op: 'square', x }
    return value === 3 ? two('multiply', x, { op: 'square', x }) : undefined
  },
  Relu: ({ inputs }) => positive(inputs.x!.step),
  Relu6: ({ inputs }) => two('minimum', positive(inputs.x!.step), number(6)),
  LeakyRelu: ({ inputs, attrs }) => leaky(inputs.x!.step, number(attrs.alpha as number)),
  Prelu: ({ inputs }) => leaky(inputs.x!.step, inputs.alpha!.step),
  Elu: ({ inputs }) => {
    const x = inputs.x!.step
    return two('add', positive(x), two('subtract', { op: 'exp', x: negative(x) }, number(1)))
  },
  ClipByValue: ({ inputs, attrs }) => {
    const { clipValueMin: least, clipValueMax: most } = attrs as { clipValueMin: number; clipValueMax: number }
    const above = Number.isFinite(least) ? two('maximum', inputs.x!.step, number(least)) : inputs.x!.step
    return Number.isFinite(most) ? two('minimum', above, number(most)) : above
  },
  Softmax: ({ inputs, attrs }) => ({
    op: 'softmax',
    x: inputs.logits!.step,
    axis: axisOf(attrs.dim, inputs.logits!.shape.length),
  }),
  Sum: reduction('sum'),
  Mean: reduction('mean'),
  Max: reduction('max'),
  MaxPool: pooled('max'),
  AvgPool: pooled('mean'),
  PadV2: padded,
  FusedBatchNorm: ({ inputs, attrs }) => {
    const { x, mean, variance, offset, scale } = inputs
    // The kernel goes through its vectors again and again, which broadcasts those that are as long as the last axes together.
    const isPlain = ({ shape }: Given) => {
      const first = shape.findIndex((size) => size !== 1)
      const sizes = first < 0 ? [] : shape.slice(first)
      return String(sizes) === String(x!.shape.slice(x!.shape.length - sizes.length))
    }
    if (![mean, variance, offset, scale].every((vector) => vector === undefined || isPlain(vector))) return undefined
    const spread = two('add', variance!.step, number((attrs.varianceEpsilon as number | undefined) ?? 0.001))
    const normal = two('divide', two('subtract', x!.step, mean!.step), { op: 'sqrt', x: spread })
    const scaled = scale ? two('multiply', normal, scale.step) : normal
    return offset ? two('add', scaled, offset.step) : scaled
  },
} as const satisfies Record<string, Statement>

/** Kernels whose results are computed element by element, of operands that may be broadcast. */
export const elementwise: ReadonlySet<string> = new Set<keyof typeof statements>([
  'Add',
  'Sub',
  'Multiply',
  'RealDiv',
  'Maximum',
  'Minimum',
  'SquaredDifference',
  'FusedBatchNorm',
])

function joined(of: readonly Derivation[], axis: number): Derivation | undefined {
  return of.length === 0 || of.length > maxParts ? undefined : { op: 'concat', of, axis }
}

function axisOf(axis: unknown, rank: number): number {
  return axesOf(axis, rank)[0]!
}

/** Ascending; TensorFlow.js counts negative ones from the end, and takes all where none is given. */
function axesOf(axes: unknown, rank: number): number[] {
  if (axes === undefined || axes === null) return Array.from({ length: rank }, (_, axis) => axis)
  return ([axes].flat() as number[]).map((axis) => (axis < 0 ? axis + rank : axis)).sort((a, b) => a - b)
}
