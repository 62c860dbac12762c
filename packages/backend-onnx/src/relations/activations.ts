import { atLeast, atMost, cube, plus, times } from './elementwise.ts'
import type { Occurrence, Rules } from './occurrence.ts'
import { binary, Underivable, unary, type Value } from './steps.ts'

/** Activations that no product took in. */
export const activationRules: Rules = [
  [':Relu', ({ value }) => atLeast(value(0), 0)],
  [':LeakyRelu', leakyRelu],
  [':Elu', elu],
  [':Clip', clip],
  [':HardSigmoid', hardSigmoid],
  [':HardSwish', ({ value }) => times(value(0), bounded(plus(times(value(0), 1 / 6), 0.5)))],
  [':Softplus', ({ value }) => softplus(value(0))],
  [':Mish', ({ value }) => times(value(0), unary('tanh', softplus(value(0))))],
  [':Softsign', ({ value }) => binary('divide', value(0), plus(unary('abs', value(0)), 1))],
  [
    ':Gelu',
    ({ value, attributes }) => (attributes.string('approximate', 'none') === 'tanh' ? gelu.tanh : gelu.erf)(value(0)),
  ],
  ['com.microsoft:Gelu', ({ value }) => gelu.erf(value(0))],
  ['com.microsoft:BiasGelu', ({ value }) => gelu.erf(binary('add', value(0), value(1)))],
  ['com.microsoft:FastGelu', ({ value, has }) => gelu.tanh(has(1) ? binary('add', value(0), value(1)) : value(0))],
  ['com.microsoft:QuickGelu', quickGelu],
]

/** @see Hendrycks, Gimpel, "Gaussian Error Linear Units (GELUs)", 2016, section 2. */
const gelu = {
  /** x·Φ(x) = x/2·(1 + erf(x/√2)). */
  erf: (x: Value) => times(times(x, 0.5), plus(unary('erf', times(x, Math.SQRT1_2)), 1)),
  /** x/2·(1 + tanh(√(2/π)·(x + 0.044715·x³))). */
  tanh(x: Value): Value {
    const inner = times(plus(x, times(cube(x), 0.044715)), Math.sqrt(2 / Math.PI))
    return times(times(x, 0.5), plus(unary('tanh', inner), 1))
  },
} as const

/** x·σ(α·x). */
function quickGelu({ value, attributes }: Occurrence): Value {
  return times(value(0), unary('sigmoid', times(value(0), attributes.float('alpha', 1.702))))
}

/** A line through the origin lies above that of slope 1 where x is negative, unless it is steeper. */
function leakyRelu({ value, attributes }: Occurrence): Value {
  const slope = attributes.float('alpha', 0.01)
  return binary(slope <= 1 ? 'maximum' : 'minimum', value(0), times(value(0), slope))
}

/** max(x, 0) + α·(exp(min(x, 0)) − 1). */
function elu({ value, attributes }: Occurrence): Value {
  const below = times(plus(unary('exp', atMost(value(0), 0)), -1), attributes.float('alpha', 1))
  return plus(atLeast(value(0), 0), below)
}

/** The bounds are attributes before operator set 11. What is beyond float32 bounds nothing. */
function clip({ value, has, number, attributes, opset }: Occurrence): Value {
  const bound = (input: number, name: string, none: number) => {
    if (opset < 11) return attributes.float(name, none)
    return has(input) ? number(input) : none
  }
  const least = bound(1, 'min', Number.NEGATIVE_INFINITY)
  const most = bound(2, 'max', Number.POSITIVE_INFINITY)
  if (Number.isNaN(least) || Number.isNaN(most)) throw new Underivable('a bound that is not a number')
  const above = least <= -largest ? value(0) : atLeast(value(0), least)
  return most >= largest ? above : atMost(above, most)
}

const largest = 3.4028234663852886e38

function hardSigmoid({ value, attributes }: Occurrence): Value {
  return bounded(plus(times(value(0), attributes.float('alpha', 0.2)), attributes.float('beta', 0.5)))
}

function bounded(x: Value): Value {
  return atLeast(atMost(x, 1), 0)
}

/** log(1 + exp(x)) = max(x, 0) + log(1 + exp(−|x|)), which does not overflow. */
function softplus(x: Value): Value {
  return plus(atLeast(x, 0), unary('log', plus(unary('exp', unary('negate', unary('abs', x))), 1)))
}
