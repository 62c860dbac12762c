import type { OpaqueOperation, Product, ProfileName, RightOperand, TensorHandle } from '@tensor-assay/core'
import type { PlannedProduct } from '../graph/plan.ts'
import type { Relations } from '../relations/relations.ts'
import type { TappedRun } from '../session/session-observer.ts'
import { surroundings } from './epilogue.ts'
import { storedOf } from './matrices.ts'
import { handleOf, type Operand, type Operands } from './operands.ts'
import { leftOperand } from './rounded-blocks.ts'
import type { TensorKeys } from './tensor-keys.ts'

/**
 * A planned product as a run executed it, or why it cannot be stated.
 *
 * @param relations - Of the products of the run that were reported before, where somebody wants to know of them.
 */
export function productOf(
  planned: PlannedProduct,
  run: TappedRun,
  keys: TensorKeys,
  relations?: Relations,
): Product | OpaqueOperation {
  const { node, operation } = planned
  const opaque = (reason: string): OpaqueOperation => ({ node, operation, reason })

  const operands = run.operands(planned)
  if ('reason' in operands) return opaque(operands.reason)
  const { statement, layout, columns, isWeight } = operands
  const [aType, bType, cType] = [operands.a, operands.b, operands.c].map(({ tensor }) => tensor.type)
  const around = surroundings(statement, run, columns.each, columns.all)
  if ('reason' in around) return opaque(around.reason)
  const profile = profileOf(planned, run, aType!, bType!)
  if (typeof profile !== 'string') return opaque(profile.reason)
  const a = handleOf(operands.a, keys)
  const b = rightOperand(operands, keys)
  const c = handleOf(operands.c, keys)
  const addend = operands.addend && handleOf(operands.addend, keys)
  if (!a || !b || !c) return opaque(`elements of ${aType}, ${bType} and ${cType}`)
  if (!isWeight && around.zeroPoints?.b) return opaque('zero points for the columns of a B that the run computes')
  const roundedBlocks = roundedBlocksOf(operands, run, a, c)
  if (typeof roundedBlocks === 'object') return opaque(roundedBlocks.reason)
  const rounding = roundedBlocks === undefined ? {} : { roundedBlocks }
  if (relations !== undefined) addDerivations(relations, operands, { a, b, addend })
  return { operation, node, layout, a, b, c, ...(addend && { addend }), ...around, ...rounding, profile }
}

/** Lets the operands of the next product of a run tell how they follow from those of products before. */
function addDerivations(
  relations: Relations,
  operands: Operands,
  { a, b, addend }: { a: TensorHandle; b: TensorHandle; addend: TensorHandle | undefined },
): void {
  const { statement, isWeight } = operands
  const derivation = (value: string, operand: Operand) => ({ derivation: relations.derivationOf(value, operand) })
  Object.assign(a, derivation(statement.a, operands.a))
  if (!isWeight) Object.assign(b, derivation(statement.b.value, operands.b))
  if (addend && operands.addend) Object.assign(addend, derivation(statement.addend!, operands.addend))
  relations.add(operands)
}

/** @returns Undefined for elements that no row can have. */
export function rightOperand({ b, transposed, isWeight }: Operands, keys: TensorKeys): RightOperand | undefined {
  const handle = handleOf(b, keys)
  return (
    handle &&
    Object.assign(handle, {
      transposed,
      role: isWeight ? ('candidate' as const) : ('activation' as const),
      stored: () => storedOf(b.tensor, handle.dtype),
    })
  )
}

/** The blocks in which A was rounded, if it was, or why that cannot be told. */
function roundedBlocksOf(
  { statement: { arithmetic, b, bias }, ...operands }: Operands,
  run: TappedRun,
  a: TensorHandle,
  c: TensorHandle,
): number | undefined | { readonly reason: string } {
  if (arithmetic !== 'quantised-blocks' || b.kind !== 'packed-blocks') return undefined
  if (run.session.executionProviders.some((name) => name !== 'cpu')) {
    return { reason: 'A may be rounded to 8 bits inside the operator, in a way that is known of the CPU only' }
  }
  const multiplied = leftOperand(b.blockSize, {
    a,
    b: operands.b.tensor,
    c,
    bias: bias === undefined ? undefined : run.value(bias),
    held: operands.a.tensor.gathered?.rows ?? operands.c.tensor.gathered?.rows,
  })
  if (multiplied === 'unknown') return { reason: 'A is rounded inside the operator, in a way that is not known' }
  return multiplied === 'rounded' ? b.blockSize : undefined
}

/** The arithmetic of an execution provider, as far as it is known. */
function profileOf(
  { statement }: PlannedProduct,
  { session }: TappedRun,
  a: string,
  b: string,
): ProfileName | { readonly reason: string } {
  switch (statement.arithmetic) {
    case 'integer':
      return 'int8'
    case 'quantised-blocks':
    case 'float':
      if (a !== 'float32' || b !== 'float32') return { reason: `a product of ${a} and ${b}` }
      // ONNX Runtime lets CUDA round operands to TF32 unless it is told not to.
      return session.executionProviders.some((name) => ['cuda', 'tensorrt'].includes(name)) ? 'tf32' : 'float32'
  }
}
