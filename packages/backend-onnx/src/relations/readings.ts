import type { Matrices } from '../products/matrices.ts'
import { handleOf, type Operand, type Operands } from '../products/operands.ts'
import type { TensorKeys } from '../products/tensor-keys.ts'
import { reshaped, sizeOf, transposed, Underivable, type Value } from './steps.ts'

/** The values that products of one run gave or read, as their handles report them. */
export class Readings {
  readonly #keys: TensorKeys
  readonly #given = new Map<string, Operand>()
  readonly #read = new Map<string, Operand[]>()

  constructor(products: readonly Operands[], keys: TensorKeys) {
    this.#keys = keys
    for (const { statement, a, b, c, addend, isWeight } of products) {
      this.#add(statement.a, a)
      if (!isWeight) this.#add(statement.b.value, b)
      if (statement.addend !== undefined && addend !== undefined) this.#add(statement.addend, addend)
      this.#given.set(statement.c, c)
    }
  }

  get names(): Iterable<string> {
    return new Set([...this.#given.keys(), ...this.#read.keys()])
  }

  /** Whether a product has reported the same value as the same rows. */
  has(value: string, key: object): boolean {
    const given = this.#given.get(value)
    const all = [...(given ? [given] : []), ...(this.#read.get(value) ?? [])]
    return all.some((operand) => handleOf(operand, this.#keys)?.key === key)
  }

  /** A value by what a product gave or, if none did, read. */
  value(name: string): Value | undefined {
    const operand = this.#given.get(name) ?? this.#read.get(name)?.[0]
    return operand && this.#valueOf(operand)
  }

  #add(value: string, operand: Operand): void {
    const operands = this.#read.get(value)
    if (operands === undefined) this.#read.set(value, [operand])
    else operands.push(operand)
  }

  #valueOf(operand: Operand): Value {
    const { tensor, matrices } = operand
    const { count, rows, cols, transposed: isTurned } = matrices
    if (tensor.type !== 'float32') throw new Underivable(`elements of ${tensor.type}`)
    if (count * rows * cols !== sizeOf(tensor.dims)) throw new Underivable('a tensor of which a product reads a part')
    const { key } = handleOf(operand, this.#keys)!
    const leaf = (shape: readonly number[]): Value => ({ derivation: { op: 'tensor', key, shape }, shape })
    if (!isTurned) return leaf(tensor.dims)
    if (liesAsMatrices(tensor.dims, matrices)) return turned(leaf([...tensor.dims.slice(0, -2), rows, cols]))
    return reshaped(turned(leaf([count, rows, cols])), tensor.dims)
  }
}

/** A value as the rows that a product reads. */
export function asRows(value: Value, matrices: Matrices): Value {
  const { count, rows, cols, transposed: isTurned } = matrices
  if (!isTurned) return value
  return turned(liesAsMatrices(value.shape, matrices) ? value : reshaped(value, [count, cols, rows]))
}

/** Whether matrices that are read transposed are the last two axes of a tensor. */
function liesAsMatrices(dims: readonly number[], { rows, cols }: Matrices): boolean {
  return dims.length >= 2 && dims.at(-2) === cols && dims.at(-1) === rows
}

function turned(value: Value): Value {
  const axes = value.shape.map((_, i) => i)
  return transposed(value, [...axes.slice(0, -2), axes.length - 1, axes.length - 2])
}
