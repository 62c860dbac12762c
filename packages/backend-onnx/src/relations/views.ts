import { axesOf, axisOf, type Occurrence, type Rules } from './occurrence.ts'
import { concatenated, repeated, reshaped, sizeOf, sliced, transposed, Underivable, type Value } from './steps.ts'

/** Operators that move elements and compute nothing. */
export const viewRules: Rules = [
  [':Identity', ({ value }) => value(0)],
  [':Dropout', dropout],
  [':Cast', cast],
  [':Reshape', reshape],
  [':Flatten', flatten],
  [':Squeeze', squeeze],
  [':Unsqueeze', unsqueeze],
  [':Transpose', transpose],
  [':Expand', expand],
  [':Concat', concat],
  [':Split', split],
  [':Slice', slice],
  [':Gather', gather],
]

/** ONNX's number for float32. */
const float32 = 1

function dropout({ output, has, integers, value }: Occurrence): Value {
  if (output !== 0 || (has(2) && integers(2)[0] !== 0)) throw new Underivable('a dropout that drops')
  return value(0)
}

/** Everything that is stated is float32 already. */
function cast({ attributes, value }: Occurrence): Value {
  const to = attributes.int('to', float32)
  if (to !== float32) throw new Underivable(`elements of type ${to}`)
  return value(0)
}

function reshape({ attributes, integers, value, has }: Occurrence): Value {
  const x = value(0)
  const wanted = has(1) ? integers(1) : (attributes.ints('shape', undefined) ?? [])
  const copies = attributes.int('allowzero', 0) === 0
  const sizes = wanted.map((size, i) => (size === 0 && copies ? (x.shape[i] ?? 0) : size))
  const known = sizeOf(sizes.filter((size) => size !== -1))
  return reshaped(
    x,
    sizes.map((size) => (size === -1 ? sizeOf(x.shape) / known : size)),
  )
}

function flatten({ attributes, value }: Occurrence): Value {
  const x = value(0)
  const axis = axisOf(attributes.int('axis', 1), x.shape.length)
  return reshaped(x, [sizeOf(x.shape.slice(0, axis)), sizeOf(x.shape.slice(axis))])
}

function squeeze(at: Occurrence): Value {
  const x = at.value(0)
  const axes = axesOf(at, x.shape.length)
  return reshaped(
    x,
    x.shape.filter((size, i) => (axes ? !axes.includes(i) : size !== 1)),
  )
}

function unsqueeze(at: Occurrence): Value {
  const x = at.value(0)
  const given = at.has(1) ? at.integers(1) : (at.attributes.ints('axes', undefined) ?? [])
  const rank = x.shape.length + given.length
  const axes = given.map((axis) => axisOf(axis, rank))
  const rest = x.shape.values()
  return reshaped(
    x,
    Array.from({ length: rank }, (_, i) => (axes.includes(i) ? 1 : rest.next().value!)),
  )
}

function transpose({ attributes, value }: Occurrence): Value {
  const x = value(0)
  const backwards = x.shape.map((_, i) => x.shape.length - 1 - i)
  return transposed(x, attributes.ints('perm', undefined) ?? backwards)
}

function expand({ value, integers }: Occurrence): Value {
  const x = value(0)
  const wanted = integers(1)
  const rank = Math.max(x.shape.length, wanted.length)
  const ones = new Array<number>(rank - x.shape.length).fill(1)
  let expanded = ones.length > 0 ? reshaped(x, [...ones, ...x.shape]) : x
  for (const [i, size] of wanted.entries()) {
    const axis = rank - wanted.length + i
    if (size === 1 || expanded.shape[axis] === size) continue
    expanded = repeated(expanded, axis, size)
  }
  return expanded
}

function concat({ node, attributes, value }: Occurrence): Value {
  const parts = node.inputs.map((_, i) => value(i))
  return concatenated(parts, axisOf(attributes.int('axis', 0), parts[0]?.shape.length ?? 0))
}

function split({ node, attributes, output, has, integers, value }: Occurrence): Value {
  const x = value(0)
  const axis = axisOf(attributes.int('axis', 0), x.shape.length)
  const size = x.shape[axis]!
  const part = Math.ceil(size / node.outputs.length)
  const equal = node.outputs.map((_, i) => Math.min(part, size - i * part))
  const sizes = has(1) ? integers(1) : (attributes.ints('split', undefined) ?? equal)
  const start = sizes.slice(0, output).reduce((sum, size) => sum + size, 0)
  return sliced(x, axis, start, start + sizes[output]!)
}

function slice({ attributes, has, integers, value, opset }: Occurrence): Value {
  const list = (input: number, name: string) => {
    if (opset < 10) return attributes.ints(name, undefined)
    return has(input) ? integers(input) : undefined
  }
  let x = value(0)
  const rank = x.shape.length
  const [starts, ends] = [list(1, 'starts') ?? [], list(2, 'ends') ?? []]
  const axes = list(3, 'axes') ?? starts.map((_, i) => i)
  const steps = opset < 10 ? undefined : list(4, 'steps')
  if (steps?.some((step) => step !== 1)) throw new Underivable(`a slice with steps of ${steps}`)
  for (const [i, given] of axes.entries()) {
    const axis = axisOf(given, rank)
    const size = x.shape[axis]!
    const place = (index: number) => Math.min(size, Math.max(0, index < 0 ? index + size : index))
    const start = place(starts[i]!)
    x = sliced(x, axis, start, Math.max(start, place(ends[i]!)))
  }
  return x
}

/** One element of an axis, or neighbours. */
function gather({ attributes, integers, isScalar, value }: Occurrence): Value {
  const x = value(0)
  const axis = axisOf(attributes.int('axis', 0), x.shape.length)
  const size = x.shape[axis]!
  const indices = integers(1).map((index) => (index < 0 ? index + size : index))
  const [first] = indices
  if (first === undefined || indices.some((index, i) => index !== first + i)) {
    throw new Underivable('elements that are no neighbours')
  }
  const part = sliced(x, axis, first, first + indices.length)
  return isScalar(1) ? reshaped(part, part.shape.toSpliced(axis, 1)) : part
}
