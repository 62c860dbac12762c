import type { Derivation, Product, TensorHandle } from '@tensor-assay/core'
import { toFloat64 } from '@tensor-assay/core'
import * as ort from 'onnxruntime-node'
import { onnx } from '../../src/index.ts'
import { Relations } from '../../src/relations/relations.ts'
import type { TestModel } from '../models/index.ts'
import { evaluate } from './evaluate.ts'
import { feedsFor, type levels, optionsAt } from './ort.ts'

/** An operand that a product read, and what was said of it. */
export interface DerivedOperand {
  /** Place of the product among those of the run. */
  readonly product: number
  readonly name: 'a' | 'b' | 'addend'
  readonly node: string
  /** Whether it is, read in the same way, a tensor of a product before. */
  readonly isLinked: boolean
  readonly derivation: Derivation | undefined
  /** Why there is none. */
  readonly reason: string | undefined
  readonly read: Float64Array
  /** What products before gave and read. */
  readonly before: ReadonlyMap<object, Float64Array>
  readonly deviation: number | undefined
}

/** Runs a model once, and asks each operand that is no weight where it comes from. */
export async function derivedOperands(
  { file, feeds }: Pick<TestModel, 'file' | 'feeds'>,
  level: (typeof levels)[number],
): Promise<DerivedOperand[]> {
  using backend = onnx(ort)
  const session = await ort.InferenceSession.create(file, optionsAt(level))
  const found: DerivedOperand[] = []
  const failures: unknown[] = []
  const tensors = new Map<object, Float64Array>()
  const reasons: string[] = []
  const derive = Relations.prototype.derive
  Relations.prototype.derive = function (...given) {
    const result = derive.apply(this, given)
    reasons.push('reason' in result ? result.reason : '')
    return result
  }
  let products = 0
  using _interception = backend.intercept({
    wantsDerivations: true,
    product(product) {
      try {
        found.push(...operandsOf(product, products++))
      } catch (failure) {
        failures.push(failure)
      }
    },
    opaque() {},
  })
  try {
    await session.run(feedsFor(session, feeds))
  } finally {
    Relations.prototype.derive = derive
  }
  await session.release()
  for (const failure of failures) throw failure
  return found

  function operandsOf({ a, b, c, addend, node }: Product, product: number): DerivedOperand[] {
    const operands = { a, ...(b.role === 'activation' && { b }), ...(addend && { addend }) }
    const before = new Map(tensors)
    const stated = Object.entries(operands).map(([name, handle]): DerivedOperand => {
      const derivation = handle.derivation?.()
      return {
        product,
        name: name as DerivedOperand['name'],
        node: node ?? '',
        isLinked: before.has(handle.key),
        derivation,
        reason: derivation ? undefined : reasons.at(-1),
        read: numbersOf(handle),
        before,
        deviation: derivation && deviationOf(numbersOf(handle), derivation, before),
      }
    })
    for (const handle of [...Object.values(operands), c]) {
      if (handle.dtype === 'float32') tensors.set(handle.key, numbersOf(handle))
    }
    return stated
  }
}

function numbersOf(handle: TensorHandle): Float64Array {
  const matrix = handle.read(undefined, (bytes) => new Uint8Array(bytes))
  if (matrix instanceof Promise) throw new Error('a promise')
  return toFloat64(matrix.bytes, matrix.dtype)
}

/** Largest difference between what was read and what a derivation gives, over the size of the former. */
export function deviationOf(
  read: Float64Array,
  derivation: Derivation,
  before: ReadonlyMap<object, Float64Array>,
): number {
  const tensor = (key: object) => {
    const known = before.get(key)
    if (known === undefined) throw new Error('a tensor that no product before has reported')
    return known
  }
  const { data } = evaluate(derivation, { tensor })
  if (data.length !== read.length) throw new Error(`${data.length} elements, expected ${read.length}`)
  const size = read.reduce((most, value) => Math.max(most, Math.abs(value)), 1)
  return data.reduce((most, value, i) => Math.max(most, Math.abs(value - read[i]!)), 0) / size
}
