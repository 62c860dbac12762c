import type { NewNode, OnnxGraph, OnnxModel, OnnxNode } from '@tensor-assay/onnx-model'
import { type BlockedWeights, GraphValues, type Origin } from './graph-values.ts'
import { isOpaque, type Opaque, operatorName, statementOf } from './operators.ts'
import type { Statement } from './statement.ts'

/** What an instrumented session reports, decided once for its graph. */
export interface GraphPlan {
  /** The graph as it is executed. */
  readonly model: OnnxModel
  /** In an order in which they can be executed, which is the same for every session of a model. */
  readonly products: readonly PlannedProduct[]
  /** Nodes that multiply and cannot be stated. Each run of the session executes each of them, or may. */
  readonly opaque: readonly OpaqueNode[]
  /** Values that have to be read in each run, among them outputs of the model and of {@link added}. */
  readonly taps: readonly string[]
  /** Values that have to be read once, because every run computes the same. */
  readonly constants: readonly string[]
  /** Nodes to be added behind the graph's own. */
  readonly added: readonly NewNode[]
  origin(value: string): Origin
  /** The node of the graph that computes a value; undefined for those of {@link added}. */
  producer(value: string): OnnxNode | undefined
}

export interface PlannedProduct {
  /** The node's name, made unique where it is not. */
  readonly node: string
  /** As ONNX Runtime names it, with the domain where that is not ONNX's own. */
  readonly operation: string
  readonly statement: Statement
}

export interface OpaqueNode {
  readonly node: string
  readonly operation: string
  readonly reason: string
}

/**
 * Finds what a graph multiplies.
 *
 * @param model - The graph as it is executed, after optimisation.
 * @param blockedWeights - Of a graph with convolutions in blocks of channels; without, these are opaque.
 * @throws {AssayError} `model-malformed` if an attribute is not what its operator takes.
 */
export function planGraph(model: OnnxModel, blockedWeights?: BlockedWeights): GraphPlan {
  const values = new GraphValues(model, blockedWeights)
  const names = new Set<string>()
  const products: PlannedProduct[] = []
  const opaque: OpaqueNode[] = []
  for (const node of inOrder(model.graph)) {
    const found = statementOf(node, values) ?? bodyOf(node, model)
    if (found === undefined) continue
    const identity = { node: uniqueName(node, names), operation: operatorName(node) }
    if (isOpaque(found)) opaque.push({ ...identity, ...found })
    else products.push({ ...identity, statement: found })
  }
  const needed = new Set(products.flatMap(({ statement }) => operands(statement)))
  // Sorted into the two kinds; what is in the model or given by the caller needs no tap.
  const from = (origin: Origin) => [...needed].filter((value) => values.origin(value) === origin)
  return {
    model,
    products,
    opaque,
    taps: from('computed'),
    constants: from('constant'),
    added: values.added,
    origin: (value) => values.origin(value),
    producer: (value) => values.producer(value),
  }
}

/** The values that a statement is about. */
export function operands(statement: Statement): string[] {
  const { a, b, c, addend } = statement
  return [a, b.value, c, ...(addend === undefined ? [] : [addend]), ...wholeValues(statement)]
}

/** The value that is read as the rows of an operand. The bias may turn out to be the addend. */
export function operandValue({ a, b, c, addend, bias }: Statement, operand: OperandName): string | undefined {
  return { a, b: b.value, c, addend: addend ?? bias }[operand]
}

export type OperandName = 'a' | 'b' | 'c' | 'addend'

/** Those of them that are not, or not only, read as rows. */
export function wholeValues({ b, factors, zeroPoints, bias }: Statement): string[] {
  const right = b.kind === 'value' ? [] : b.kind === 'packed-blocks' ? [b.value, b.scales, b.zeroPoints] : [b.value]
  const scalars = [...factors.map(({ value }) => value), zeroPoints.a, zeroPoints.b, zeroPoints.c]
  return [...right, ...scalars, bias].filter((value) => value !== undefined)
}

/**
 * The nodes by their distance from the inputs, and then by name: optimisers list nodes that do not depend on each other in
 * a different order every time.
 */
function inOrder({ nodes }: OnnxGraph): OnnxNode[] {
  const depths = new Map<string, number>()
  const placed = nodes.map((node) => {
    const depth = 1 + Math.max(0, ...node.inputs.map((input) => depths.get(input) ?? 0))
    for (const output of node.outputs) depths.set(output, depth)
    return { node, depth, name: nameOf(node) }
  })
  placed.sort((a, b) => a.depth - b.depth || (a.name < b.name ? -1 : a.name > b.name ? 1 : 0))
  return placed.map(({ node }) => node)
}

function nameOf({ name, opType, outputs }: OnnxNode): string {
  return name === '' ? `${opType}:${outputs[0] ?? ''}` : name
}

function uniqueName(node: OnnxNode, taken: Set<string>): string {
  const wish = nameOf(node)
  let unique = wish
  for (let i = 2; taken.has(unique); i++) unique = `${wish}#${i}`
  taken.add(unique)
  return unique
}

/** A node whose attributes hold graphs, of If, Loop, Scan and the like, with products in them. */
function bodyOf(node: OnnxNode, model: OnnxModel): Opaque | undefined {
  const products = countProducts(node, model)
  if (products === 0) return undefined
  return { reason: `${products} products in its ${products === 1 ? 'body' : 'bodies'}, where they cannot be read` }
}

function countProducts(node: OnnxNode, model: OnnxModel): number {
  let products = 0
  for (const attribute of node.attributes.values()) {
    const graphs: readonly OnnxGraph[] =
      attribute.kind === 'graph' ? [attribute.value] : attribute.kind === 'graphs' ? attribute.value : []
    for (const graph of graphs) {
      const values = new GraphValues({ ...model, graph })
      for (const inner of graph.nodes) {
        if (statementOf(inner, values) !== undefined) products++
        else products += countProducts(inner, model)
      }
    }
  }
  return products
}
