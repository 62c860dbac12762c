import type { Derivation } from '@tensor-assay/core'
import { handleOf, type Operand, type Operands } from '../products/operands.ts'
import type { TensorKeys } from '../products/tensor-keys.ts'
import type { RunValues } from '../session/session-observer.ts'
import { asRows, Readings } from './readings.ts'
import { Underivable } from './steps.ts'
import { Walk } from './walk.ts'

/** Steps of a derivation, at most. */
export const maxSteps = 256

/** How the operands of a run's products follow from products before. Costs next to nothing until it is asked. */
export class Relations {
  readonly #run: RunValues
  readonly #keys: TensorKeys
  readonly #products: Operands[] = []

  constructor(run: RunValues, keys: TensorKeys) {
    this.#run = run
    this.#keys = keys
  }

  /** @param operands - Of a product that follows all those that were added before. */
  add(operands: Operands): void {
    this.#products.push(operands)
  }

  /**
   * A function that states how an operand follows from the products that have been added until now; it gives undefined where
   * that cannot be said.
   *
   * @param value - The value of the graph that the operand is.
   */
  derivationOf(value: string, operand: Operand): () => Derivation | undefined {
    const before = this.#products.length
    return () => {
      const found = this.derive(value, operand, before)
      return 'reason' in found ? undefined : found
    }
  }

  /** The same at once, or why it cannot be said. @param before - Of how many products it may follow. */
  derive(
    value: string,
    operand: Operand,
    before: number = this.#products.length,
  ): Derivation | { readonly reason: string } {
    const key = handleOf(operand, this.#keys)?.key
    if (key === undefined || operand.tensor.type !== 'float32') return { reason: `elements of ${operand.tensor.type}` }
    const readings = new Readings(this.#products.slice(0, before), this.#keys)
    if (readings.has(value, key)) return { reason: 'the same rows as before' }
    try {
      const found = new Walk(this.#run, readings).value(value)
      const { derivation } = asRows(found, operand.matrices)
      return hasAtMost(maxSteps, derivation) ? derivation : { reason: `more than ${maxSteps} steps` }
    } catch (problem) {
      if (problem instanceof Underivable) return { reason: problem.message }
      throw problem
    }
  }
}

function hasAtMost(most: number, derivation: Derivation): boolean {
  const steps = new Set([derivation])
  for (const step of steps) {
    const inputs = 'of' in step ? step.of : 'y' in step ? [step.x, step.y] : 'x' in step ? [step.x] : []
    for (const input of inputs) steps.add(input)
    if (steps.size > most) return false
  }
  return true
}
