import { Attributes, type OnnxNode } from '@tensor-assay/onnx-model'
import { operatorKey } from '../graph/operator.ts'
import type { GraphPlan } from '../graph/plan.ts'
import { reshaped, transposed, type Value } from './steps.ts'

/** A node that gives all elements of its first input again, and its output. */
export interface View {
  readonly node: OnnxNode
  readonly output: string
}

const reshapes = [':Reshape', ':Flatten', ':Squeeze', ':Unsqueeze', ':Identity']

/**
 * The values of which others are views, by their names. An optimiser that makes a matrix of the input of a graph before it
 * multiplies leaves the input itself to nothing but the sum behind it.
 *
 * @param names - Values that are known.
 */
export function viewsBehind(names: Iterable<string>, plan: GraphPlan): ReadonlyMap<string, View> {
  const views = new Map<string, View>()
  for (const name of names) {
    let output = name
    for (let node = plan.producer(output); node !== undefined && isView(node); node = plan.producer(output)) {
      const [input] = node.inputs
      if (input === undefined || views.has(input)) break
      views.set(input, { node, output })
      output = input
    }
  }
  return views
}

/** The input of a view by its output. @param shape - Of the input. */
export function viewedBack({ node }: View, output: Value, shape: readonly number[], plan: GraphPlan): Value {
  if (reshapes.includes(operatorKey(node))) return reshaped(output, shape)
  const rank = shape.length
  const given = new Attributes(plan.model, node).ints('perm', undefined)
  const permutation = given ?? shape.map((_, axis) => rank - 1 - axis)
  return transposed(
    output,
    shape.map((_, axis) => permutation.indexOf(axis)),
  )
}

function isView(node: OnnxNode): boolean {
  const key = operatorKey(node)
  return key === ':Transpose' || reshapes.includes(key)
}
