import type { ReductionName } from '@tensor-assay/core'
import type { Occurrence, Rule, Rules } from './occurrence.ts'
import { reduced, reshaped, sliced, Underivable, type Value } from './steps.ts'

/** Operators that take the elements of windows together. */
export const poolingRules: Rules = [
  [':GlobalAveragePool', global('mean')],
  [':GlobalMaxPool', global('max')],
  [':AveragePool', (at) => windows('mean', at)],
  [':MaxPool', (at) => windows('max', at)],
]

function global(op: ReductionName): Rule {
  return ({ value }) => {
    const x = value(0)
    const space = x.shape.map((_, i) => i).slice(2)
    return reduced(op, x, space, true)
  }
}

/** Windows side by side, which are axes of their own once those of the image are cut into pieces. */
function windows(op: ReductionName, { value, attributes, output }: Occurrence): Value {
  const kernel = attributes.ints('kernel_shape', undefined) ?? []
  const strides = attributes.ints('strides', undefined) ?? kernel.map(() => 1)
  const pads = attributes.ints('pads', undefined) ?? []
  const dilations = attributes.ints('dilations', undefined) ?? []
  const isPlain =
    output === 0 &&
    kernel.every((size, i) => size === strides[i]) &&
    pads.every((size) => size === 0) &&
    dilations.every((step) => step === 1) &&
    attributes.int('ceil_mode', 0) === 0 &&
    ['NOTSET', 'VALID'].includes(attributes.string('auto_pad', 'NOTSET'))
  if (!isPlain) throw new Underivable('windows that overlap or reach beyond the image')
  let x = value(0)
  const [batch, channels, ...space] = x.shape
  const counts = space.map((size, i) => Math.floor(size / kernel[i]!))
  for (const [i, count] of counts.entries()) {
    if (count * kernel[i]! !== space[i]) x = sliced(x, i + 2, 0, count * kernel[i]!)
  }
  const pieces = reshaped(x, [batch!, channels!, ...counts.flatMap((count, i) => [count, kernel[i]!])])
  return reduced(
    op,
    pieces,
    kernel.map((_, i) => 2 * i + 3),
    false,
  )
}
