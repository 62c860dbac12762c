import { Attributes } from '@tensor-assay/onnx-model'
import { blockedDomain } from '../graph/blocked-graph.ts'
import { operatorKey } from '../graph/operator.ts'
import type { GraphPlan } from '../graph/plan.ts'
import { activationRules } from './activations.ts'
import { elementwiseRules } from './elementwise.ts'
import type { Rule } from './occurrence.ts'
import { poolingRules } from './pooling.ts'
import { rules } from './rules.ts'

/** A value that a node makes of one in blocks of channels, by putting the channels in order. */
export interface Reordered {
  readonly blocked: string
  /** Without those that fill up the last block. */
  readonly channels: number
}

/** @returns Undefined for a value that is made in another way. */
export function reorderedOf(value: string, plan: GraphPlan): Reordered | undefined {
  const ours = plan.added.find((node) => isReorderOutput(node) && node.outputs.includes(value))
  if (ours !== undefined) return { blocked: ours.inputs[0]!, channels: Number(ours.attributes?.channels) }
  const node = plan.producer(value)
  if (node === undefined || !isReorderOutput(node)) return undefined
  const attributes = new Attributes(plan.model, node)
  if (attributes.int('channels_last', 0) !== 0) return undefined
  return { blocked: node.inputs[0]!, channels: attributes.int('channels', 0) }
}

/** The value of ours that a blocked one is in order. */
export function inOrderName(blocked: string, { added }: GraphPlan): string | undefined {
  return added.find((node) => isReorderOutput(node) && node.inputs[0] === blocked)?.outputs[0]
}

/** The plain value of which a blocked one is made. */
export function plainOf(blocked: string, plan: GraphPlan): string | undefined {
  const node = plan.producer(blocked)
  if (node?.domain !== blockedDomain || node.opType !== 'ReorderInput') return undefined
  return new Attributes(plan.model, node).int('channels_last', 0) === 0 ? node.inputs[0] : undefined
}

/**
 * Operators that do with blocks of channels what they do with channels in order. ONNX Runtime's own are the relatives of
 * ONNX's.
 */
export const blockedRules: ReadonlyMap<string, Rule> = new Map([
  ...elementwiseRules,
  ...activationRules,
  [':Concat', rules.get(':Concat')!],
  ...poolingRules.map(([key, rule]) => [`${blockedDomain}${key}`, rule] as const),
])

function isReorderOutput(node: { readonly opType: string; readonly domain?: string }): boolean {
  return operatorKey({ opType: node.opType, domain: node.domain ?? '' }) === `${blockedDomain}:ReorderOutput`
}
