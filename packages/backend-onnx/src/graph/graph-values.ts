import type { NewNode, OnnxGraph, OnnxModel, OnnxNode, OnnxTensor } from '@tensor-assay/onnx-model'

/**
 * Where a value comes from.
 *
 * - `initializer`: it is in the model. Also where the model declares it as an input, because onnxruntime-node gives no
 *   way of overriding it.
 * - `input`: the run's caller gives it.
 * - `constant`: nodes compute it, from initializers alone, so it is the same in every run.
 * - `computed`: nodes compute it.
 */
export type Origin = 'initializer' | 'input' | 'constant' | 'computed'

/** Weights that ONNX Runtime put into blocks of channels. */
export interface BlockedWeights {
  /** Channels in a block. */
  readonly block: number
  /** Elements of an initializer; undefined if they cannot be read. */
  bytes(initializer: string): Uint8Array | undefined
}

/** The values of a graph that is going to get nodes of ours. */
export class GraphValues {
  readonly model: OnnxModel
  readonly blockedWeights: BlockedWeights | undefined
  readonly #graph: OnnxGraph
  readonly #constants = new Set<string>()
  readonly #inputs: ReadonlySet<string>
  readonly #names = new Set<string>()
  readonly #consumers = new Map<string, OnnxNode[]>()
  readonly #producers = new Map<string, OnnxNode>()
  readonly #channelsFirst = new Map<string, string>()
  readonly #added: NewNode[] = []

  constructor(model: OnnxModel, blockedWeights?: BlockedWeights) {
    this.model = model
    this.blockedWeights = blockedWeights
    this.#graph = model.graph
    this.#inputs = new Set(model.graph.inputs.map(({ name }) => name))
    for (const name of [...this.#inputs, ...model.graph.initializers.keys()]) this.#names.add(name)
    for (const node of model.graph.nodes) {
      const isConstant = isDeterministic(node) && node.inputs.every((input) => input === '' || this.#isFixed(input))
      for (const output of node.outputs) {
        this.#names.add(output)
        this.#producers.set(output, node)
        if (isConstant) this.#constants.add(output)
      }
      for (const input of node.inputs) {
        const consumers = this.#consumers.get(input)
        if (consumers === undefined) this.#consumers.set(input, [node])
        else consumers.push(node)
      }
    }
  }

  origin(value: string): Origin {
    if (this.#graph.initializers.has(value)) return 'initializer'
    if (this.#inputs.has(value)) return 'input'
    return this.#constants.has(value) ? 'constant' : 'computed'
  }

  initializer(value: string): OnnxTensor | undefined {
    return this.#graph.initializers.get(value)
  }

  get nodes(): readonly OnnxNode[] {
    return this.#graph.nodes
  }

  consumers(value: string): readonly OnnxNode[] {
    return this.#consumers.get(value) ?? []
  }

  producer(value: string): OnnxNode | undefined {
    return this.#producers.get(value)
  }

  /** Nodes to be added to the graph. */
  get added(): readonly NewNode[] {
    return this.#added
  }

  /** Adds a node behind the graph's own. @returns The names of its outputs, which nothing else has. */
  add(node: Omit<NewNode, 'name' | 'outputs'>, about: string, parts: readonly string[]): string[] {
    const outputs = parts.map((part) => this.#newName(`${about}/${part}`))
    this.#added.push({ ...node, name: this.#newName(`${about}/tap`), outputs })
    return outputs
  }

  /** A value of [batch, …, channels] as [batch, channels, …], which a node of ours computes. */
  channelsFirst(value: string, rank: number): string {
    let name = this.#channelsFirst.get(value)
    if (name === undefined) {
      const middle = Array.from({ length: rank - 2 }, (_, i) => BigInt(i + 1))
      const attributes = { perm: [0n, BigInt(rank - 1), ...middle] }
      name = this.add({ opType: 'Transpose', inputs: [value], attributes }, value, ['channels-first'])[0]!
      this.#channelsFirst.set(value, name)
    }
    return name
  }

  #newName(wish: string): string {
    let name = `tensor-assay/${wish}`
    while (this.#names.has(name)) name += "'"
    this.#names.add(name)
    return name
  }

  #isFixed(value: string): boolean {
    return this.#graph.initializers.has(value) || this.#constants.has(value)
  }
}

/** A node whose outputs depend on nothing but its inputs. Graphs in attributes may use any value of the outer graph. */
function isDeterministic({ opType, attributes }: OnnxNode): boolean {
  if (/Random|Bernoulli|Multinomial|Dropout/.test(opType)) return false
  return [...attributes.values()].every(({ kind }) => kind !== 'graph' && kind !== 'graphs')
}
