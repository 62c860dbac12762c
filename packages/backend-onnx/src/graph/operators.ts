import type { OnnxNode } from '@tensor-assay/onnx-model'
import { convolutionOperators } from './convolution-operators.ts'
import type { GraphValues } from './graph-values.ts'
import { integerOperators } from './integer-operators.ts'
import { matmulOperators } from './matmul-operators.ts'
import { isHarmless, opaqueOperators } from './opaque-operators.ts'
import { type Opaque, type Operator, operatorKey } from './operator.ts'
import type { Statement } from './statement.ts'

export { isOpaque, type Opaque, operatorName } from './operator.ts'

const statable: ReadonlyMap<string, Operator> = new Map([
  ...matmulOperators,
  ...convolutionOperators,
  ...integerOperators,
])

/** Names of the operators whose products can be stated, as far as their attributes allow. */
export const statedOperators: readonly string[] = [...statable.keys()].map((key) =>
  key.replace(/^:/, '').replace(':', '.'),
)

/** @returns What the node multiplies, why that cannot be stated, or undefined if it does not multiply. */
export function statementOf(node: OnnxNode, values: GraphValues): Statement | Opaque | undefined {
  const key = operatorKey(node)
  const operator = statable.get(key)
  if (operator !== undefined) return operator(node, values)
  const reason = opaqueOperators.get(key)
  if (reason !== undefined) return { reason }
  if (values.model.functions.has(key)) return { reason: 'a function that the model file defines' }
  return isHarmless(node) ? undefined : { reason: 'an operator that this version does not know' }
}
