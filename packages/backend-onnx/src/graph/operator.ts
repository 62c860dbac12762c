import { Attributes, type OnnxNode } from '@tensor-assay/onnx-model'
import type { GraphValues } from './graph-values.ts'
import type { PlannedActivation, Statement } from './statement.ts'

/** Reads a node of one type. @returns What it multiplies, or why that cannot be stated. */
export type Operator = (node: OnnxNode, values: GraphValues) => Statement | Opaque

export interface Opaque {
  readonly reason: string
}

export function isOpaque(found: object): found is Opaque {
  return 'reason' in found
}

/** `domain:type`; the default domain is ''. */
export function operatorKey({ domain, opType }: Pick<OnnxNode, 'domain' | 'opType'>): string {
  return `${domain}:${opType}`
}

/** For people: without the default domain. */
export function operatorName({ domain, opType }: Pick<OnnxNode, 'domain' | 'opType'>): string {
  return domain === '' ? opType : `${domain}.${opType}`
}

/** Input `index` of a node, or undefined where it is left out. */
export function inputOf({ inputs }: OnnxNode, index: number): string | undefined {
  const name = inputs[index]
  return name === '' ? undefined : name
}

/** An input that the operator cannot do without. A model where it is missing does not load. */
export function requiredInput(node: OnnxNode, index: number): string {
  return inputOf(node, index) ?? ''
}

/**
 * Whether a bias is one vector for all rows, as far as the model says: a bias that is computed in the run shows its shape
 * only there.
 */
export function biasProblem(bias: string | undefined, values: GraphValues): Opaque | undefined {
  const dims = bias === undefined ? undefined : values.initializer(bias)?.dims
  if (dims === undefined || dims.slice(0, -1).every((size) => size === 1)) return undefined
  return { reason: `a bias of shape [${dims}], which is not the same for every row` }
}

/** The activation of a fused operator, whose parameters are a list or attributes of their own. */
export function fusedActivation(node: OnnxNode, values: GraphValues): PlannedActivation | Opaque {
  const attributes = new Attributes(values.model, node)
  const name = attributes.string('activation', '')
  const parameters = attributes.floats('activation_params', undefined)
  // ONNX's own defaults.
  const alpha = (fallback: number) => parameters?.[0] ?? attributes.float('activation_alpha', fallback)
  switch (name) {
    case '':
      return { name: 'linear' }
    case 'Relu':
      return { name: 'relu' }
    case 'Sigmoid':
      return { name: 'sigmoid' }
    case 'Tanh':
      return { name: 'tanh' }
    case 'HardSigmoid':
      return {
        name: 'hardsigmoid',
        slope: alpha(0.2),
        offset: parameters?.[1] ?? attributes.float('activation_beta', 0.5),
      }
    case 'LeakyRelu':
      return { name: 'leakyrelu', alpha: alpha(0.01) }
    case 'Elu':
      return { name: 'elu', alpha: alpha(1) }
    case 'Clip': {
      const [least, most] = parameters ?? []
      if (least !== undefined && most !== undefined) return { name: 'clip', least, most }
      return { reason: 'activation Clip without its two bounds' }
    }
    default:
      return { reason: `activation ${name}` }
  }
}
