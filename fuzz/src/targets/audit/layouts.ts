import { geometryOf, type ProductRecord, type Weight } from '@tensor-assay/core'
import type { Choices } from './choices.ts'

type Layout = ProductRecord['layout']

/** Sizes that go with a weight, cut some way or other, or any. */
export function layoutOf(choices: Choices, { shape }: Weight): Layout {
  const convolves = choices.once(shape.length === 4 ? 2 : 8)
  return convolves ? convolution(choices, shape) : matmul(choices, shape)
}

function matmul(choices: Choices, shape: readonly number[]): Layout {
  const elements = shape.reduce((product, size) => product * size, 1)
  const asItIs = shape.length > 1 && !choices.once(4)
  const n = asItIs ? shape.at(-1)! : choices.pick([1, elements, choices.size()])
  const k = asItIs ? shape.at(-2)! : Math.floor(elements / Math.max(1, n))
  const batch = () => choices.list(choices.once(8) ? 8 : 1, () => choices.size())
  return {
    kind: 'matmul',
    m: choices.size(),
    k: choices.once(16) ? choices.size() : k,
    n,
    aBatch: choices.once(3) ? batch() : [],
    bBatch: shape.length === 3 ? [shape[0]!] : choices.once(8) ? batch() : [],
  }
}

function convolution(choices: Choices, shape: readonly number[]): Layout {
  const channelsLast = !choices.once(2)
  const order = channelsLast ? [0, 1, 2, 3] : [2, 3, 1, 0]
  const [height = 1, width = 1, ins = 1, outs = 1] = order.map((d) => shape[d])
  const dimensions = choices.once(16) ? 1 + choices.below(3) : 2
  const space = (usual: () => number) =>
    Array.from({ length: dimensions }, () => (choices.once(24) ? choices.size() : usual()))
  const groups = choices.once(4) ? 1 + choices.below(3) : 1
  return {
    kind: 'convolution',
    channelsLast,
    batch: choices.once(4) ? choices.size() : 1,
    groups,
    inChannels: choices.once(8) ? choices.size() : ins * groups,
    outChannels: choices.once(8) ? choices.size() : outs,
    input: space(() => 3 + choices.below(3)),
    output: space(() => 1 + choices.below(3)),
    kernel: choices.once(8) ? space(() => choices.size()) : [height, width],
    strides: space(() => 1 + choices.below(2)),
    dilations: space(() => 1 + choices.below(2)),
    padding: space(() => choices.below(3)),
  }
}

export interface Sizes {
  readonly a: { readonly rows: number; readonly cols: number }
  readonly c: { readonly rows: number; readonly cols: number }
  readonly rows: number
  readonly matrices: number
  readonly n: number
  readonly k: number
}

/** What the verifier will expect, where it can be computed. */
export function sizesOf(layout: Layout): Sizes {
  try {
    return geometryOf(layout)
  } catch {
    const one = { rows: 1, cols: 1 }
    return { a: one, c: one, rows: 1, matrices: 1, n: 1, k: 1 }
  }
}
