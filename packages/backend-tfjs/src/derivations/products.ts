import { type Derivation, inputsOf, type Product, type TensorHandle } from '@tensor-assay/core'
import type { KernelParams, TensorInfo } from '../library.ts'
import type { Tape } from './tape.ts'

/** A tensor that a product reads, and how its handle reads it. */
interface Operand {
  readonly tensor: TensorInfo
  readonly handle: TensorHandle
  /** The tensor's shape as the program has it, in which matrices are the last two axes. */
  readonly held: readonly number[]
  /** Whether the handle's rows are the columns of these matrices. */
  readonly transposed: boolean
}

/** A product of which the handles of A and B say how they follow from products before. */
export function withDerivations(product: Product, params: KernelParams, tape: Tape): Product {
  const { a, b } = operandsOf(product, params)
  const derivation = ({ tensor, held, transposed }: Operand, sources: readonly Derivation['op'][]) => {
    // Rows lie one after the other: their shape is of no account.
    const step = transposed ? tape.derivation(tensor, held) : tape.derivation(tensor)
    if (step === undefined) return undefined
    const leaves = leavesOf(step)
    if (!leaves.every(isThere) || !leaves.some(({ op }) => sources.includes(op))) return undefined
    return transposed ? turned(step, held.length) : step
  }
  return {
    ...product,
    // An A without a product before it is made of the run's input, however much that looks like a public tensor.
    a: { ...product.a, derivation: () => derivation(a, ['tensor']) },
    b: { ...product.b, derivation: () => derivation(b, ['tensor', 'weight']) },
  }
}

/** Tensors and numbers that a derivation starts from. */
function leavesOf(derivation: Derivation): Derivation[] {
  const seen = new Set<Derivation>()
  const waiting = [derivation]
  for (let step = waiting.pop(); step !== undefined; step = waiting.pop()) {
    if (!seen.has(step)) waiting.push(...inputsOf<Derivation>(step))
    seen.add(step)
  }
  return [...seen].filter((step) => inputsOf<Derivation>(step).length === 0)
}

/** Whether a tensor can be read: a program disposes of its own as it likes. */
function isThere(leaf: Derivation): boolean {
  try {
    if (leaf.op === 'weight') leaf.vector.stored()
    return true
  } catch {
    return false
  }
}

/** Enters the tensors of a product as what later ones may follow from; called after the product was observed. */
export function enterProduct(product: Product, params: KernelParams, result: TensorInfo, tape: Tape): void {
  const { a, b } = operandsOf(product, params)
  // A B that the run did not compute may be a public tensor, and is none that is committed to.
  const isCommitted = tape.isUnknown(b.tensor) || product.b.role === 'activation'
  if (isCommitted && tape.derivation(b.tensor, b.held) === undefined) enterSource(b, tape)
  // A is committed to: what follows from it need not go back to what A follows from.
  if (tape.derivation(a.tensor, a.held)?.op !== 'tensor') enterSource(a, tape)
  const c = { tensor: result, handle: product.c, held: heldShape(product, result), transposed: false }
  enterSource(c, tape)
}

function enterSource({ tensor, handle, held, transposed }: Operand, tape: Tape): void {
  const shape = transposed ? [...held.slice(0, -2), held.at(-1)!, held.at(-2)!] : held
  const source: Derivation = { op: 'tensor', key: handle.key, shape }
  const step = transposed ? turned(source, held.length) : source
  tape.enter(tensor, tensor.dtype === 'float32' ? step : undefined, held)
}

function operandsOf(product: Product, { inputs, attrs = {} }: KernelParams): { a: Operand; b: Operand } {
  const { a, b, layout } = product
  if (layout.kind === 'matmul') {
    return {
      a: { tensor: inputs.a!, handle: a, held: heldShape(product, inputs.a!), transposed: attrs.transposeA === true },
      b: { tensor: inputs.b!, handle: b, held: heldShape(product, inputs.b!), transposed: !b.transposed },
    }
  }
  return {
    a: { tensor: inputs.x!, handle: a, held: inputs.x!.shape, transposed: false },
    b: { tensor: inputs.filter!, handle: b, held: [b.cols, b.rows], transposed: true },
  }
}

/**
 * TensorFlow.js gives matrices to its fused kernel as stacks of one. As such they would look like a batch of one, but only in
 * runs that have such a batch.
 */
function heldShape({ operation }: Product, { shape }: TensorInfo): readonly number[] {
  return operation === '_FusedMatMul' && shape.length === 3 && shape[0] === 1 ? shape.slice(1) : shape
}

/** With its last two axes the other way round. */
function turned(x: Derivation, rank: number): Derivation {
  const axes = Array.from({ length: rank - 2 }, (_, axis) => axis)
  return { op: 'transpose', x, permutation: [...axes, rank - 1, rank - 2] }
}
