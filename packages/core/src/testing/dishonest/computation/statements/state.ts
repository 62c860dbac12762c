import type { MatmulLayout } from '../../../../layout.ts'
import type { Product, RightOperand, StoredTensor } from '../../../../product.ts'
import type { ComputationAttack, Expected, Forged, Knowledge, Scene } from '../../attack.ts'
import { bytesOf, handleOf } from '../../tensors.ts'

type State = NonNullable<ComputationAttack['state']>

interface Options {
  readonly expectedWith?: Partial<Record<Knowledge, Expected>>
  readonly applies?: (scene: Scene) => boolean
  readonly forge?: (scene: Scene) => Forged
}

/** The tensors are what they are, or what `forge` makes of them, and the product is declared as another one. */
export function stated(
  name: string,
  description: string,
  expected: Expected,
  state: State,
  { expectedWith, applies, forge }: Options = {},
): ComputationAttack {
  return {
    kind: 'computation',
    name: `statement: ${name}`,
    description,
    expected,
    ...(expected === 'limit' ? { says: { status: 'pass' } } : {}),
    ...(expectedWith && { expectedWith }),
    ...(applies && { applies }),
    ...(forge && { forge }),
    state,
  }
}

export const epilogue = (product: Product, change: Partial<Product['epilogue']>): Product => ({
  ...product,
  epilogue: { ...product.epilogue, ...change },
})

export const isLinear = ({ product }: Scene) => product.epilogue.activation.name === 'linear'
export const hasBias = ({ product }: Scene) => product.epilogue.bias !== undefined
export const hasAddend = ({ product }: Scene) => product.addend !== undefined
export const isPlain = (scene: Scene) => isLinear(scene) && !hasBias(scene) && !hasAddend(scene)

/** Two-dimensional products of a B in the order [k, n], to which no tensor is added. */
export function plainLayout({ product }: Scene): MatmulLayout | undefined {
  const { layout, b, addend } = product
  return layout.kind === 'matmul' &&
    addend === undefined &&
    layout.aBatch.length + layout.bBatch.length === 0 &&
    !b.transposed
    ? layout
    : undefined
}

export const isPlainMatMul = (scene: Scene) => isPlain(scene) && plainLayout(scene) !== undefined
export const isSquare = (scene: Scene) => isPlainMatMul(scene) && scene.geometry.k === scene.geometry.n

/** A · Bᵀ. */
export const timesTransposed = ({ geometry: { k }, values, evaluate }: Scene) =>
  evaluate({ b: values.b.map((_, i) => values.b[(i % k) * k + Math.floor(i / k)]!) })

/** B, named as another tensor. */
export const named = (b: RightOperand, stored: StoredTensor): RightOperand => ({ ...b, stored: () => stored })

export const otherOfSize = ({ earlier, values, stored }: Scene): Scene | undefined =>
  earlier.findLast(
    (other) => other.values.b.length === values.b.length && other.stored.bytes.some((x, i) => x !== stored.bytes[i]),
  )

/** The product whose C is this A, if its weight has the same size. */
export const layerBefore = ({ earlier, product, values }: Scene): Scene | undefined =>
  earlier.findLast((other) => other.product.c.key === product.a.key && other.values.b.length === values.b.length)

/** Weights that nobody else knows, as B. */
export function privateWeights(product: Product, scene: Scene): { b: RightOperand; values: Float32Array } {
  const { rows, cols } = product.b
  const values = scene.values.b.map(() => scene.random.signedUnit())
  const stored: StoredTensor = { key: {}, dtype: 'float32', byteLength: values.byteLength, bytes: bytesOf(values) }
  return { b: { ...product.b, ...handleOf(rows, cols, values), stored: () => stored }, values }
}
