import type { ProductRecord } from '../../src/codec/messages.ts'

interface Sizes {
  readonly sequence: number
  readonly m: number
  readonly k: number
  readonly n: number
  /** Numbers of its tensors. */
  readonly a: number
  readonly c: number
}

/** The record of C = A·B, where B is a weight. */
export function productOf({ sequence, m, k, n, a, c }: Sizes): ProductRecord {
  return {
    kind: 'product',
    sequence,
    step: 0,
    operation: 'MatMul',
    layout: { kind: 'matmul', m, k, n, aBatch: [], bBatch: [] },
    a,
    b: { kind: 'weight', digest: new Uint8Array(32), transposed: false },
    c,
    alpha: 1,
    activation: { name: 'linear' },
    profile: 'float32',
  }
}
