import { plus, times } from './elementwise.ts'
import { axisOf, type Occurrence, type Rules } from './occurrence.ts'
import { binary, normalized, reshaped, sizeOf, Underivable, unary, type Value } from './steps.ts'

export const normalizationRules: Rules = [
  [':LayerNormalization', (at) => layer(at, true)],
  ['com.microsoft:LayerNormalization', (at) => layer(at, true)],
  [':RMSNormalization', (at) => layer(at, false)],
  [':SimplifiedLayerNormalization', (at) => layer(at, false)],
  ['com.microsoft:SimplifiedLayerNormalization', (at) => layer(at, false)],
  ['com.microsoft:SkipLayerNormalization', (at) => skip(at, { beta: 3, bias: 4 })],
  ['com.microsoft:SkipSimplifiedLayerNormalization', (at) => skip(at, { bias: 3 })],
  [':BatchNormalization', batch],
  [':InstanceNormalization', instance],
  [':GroupNormalization', group],
]

/** Inputs: X, scale, bias. @see https://onnx.ai/onnx/operators/onnx__LayerNormalization.html */
function layer({ value, has, attributes, output }: Occurrence, centred: boolean): Value {
  if (output !== 0) throw new Underivable('the mean or deviation inside a normalisation')
  const x = value(0)
  const axis = axisOf(attributes.int('axis', -1), x.shape.length)
  const scaled = times(normalized(x, axis, attributes.float('epsilon', 1e-5), centred), value(1))
  return has(2) ? plus(scaled, value(2)) : scaled
}

/** Outputs of the operators that add a residual before they normalise. */
const [normalizedOutput, sumOutput] = [0, 3]

/** Inputs: x, skip, gamma, and beta and a bias of x, if any. */
function skip(at: Occurrence, inputs: { readonly beta?: number; readonly bias: number }): Value {
  const { value, has, attributes, output } = at
  const sum = plus(value(0), value(1))
  const whole = has(inputs.bias) ? plus(sum, value(inputs.bias)) : sum
  if (output === sumOutput) return whole
  if (output !== normalizedOutput) throw new Underivable('the mean or deviation inside a normalisation')
  const centred = inputs.beta !== undefined
  const scaled = times(normalized(whole, whole.shape.length - 1, attributes.float('epsilon', 1e-12), centred), value(2))
  return inputs.beta !== undefined && has(inputs.beta) ? plus(scaled, value(inputs.beta)) : scaled
}

/** Inputs: X, scale, bias, mean, variance; of the model, not of what is in the batch. */
function batch({ value, attributes, output }: Occurrence): Value {
  if (output !== 0 || attributes.int('training_mode', 0) !== 0 || attributes.int('spatial', 1) === 0) {
    throw new Underivable('a batch normalisation that learns')
  }
  const x = value(0)
  const [scale, bias, mean, variance] = [1, 2, 3, 4].map((input) => ofChannels(value(input), x)) as Vectors
  const deviation = unary('sqrt', plus(variance, attributes.float('epsilon', 1e-5)))
  return plus(times(binary('divide', binary('subtract', x, mean), deviation), scale), bias)
}

type Vectors = [Value, Value, Value, Value]

/** Each channel by itself. */
function instance({ value, attributes }: Occurrence): Value {
  const x = value(0)
  const result = normalized(x, 2, attributes.float('epsilon', 1e-5), true)
  return plus(times(result, ofChannels(value(1), x)), ofChannels(value(2), x))
}

/** Neighbouring channels together. Since operator set 21, scale and bias are of channels. */
function group({ value, attributes, opset }: Occurrence): Value {
  if (opset < 21) throw new Underivable(`GroupNormalization of operator set ${opset}`)
  const x = value(0)
  const groups = attributes.int('num_groups', 1)
  const [count] = x.shape
  const grouped = reshaped(x, [count!, groups, sizeOf(x.shape) / (count! * groups)])
  const result = reshaped(normalized(grouped, 2, attributes.float('epsilon', 1e-5), true), x.shape)
  return plus(times(result, ofChannels(value(1), x)), ofChannels(value(2), x))
}

/** A vector along the second axis of `x`. */
function ofChannels(vector: Value, x: Value): Value {
  return reshaped(vector, [sizeOf(vector.shape), ...x.shape.slice(2).map(() => 1)])
}
