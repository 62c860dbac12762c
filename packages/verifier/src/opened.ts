import { type DType, decodeElements, type RowLookup, rowBytes, type SamplingPlan } from '@tensor-assay/core'

/** Some rows of a tensor. */
export interface OpenedTensor {
  readonly tensor: number
  readonly cols: number
  readonly dtype: DType
  /** Row numbers, ascending. */
  readonly indices: Uint32Array
  /** The rows one after the other. */
  readonly bytes: Uint8Array
}

/** What a plan asked for, as the prover opened it. */
export interface OpenedProduct {
  readonly plan: SamplingPlan
  readonly a: OpenedTensor
  readonly c: OpenedTensor
  /** Where B is an activation. */
  readonly b?: OpenedTensor
  /** Where a tensor is added. */
  readonly addend?: OpenedTensor
}

/** A tensor of a product, for people to read. */
export function tensorTitle(name: 'a' | 'b' | 'c' | 'addend'): string {
  return name === 'addend' ? 'the addend' : name.toUpperCase()
}

/** The opened rows of a tensor by number, decoded once each. */
export function rowLookup(opened: OpenedTensor): RowLookup {
  const positions = new Map(Array.from(opened.indices, (index, position) => [index, position]))
  const decoded = new Map<number, Float64Array>()
  const stride = rowBytes(opened)
  return (index) => {
    let values = decoded.get(index)
    if (values === undefined) {
      const position = positions.get(index)
      if (position === undefined) throw new RangeError(`row ${index} was not opened`)
      const elements = decodeElements(opened.bytes.subarray(position * stride, (position + 1) * stride), opened.dtype)
      values = elements instanceof Float64Array ? elements : new Float64Array(elements)
      decoded.set(index, values)
    }
    return values
  }
}
