import type { BinaryName, UnaryName } from '@tensor-assay/core'
import type { Occurrence, Rule, Rules } from './occurrence.ts'
import { binary, numberOf, Underivable, unary, type Value } from './steps.ts'

/** Operators that compute each element from those at its place. */
export const elementwiseRules: Rules = [
  [':Add', folded('add')],
  [':Sum', folded('add')],
  [':Sub', folded('subtract')],
  [':Mul', folded('multiply')],
  [':Div', folded('divide')],
  [':Max', folded('maximum')],
  [':Min', folded('minimum')],
  [':Pow', pow],
  [':Neg', one('negate')],
  [':Abs', one('abs')],
  [':Sqrt', one('sqrt')],
  [':Reciprocal', one('reciprocal')],
  [':Exp', one('exp')],
  [':Log', one('log')],
  [':Erf', one('erf')],
  [':Tanh', one('tanh')],
  [':Sigmoid', one('sigmoid')],
]

function one(op: UnaryName): Rule {
  return ({ value }) => unary(op, value(0))
}

/** Of two operands or, where the operator takes them, of any number. */
function folded(op: BinaryName): Rule {
  return ({ node, value, opset }) => {
    // Then the second operand was repeated along axes that attributes name.
    if (opset < 7) throw new Underivable(`${node.opType} of operator set ${opset}`)
    return node.inputs
      .slice(1)
      .map((_, i) => value(i + 1))
      .reduce((sum, next) => binary(op, sum, next), value(0))
  }
}

function pow({ value, number }: Occurrence): Value {
  const x = value(0)
  const exponent = number(1)
  switch (exponent) {
    case 0.5:
      return unary('sqrt', x)
    case 1:
      return x
    case 2:
      return unary('square', x)
    case 3:
      return cube(x)
    case -1:
      return unary('reciprocal', x)
    default:
      throw new Underivable(`the power ${exponent}`)
  }
}

export function cube(x: Value): Value {
  return times(unary('square', x), x)
}

export function plus(x: Value, y: Value | number): Value {
  return binary('add', x, typeof y === 'number' ? numberOf(y) : y)
}

export function times(x: Value, y: Value | number): Value {
  return binary('multiply', x, typeof y === 'number' ? numberOf(y) : y)
}

export function atLeast(x: Value, least: number): Value {
  return binary('maximum', x, numberOf(least))
}

export function atMost(x: Value, most: number): Value {
  return binary('minimum', x, numberOf(most))
}
