import { Attributes } from '@tensor-assay/onnx-model'
import type { GraphValues } from './graph-values.ts'

/** The domain of ONNX Runtime's operators on blocks of channels, [batch, channels / block, height, width, block]. */
export const blockedDomain = 'com.microsoft.nchwc'

const graphs = new WeakMap<GraphValues, BlockedGraph>()

/** Values searched for the number of channels of one. Real ones are a step or two away from it. */
const maxSearch = 1000

/** Which values of a graph are in blocks, and how they are read in order. */
export class BlockedGraph {
  readonly #values: GraphValues
  readonly #blocked = new Set<string>()
  readonly #inOrder = new Map<string, string>()

  static of(values: GraphValues): BlockedGraph {
    let graph = graphs.get(values)
    if (graph === undefined) {
      graph = new BlockedGraph(values)
      graphs.set(values, graph)
    }
    return graph
  }

  private constructor(values: GraphValues) {
    this.#values = values
    for (const { domain, opType, inputs, outputs } of values.nodes) {
      // What works element by element does so on blocks as on anything else; nothing else is given blocks.
      const isBlocked =
        domain === blockedDomain ? opType !== 'ReorderOutput' : inputs.some((input) => this.#blocked.has(input))
      if (isBlocked) for (const output of outputs) this.#blocked.add(output)
    }
  }

  has(value: string): boolean {
    return this.#blocked.has(value)
  }

  /**
   * The channels of a blocked value without those that fill up its last block: what the next node says that puts the
   * channels in order, or that is made for so many. Pooling, sums and activations between keep them.
   */
  channels(value: string): number | undefined {
    const found = new Set([value])
    for (const at of found) {
      if (found.size > maxSearch) return undefined
      for (const consumer of this.#values.consumers(at)) {
        const attributes = new Attributes(this.#values.model, consumer)
        const isBlocked = consumer.domain === blockedDomain
        if (isBlocked && consumer.opType === 'ReorderOutput') return attributes.int('channels', 0)
        if (isBlocked && consumer.opType === 'Conv') {
          const filters = consumer.inputs[0] === at ? this.#values.initializer(consumer.inputs[1] ?? '') : undefined
          if (filters !== undefined) return filters.dims[1]! * attributes.int('group', 1)
          // What a convolution adds to its result has the channels of that.
          if (consumer.inputs[3] === at) found.add(consumer.outputs[0]!)
          continue
        }
        if (consumer.opType !== 'Concat') for (const output of consumer.outputs) found.add(output)
      }
    }
    return undefined
  }

  /** The value as [batch, channels, height, width], which a node of ours computes. */
  inOrder(value: string, channels: number): string {
    let name = this.#inOrder.get(value)
    if (name === undefined) {
      const attributes = { channels: BigInt(channels), channels_last: 0n }
      const node = { opType: 'ReorderOutput', domain: blockedDomain, inputs: [value], attributes }
      name = this.#values.add(node, value, ['in-order'])[0]!
      this.#inOrder.set(value, name)
    }
    return name
  }
}
