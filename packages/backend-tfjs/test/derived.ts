import {
  type Derivation,
  type Estimate,
  evaluation,
  inputsOf,
  type Product,
  type Relation,
  type TensorHandle,
  toFloat64,
} from '@tensor-assay/core'
import * as tf from '@tensorflow/tfjs-core'
import { type TfjsOptions, tfjs } from '../src/index.ts'
import { allocate } from './observe.ts'

/** What a handle gave, and what its derivation says of it. */
export interface Derived {
  readonly product: Product
  readonly operand: 'a' | 'b'
  readonly derivation: Derivation | undefined
  readonly read: Float64Array
  /** Evaluated from the tensors of products before. */
  readonly followed: { readonly values: Float64Array; readonly errors: Float64Array } | undefined
}

/** The operands of all products of `run`. */
export function derive(run: () => unknown, options: TfjsOptions = {}): Derived[] {
  const known = new Map<object, Float64Array>()
  const derived: Derived[] = []
  const interception = tfjs(tf, options).intercept({
    wantsDerivations: true,
    product(product) {
      for (const operand of ['a', 'b'] as const) {
        const derivation = product[operand].derivation?.()
        const followed = derivation && evaluated(derivation, known)
        derived.push({ product, operand, derivation, read: values(product[operand]), followed })
      }
      for (const handle of [product.a, product.b, product.c]) known.set(handle.key, values(handle))
    },
    opaque: () => undefined,
  })
  try {
    tf.tidy(() => void run())
  } finally {
    interception.restore()
  }
  return derived
}

/** The steps of a derivation by name, each after those that it reads. */
export function stepsOf(derivation: Derivation): string[] {
  return inOrder(derivation).map(({ op }) => op)
}

function evaluated(derivation: Derivation, known: ReadonlyMap<object, Float64Array>): Derived['followed'] {
  const steps = inOrder(derivation)
  const tensors: Float64Array[] = []
  const relation = steps.map((step) => {
    const place = (input: Derivation) => steps.indexOf(input)
    if (step.op === 'tensor') {
      const operation = tensors.push(known.get(step.key)!) - 1
      return { op: 'tensor', operation, tensor: 'c', shape: [...step.shape] }
    }
    if (step.op === 'weight') {
      const stored = step.vector.stored()
      if (stored instanceof Promise) throw new Error('cpu and wasm read at once')
      const digest = String(tensors.push(toFloat64(stored.bytes.slice(), stored.dtype)) - 1)
      return { op: 'weight', digest, shape: [...step.shape] }
    }
    if (step.op === 'number') return step
    if ('of' in step) return { ...step, of: step.of.map(place) }
    return 'y' in step ? { ...step, x: place(step.x), y: place(step.y) } : { ...step, x: place(step.x) }
  }) as Relation
  const elements = (i: number) => (index: number) => tensors[i]![index]!
  const { shape, at } = evaluation(relation, {
    tensor: (operation) => ({ shape: [tensors[operation]!.length], element: elements(operation) }),
    weight: (digest) => elements(Number(digest)),
  })
  const out: Estimate = { value: 0, error: 0 }
  const values = new Float64Array(shape.reduce((product, size) => product * size, 1))
  const errors = new Float64Array(values.length)
  for (let i = 0; i < values.length; i++) {
    at(i, out)
    values[i] = out.value
    errors[i] = out.error
  }
  return { values, errors }
}

function inOrder(derivation: Derivation): Derivation[] {
  const placed = new Set<Derivation>()
  const place = (step: Derivation): void => {
    if (placed.has(step)) return
    for (const input of inputsOf<Derivation>(step)) place(input)
    placed.add(step)
  }
  place(derivation)
  return [...placed]
}

function values(handle: TensorHandle): Float64Array {
  const matrix = handle.read(undefined, allocate)
  if (matrix instanceof Promise) throw new Error('cpu and wasm read at once')
  return toFloat64(matrix.bytes, matrix.dtype)
}
