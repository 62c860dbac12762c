import { type Activation, decodeElements, type Epilogue, type VectorOperand, type ZeroPoints } from '@tensor-assay/core'
import type { PlannedActivation, Statement } from '../graph/statement.ts'
import type { TappedRun } from '../session/session-observer.ts'
import type { TapTensor } from '../taps/tap-tensor.ts'
import { elementsOf, storedOf } from './matrices.ts'
import { biasTensor } from './right-side.ts'

/** What surrounds a product in one run, or why it cannot be stated. */
export interface Surroundings {
  readonly epilogue: Epilogue
  readonly zeroPoints?: ZeroPoints
}

interface Problem {
  readonly reason: string
}

/** @param columns - Columns of op(B), over all matrices. */
export function surroundings(statement: Statement, run: TappedRun, n: number, columns: number): Surroundings | Problem {
  try {
    return stated(statement, run, n, columns)
  } catch (problem) {
    if (problem instanceof Unstatable) return { reason: problem.message }
    throw problem
  }
}

class Unstatable extends Error {}

function stated(statement: Statement, run: TappedRun, n: number, columns: number): Surroundings {
  const { factors, zeroPoints, bias, beta, addend } = statement
  const integers = statement.arithmetic === 'integer'
  if (addend !== undefined && integers) throw new Unstatable('it adds another tensor to integers')

  const value = (name: string): TapTensor => {
    const tensor = run.value(name)
    if (tensor === undefined) throw new Unstatable(`${name} cannot be read`)
    return tensor
  }
  const scalar = (name: string): number => {
    const tensor = value(name)
    const elements = elementsOf(tensor)
    const numbers = elements && decodeElements(elements.bytes(), elements.dtype)
    if (numbers?.length !== 1) throw new Unstatable(`${name} of shape [${tensor.dims}] where one number is expected`)
    return numbers[0]!
  }
  const vector = (name: string, what: string, tensor = value(name)): VectorOperand => {
    const elements = elementsOf(tensor)
    const length = tensor.dims.reduce((product, size) => product * size, 1)
    if (elements === undefined) throw new Unstatable(`${what} of ${tensor.type}`)
    if (run.plan.origin(name) === 'computed' || run.plan.origin(name) === 'input') {
      throw new Unstatable(`${what} that the run computes`)
    }
    const isRow = length === 1 || ((length === n || length === columns) && tensor.dims.at(-1) === length)
    if (!isRow) throw new Unstatable(`${what} of shape [${tensor.dims}], which is not the same for every row`)
    return {
      length,
      dtype: elements.dtype,
      stored: () => storedOf(tensor, elements.dtype),
    }
  }

  let alpha = statement.alpha
  let scales: VectorOperand | undefined
  for (const { value: name, inverse } of factors) {
    const isScalar = value(name).dims.every((size) => size === 1)
    if (isScalar) alpha = inverse ? alpha / scalar(name) : alpha * scalar(name)
    else if (scales === undefined && !inverse) scales = vector(name, 'a scale')
    else throw new Unstatable('several scales for each column')
  }
  const biasVector = bias === undefined ? undefined : vector(bias, 'a bias', biasTensor(statement, value(bias)))
  if (biasVector && integers && statement.biasBeforeScale !== (biasVector.dtype === 'int32')) {
    throw new Unstatable(`a bias of ${biasVector.dtype} beside integers`)
  }
  const zeroB = zeroPoints.b === undefined ? undefined : vector(zeroPoints.b, 'a zero point')
  const zeroA = zeroPoints.a === undefined ? 0 : scalar(zeroPoints.a)
  const zeroC = zeroPoints.c === undefined ? undefined : scalar(zeroPoints.c)
  return {
    epilogue: {
      alpha,
      ...(scales && { scales }),
      ...(biasVector && { bias: biasVector }),
      ...((biasVector || addend !== undefined) && beta !== 1 && { beta }),
      activation: activationOf(statement.activation),
      ...(zeroC !== undefined && { zeroPoint: zeroC }),
    },
    ...(integers && { zeroPoints: { a: zeroA, ...(zeroB && { b: zeroB }) } }),
  }
}

const largest = 3.4028234663852886e38

function activationOf(activation: PlannedActivation): Activation {
  switch (activation.name) {
    case 'leakyrelu':
      return { name: 'leakyrelu', slope: activation.alpha }
    case 'elu':
      if (activation.alpha !== 1) throw new Unstatable(`an elu with alpha ${activation.alpha}`)
      return { name: 'elu' }
    case 'clip': {
      // Bounds that are infinite bound nothing, and travel as the largest float32.
      const finite = (bound: number) => Math.min(largest, Math.max(-largest, bound))
      return { name: 'clip', least: finite(activation.least), most: finite(activation.most) }
    }
    default:
      return activation
  }
}
