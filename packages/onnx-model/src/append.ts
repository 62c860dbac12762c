import { bytesField, encodeGraph, type NewGraph } from './encode.ts'

/**
 * Bytes that, written behind those of a model, add to its graph. Protobuf merges a message field that occurs twice, and
 * joins repeated fields, so nothing of the model itself is written anew: what this package does not know survives.
 *
 * New nodes come last, so they may use every value of the graph; they cannot be used by the model's own nodes.
 *
 * @example
 * ```ts
 * const tapped = join([model, graphAddition({ outputs: [{ name: 'hidden' }] })])
 * ```
 */
export function graphAddition(addition: NewGraph): Uint8Array {
  return bytesField(7, encodeGraph(addition))
}
