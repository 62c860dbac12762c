import type { NewGraph, NewNode, NewValue, OnnxModel } from '@tensor-assay/onnx-model'
import type { GraphPlan, OperandName, PlannedProduct } from '../graph/plan.ts'
import { shapesFollowFromInputs } from '../graph/shapes-of-values.ts'
import type { Statement } from '../graph/statement.ts'
import type { OrtTensor, OrtValues } from '../ort/library.ts'
import { elementsOfRows } from '../products/matrices.ts'
import type { Operand } from '../products/operands.ts'
import type { ForeseenRun, WantedRows } from '../session/session-observer.ts'

/** An operand of a product, of which nodes of ours copy rows out of the graph. */
export interface Gather {
  readonly product: PlannedProduct
  readonly operand: OperandName
  /** The tapped value. */
  readonly value: string
  /** Whether its rows lie in one piece, along the last dimension of the value, or are picked element by element. */
  readonly by: 'rows' | 'elements'
  /** What comes of it. */
  readonly output: string
}

/** Nodes that copy out the rows that a run is asked for. Which ones are inputs of the graph, and have to be given always. */
export interface Gathers {
  readonly all: readonly Gather[]
  readonly addition: Required<Pick<NewGraph, 'nodes' | 'inputs' | 'outputs'>>
}

export const noGathers: Gathers = { all: [], addition: { nodes: [], inputs: [], outputs: [] } }

const prefix = 'tensor-assay/gather'
const kinds = ['rows', 'elements'] as const

/**
 * Plans a Gather for each operand that a run computes. None where the shapes of values may differ between runs on inputs of
 * the same shapes: then nobody can say beforehand which rows there are.
 *
 * The indices of all Gathers of a kind are one input, which a Split takes apart: an input costs more than a node.
 */
export function gathersOf(plan: GraphPlan, model: OnnxModel): Gathers {
  // Before version 13 the sizes that Split makes are written into the model.
  if ((model.opsets.get('') ?? 0) < 13 || !shapesFollowFromInputs(model)) return noGathers
  const all = plan.products.flatMap((product, i) =>
    operandsToGather(product.statement, plan).map(([operand, value]): Gather => {
      const by = liesInRows(product.statement, operand) && hasDimensions(value, model, plan) ? 'rows' : 'elements'
      return { product, operand, value, by, output: `${prefix}/${i}/${operand}` }
    }),
  )
  const nodes: NewNode[] = []
  const inputs: NewValue[] = []
  for (const kind of kinds) {
    const those = all.filter(({ by }) => by === kind)
    if (those.length === 0) continue
    const [indices, sizes] = [`${prefix}/${kind}`, `${prefix}/${kind}/sizes`]
    inputs.push({ name: indices, type: 'int64', dims: [indices] }, { name: sizes, type: 'int64', dims: [those.length] })
    nodes.push({
      name: `${prefix}/${kind}/split`,
      opType: 'Split',
      inputs: [indices, sizes],
      outputs: those.map(({ output }) => `${output}/indices`),
      attributes: { axis: 0n },
    })
    for (const { value, output } of those) {
      // As a matrix of the last dimension's rows, or as a single row; neither copies anything.
      const [axis, along] = kind === 'rows' ? [-1n, 0n] : [0n, 1n]
      const flat = `${output}/flat`
      nodes.push(
        { name: flat, opType: 'Flatten', inputs: [value], outputs: [flat], attributes: { axis } },
        {
          name: output,
          opType: 'Gather',
          inputs: [flat, `${output}/indices`],
          outputs: [output],
          attributes: { axis: along },
        },
      )
    }
  }
  return { all, addition: { nodes, inputs, outputs: all.map(({ output }) => ({ name: output })) } }
}

/** The operands of a product that have to be tapped to be read as rows. */
function operandsToGather({ a, b, c, addend }: Statement, plan: GraphPlan): [OperandName, string][] {
  const operands: [OperandName, string][] = [
    ['a', a],
    ['c', c],
  ]
  if (b.kind === 'value') operands.push(['b', b.value])
  if (addend !== undefined) operands.push(['addend', addend])
  return operands.filter(([, value]) => plan.origin(value) === 'computed')
}

function liesInRows({ form }: Statement, operand: OperandName): boolean {
  // The rows of a convolution's tensors are along its last dimension, those of its filters over all but the first.
  if (form.kind === 'convolution') return operand !== 'b'
  const { transposeA, transposeB, axes } = form
  if (operand === 'a') return !transposeA && (axes?.k ?? 1) === 1
  if (operand === 'b') return transposeB && (axes?.k ?? 1) === 1
  return (axes?.n ?? 1) === 1
}

/** Whether a value is known to have a dimension at all. */
function hasDimensions(value: string, { graph }: OnnxModel, { added }: GraphPlan): boolean {
  // Ours are of tensors that have several.
  if (added.some(({ outputs }) => outputs.includes(value))) return true
  const declared = graph.values.get(value) ?? graph.outputs.find(({ name }) => name === value)
  return (declared?.tensor?.dims?.length ?? 0) > 0
}

/**
 * What the graph has to be given so that it copies the wanted rows, and no others.
 *
 * @returns Undefined if an operand does not lie as was thought when the nodes were made.
 */
export function gatherFeeds({ all }: Gathers, run: ForeseenRun, wanted: WantedRows): OrtValues | undefined {
  const indices = new Map<Gather, ArrayLike<number>>()
  for (const gather of all) {
    const rows = wanted.get(gather.product)?.[gather.operand]
    if (rows === undefined) continue
    const operand = run.operands(gather.product)![gather.operand]!
    if (gather.by === 'elements') indices.set(gather, elementsOfRows(operand.matrices, rows))
    else if (isRowWise(operand)) indices.set(gather, rows)
    else return undefined
  }
  return feedsOf(all, (gather) => indices.get(gather) ?? [])
}

/** What the graph has to be given so that it copies nothing. */
export function idleFeeds({ all }: Gathers): OrtValues {
  return feedsOf(all, () => [])
}

function isRowWise({ tensor: { dims }, matrices: { cols, transposed } }: Operand): boolean {
  return !transposed && dims.at(-1) === cols
}

function feedsOf(all: readonly Gather[], indicesOf: (gather: Gather) => ArrayLike<number>): OrtValues {
  const feeds: Record<string, OrtTensor> = {}
  for (const kind of kinds) {
    const lists = all.filter(({ by }) => by === kind).map(indicesOf)
    if (lists.length === 0) continue
    feeds[`${prefix}/${kind}`] = int64s(lists)
    feeds[`${prefix}/${kind}/sizes`] = int64s([lists.map(({ length }) => length)])
  }
  return feeds
}

/** Numbers below 2³¹, one list after the other. */
function int64s(lists: readonly ArrayLike<number>[]): OrtTensor {
  const length = lists.reduce((sum, list) => sum + list.length, 0)
  const data = new BigInt64Array(length)
  // Low words first, and every high word stays 0.
  const words = new Int32Array(data.buffer)
  let at = 0
  for (const list of lists) for (let i = 0; i < list.length; i++) words[2 * at++] = list[i]!
  return { type: 'int64', dims: [length], location: 'cpu', data }
}
