import { Attributes, type OnnxNode } from '@tensor-assay/onnx-model'
import { einsumForm } from './einsum.ts'
import type { GraphValues } from './graph-values.ts'
import {
  biasProblem,
  fusedActivation,
  inputOf,
  isOpaque,
  type Opaque,
  type Operator,
  requiredInput,
} from './operator.ts'
import { type MatmulForm, plainProduct, type Statement } from './statement.ts'

export const matmulOperators: readonly (readonly [string, Operator])[] = [
  [':MatMul', (node) => product(node, { kind: 'matmul', transposeA: false, transposeB: false })],
  [':Gemm', gemm],
  ['com.microsoft:FusedGemm', gemm],
  ['com.microsoft:FusedMatMul', fusedMatMul],
  ['com.microsoft:TransposeMatMul', fusedMatMul],
  ['com.microsoft:MatMulNBits', matMulNBits],
  [':Einsum', einsum],
]

function product(node: OnnxNode, form: MatmulForm, alpha = 1): Statement {
  return {
    ...plainProduct,
    form,
    a: requiredInput(node, 0),
    b: { kind: 'value', value: requiredInput(node, 1) },
    c: node.outputs[0]!,
    alpha,
  }
}

/** @see https://onnx.ai/onnx/operators/onnx__Gemm.html */
function gemm(node: OnnxNode, values: GraphValues): Statement | Opaque {
  const attributes = new Attributes(values.model, node)
  const form: MatmulForm = {
    kind: 'matmul',
    transposeA: attributes.int('transA', 0) !== 0,
    transposeB: attributes.int('transB', 0) !== 0,
  }
  const beta = attributes.float('beta', 1)
  const bias = beta === 0 ? undefined : inputOf(node, 2)
  const activation = fusedActivation(node, values)
  if (isOpaque(activation)) return activation
  const problem = biasProblem(bias, values)
  if (problem !== undefined) return problem
  const base = { ...product(node, form, attributes.float('alpha', 1)), activation }
  return bias === undefined ? base : { ...base, beta, bias }
}

function fusedMatMul(node: OnnxNode, values: GraphValues): Statement | Opaque {
  const attributes = new Attributes(values.model, node)
  if (attributes.int('transBatchA', 0) !== 0 || attributes.int('transBatchB', 0) !== 0) {
    return { reason: 'an operand whose batch dimension is not in front' }
  }
  const form: MatmulForm = {
    kind: 'matmul',
    transposeA: attributes.int('transA', 0) !== 0,
    transposeB: attributes.int('transB', 0) !== 0,
  }
  return product(node, form, attributes.float('alpha', 1))
}

/** Weights of 2 to 8 bits. At accuracy level 4 the left operand is rounded to 8 bits too, where the CPU can do that. */
function matMulNBits(node: OnnxNode, values: GraphValues): Statement | Opaque {
  const attributes = new Attributes(values.model, node)
  if (inputOf(node, 4) !== undefined) return { reason: 'weights whose columns are reordered (g_idx)' }
  const bias = inputOf(node, 5)
  const problem = biasProblem(bias, values)
  if (problem !== undefined) return problem
  const zeroPoints = inputOf(node, 3)
  const bits = attributes.int('bits', 4)
  if (bits !== 2 && bits !== 4 && bits !== 8) return { reason: `weights of ${bits} bits` }
  if (attributes.int('weight_prepacked', 0) !== 0) return { reason: 'weights in the layout of one CPU' }
  const base: Statement = {
    ...product(node, { kind: 'matmul', transposeA: false, transposeB: true }),
    b: {
      kind: 'packed-blocks',
      value: requiredInput(node, 1),
      k: attributes.int('K', 0),
      n: attributes.int('N', 0),
      bits,
      blockSize: attributes.int('block_size', 0),
      scales: requiredInput(node, 2),
      ...(zeroPoints === undefined ? {} : { zeroPoints }),
    },
    arithmetic: attributes.int('accuracy_level', 0) === 4 ? 'quantised-blocks' : 'float',
  }
  return bias === undefined ? base : { ...base, bias }
}

function einsum(node: OnnxNode, values: GraphValues): Statement | Opaque {
  const equation = new Attributes(values.model, node).string('equation', '')
  if (node.inputs.length !== 2) return { reason: `an equation of ${node.inputs.length} operands` }
  const form = einsumForm(equation)
  return typeof form === 'string' ? { reason: form } : product(node, form)
}
