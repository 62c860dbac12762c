import { Attributes, type OnnxNode } from '@tensor-assay/onnx-model'
import { convolutionForm, convolutionRank, withChannelsFirst } from './convolution-operators.ts'
import type { GraphValues } from './graph-values.ts'
import { biasProblem, inputOf, isOpaque, type Opaque, type Operator, requiredInput } from './operator.ts'
import { type ConvolutionForm, type Factor, type MatmulForm, plainProduct, type Statement } from './statement.ts'

export const integerOperators: readonly (readonly [string, Operator])[] = [
  [':MatMulInteger', (node) => integer(node, matmul, [0, 1, 2, 3])],
  [':ConvInteger', (node, values) => convInteger(node, values)],
  [':QLinearMatMul', qLinearMatMul],
  ['com.microsoft:QLinearMatMul', qLinearMatMul],
  [':QLinearConv', qLinearConv],
  ['com.microsoft:QLinearConv', qLinearConv],
  ['com.microsoft:QGemm', qGemm],
  ['com.microsoft:MatMulIntegerToFloat', matMulIntegerToFloat],
  ['com.microsoft:DynamicQuantizeMatMul', dynamicQuantizeMatMul],
]

const matmul: MatmulForm = { kind: 'matmul', transposeA: false, transposeB: false }

/** @param inputs - Numbers of the inputs A, B, a₀ and b₀. */
function integer(
  node: OnnxNode,
  form: MatmulForm | ConvolutionForm,
  [a, b, aZero, bZero]: readonly [number, number, number, number],
): Statement {
  const zeroA = inputOf(node, aZero)
  const zeroB = inputOf(node, bZero)
  return {
    ...plainProduct,
    form,
    a: requiredInput(node, a),
    b: { kind: 'value', value: requiredInput(node, b) },
    c: node.outputs[0]!,
    zeroPoints: { ...(zeroA === undefined ? {} : { a: zeroA }), ...(zeroB === undefined ? {} : { b: zeroB }) },
    arithmetic: 'integer',
  }
}

function scales(node: OnnxNode, ...inputs: readonly number[]): Factor[] {
  return inputs.map((input) => ({ value: requiredInput(node, input), inverse: false }))
}

/** A result rounded to 8 bits: divided by its scale, and moved by its zero point. */
function rounded(statement: Statement, scale: string, zeroPoint: string | undefined): Statement {
  return {
    ...statement,
    factors: [...statement.factors, { value: scale, inverse: true }],
    zeroPoints: { ...statement.zeroPoints, ...(zeroPoint === undefined ? {} : { c: zeroPoint }) },
  }
}

function convInteger(node: OnnxNode, values: GraphValues): Statement | Opaque {
  const form = convolutionForm(node, values)
  return isOpaque(form) ? form : integer(node, form, [0, 1, 2, 3])
}

/** Inputs: A, its scale and zero point, B, scale, zero point, scale of C, zero point of C. */
function qLinearMatMul(node: OnnxNode): Statement {
  return rounded(
    { ...integer(node, matmul, [0, 3, 2, 5]), factors: scales(node, 1, 4) },
    requiredInput(node, 6),
    inputOf(node, 7),
  )
}

/**
 * As {@link qLinearMatMul}, then an int32 bias. Level `all` puts the channels of A and C last and leaves the filters as they
 * are; nodes of ours put them back.
 */
function qLinearConv(node: OnnxNode, values: GraphValues): Statement | Opaque {
  const form = convolutionForm(node, values)
  if (isOpaque(form)) return form
  const bias = inputOf(node, 8)
  const statement = rounded(
    {
      ...integer(node, form, [0, 3, 2, 5]),
      factors: scales(node, 1, 4),
      ...(bias === undefined ? {} : { bias, biasBeforeScale: true }),
    },
    requiredInput(node, 6),
    inputOf(node, 7),
  )
  if (new Attributes(values.model, node).int('channels_last', 0) === 0) return statement
  return withChannelsFirst(statement, convolutionRank(node, requiredInput(node, 3), values), values)
}

/** Inputs: A, scale, zero point, B, scale, zero point, int32 bias, and scale and zero point of C unless C is float32. */
function qGemm(node: OnnxNode, values: GraphValues): Statement | Opaque {
  const attributes = new Attributes(values.model, node)
  const bias = inputOf(node, 6)
  const problem = biasProblem(bias, values)
  if (problem !== undefined) return problem
  const form: MatmulForm = {
    kind: 'matmul',
    transposeA: attributes.int('transA', 0) !== 0,
    transposeB: attributes.int('transB', 0) !== 0,
  }
  const statement: Statement = {
    ...integer(node, form, [0, 3, 2, 5]),
    alpha: attributes.float('alpha', 1),
    factors: scales(node, 1, 4),
    ...(bias === undefined ? {} : { bias, biasBeforeScale: true }),
  }
  const scale = inputOf(node, 7)
  return scale === undefined ? statement : rounded(statement, scale, inputOf(node, 8))
}

/** Inputs: A, B, scale of A, scale of B, zero points, float32 bias. */
function matMulIntegerToFloat(node: OnnxNode, values: GraphValues): Statement | Opaque {
  const bias = inputOf(node, 6)
  return (
    biasProblem(bias, values) ?? {
      ...integer(node, matmul, [0, 1, 4, 5]),
      factors: scales(node, 2, 3),
      ...(bias === undefined ? {} : { bias }),
    }
  )
}

/**
 * Inputs: A in float32, B, its scale and zero point, float32 bias. A is rounded to 8 bits inside. DynamicQuantizeLinear,
 * added to the graph, does the same with it, so that the integers, their scale and zero point can be read.
 */
function dynamicQuantizeMatMul(node: OnnxNode, values: GraphValues): Statement | Opaque {
  // There ONNX Runtime has kernels that round row by row.
  if (process.arch === 'arm64') return { reason: 'A is rounded to 8 bits inside, on arm64 in an unknown way' }
  const bias = inputOf(node, 4)
  const problem = biasProblem(bias, values)
  if (problem !== undefined) return problem
  const quantise = { opType: 'DynamicQuantizeLinear', inputs: [requiredInput(node, 0)] }
  const parts = values.add(quantise, node.outputs[0]!, ['rounded', 'scale', 'zero-point'])
  const [a, scale, zeroA] = parts as [string, string, string]
  const statement = integer(node, matmul, [0, 1, 0, 3])
  return {
    ...statement,
    a,
    zeroPoints: { ...statement.zeroPoints, a: zeroA },
    factors: [{ value: scale, inverse: false }, ...scales(node, 2)],
    ...(bias === undefined ? {} : { bias }),
  }
}
