import { Attributes, type OnnxNode } from '@tensor-assay/onnx-model'
import { unblockFilters } from './blocked-filters.ts'
import type { GraphValues } from './graph-values.ts'

/** The domain of ONNX Runtime's operators on blocks of channels, [batch, channels / block, height, width, block]. */
export const blockedDomain = 'com.microsoft.nchwc'

const graphs = new WeakMap<GraphValues, BlockedGraph>()

const isConvolution = ({ domain, opType }: OnnxNode) => domain === blockedDomain && opType === 'Conv'

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
   * The channels of a blocked value without those that fill up its last block: what a node says that puts the channels in
   * order, or else as many as are not filters of zeros. Pooling, sums and activations keep them, so that what is said of one
   * value holds for those before and behind it.
   */
  channels(value: string): number | undefined {
    const found = new Set([value])
    const makers = new Set<OnnxNode>()
    const readers = new Set<OnnxNode>()
    for (const at of found) {
      if (found.size > maxSearch) return undefined
      const producer = this.#values.producer(at)
      if (producer !== undefined && isConvolution(producer)) makers.add(producer)
      else if (producer !== undefined && producer.opType !== 'Concat') {
        for (const input of producer.inputs) if (this.#blocked.has(input)) found.add(input)
      }
      for (const consumer of this.#values.consumers(at)) {
        if (consumer.domain === blockedDomain && consumer.opType === 'ReorderOutput') {
          return new Attributes(this.#values.model, consumer).int('channels', 0)
        }
        // What a convolution adds to its result has the channels of that.
        if (isConvolution(consumer) && consumer.inputs[3] !== at) {
          readers.add(consumer)
          continue
        }
        if (consumer.opType !== 'Concat') for (const output of consumer.outputs) found.add(output)
      }
    }
    const counts =
      makers.size > 0
        ? [...makers].map((node) => this.#usedChannels(node, 'out'))
        : [...readers].map((node) => this.#usedChannels(node, 'in'))
    return counts.length === 0 || counts.includes(undefined) ? undefined : Math.max(...(counts as number[]))
  }

  /** The plain value of which this one is made by putting its channels into blocks. */
  plain(value: string): string | undefined {
    const producer = this.#values.producer(value)
    if (producer?.domain !== blockedDomain || producer.opType !== 'ReorderInput') return undefined
    return new Attributes(this.#values.model, producer).int('channels_last', 0) === 0 ? producer.inputs[0] : undefined
  }

  /** Channels for which a convolution has filters, less those of zeros that fill up the last block. */
  #usedChannels(node: OnnxNode, side: 'out' | 'in'): number | undefined {
    const filters = node.inputs[1] ?? ''
    const dims = this.#values.initializer(filters)?.dims
    const weights = this.#values.blockedWeights
    const groups = new Attributes(this.#values.model, node).int('group', 1)
    if (dims?.length !== 4 || weights === undefined) return undefined
    const [out, inOfGroup, height, width] = dims as [number, number, number, number]
    const padded = side === 'out' ? out : inOfGroup * groups
    // Only channels of one group are filled up, and only whole blocks tell of having been.
    if (padded % weights.block !== 0 || (side === 'in' && groups > 1)) return padded
    const bytes = weights.bytes(filters)
    if (bytes === undefined) return padded
    const plain = new Uint32Array(unblockFilters(bytes, dims, groups, out, inOfGroup, weights.block).buffer)
    const space = height * width
    let used = 0
    for (const [at, bits] of plain.entries()) {
      const filter = Math.floor(at / space)
      const channel = side === 'out' ? Math.floor(filter / inOfGroup) : filter % inOfGroup
      if (bits !== 0 && channel >= used) used = channel + 1
    }
    // A block of nothing but zeros fills up nothing.
    return used > padded - weights.block ? used : padded
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
