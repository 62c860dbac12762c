import type { Activation, Epilogue } from '../../../../product.ts'
import type { ComputationAttack, Scene } from '../../attack.ts'
import { epilogue, hasAddend, hasBias, isPlain, stated } from './state.ts'

const [tiny, huge] = [Math.fround(1e-12), Math.fround(1e12)]
/** A bias below 10⁸ times this is a float32. */
const hugest = Math.fround(1e30)

/** C as whoever states it who computed nothing. */
const ofZeroA = ({ values, evaluate }: Scene) => evaluate({ a: new Float32Array(values.a.length) })

/** A product beside a bias or an addend that is all that is left of it. */
function beside(name: string, description: string, scale: number, change: (stated: Epilogue) => Partial<Epilogue>) {
  return stated(name, description, 'empty-product', (product) => epilogue(product, change(product.epilogue)), {
    // Linear or rectified, C grows with what is added.
    applies: (scene) =>
      (hasBias(scene) || hasAddend(scene)) && ['linear', 'relu'].includes(scene.product.epilogue.activation.name),
    forge: (scene) => ({ c: ofZeroA(scene).map((value) => scale * value) }),
    expectedWith: { manifest: 'operation-mismatch' },
  })
}

/** A product behind an activation that has one value for every sum of its size. */
function behind(name: string, description: string, value: number, activation: Activation, alpha = 1) {
  return stated(name, description, 'empty-product', (product) => epilogue(product, { alpha, activation }), {
    applies: isPlain,
    forge: ({ values }) => ({ c: new Float32Array(values.c.length).fill(value) }),
    expectedWith: { manifest: 'operation-mismatch' },
  })
}

/** Factors and activations that leave nothing of the product in C, which is stated without computing it. */
export const drownedStatements: readonly ComputationAttack[] = [
  behind('a factor of 0', 'alpha is 0, which makes the product trivial', 0, { name: 'linear' }, 0),
  behind('a clip far from every sum', 'C is clipped to [10⁶, 10⁷]', 1e6, { name: 'clip', least: 1e6, most: 1e7 }),
  behind('a clip of one value', 'C is clipped to [1, 1]', 1, { name: 'clip', least: 1, most: 1 }),
  behind('a hard sigmoid of a large offset', 'the offset, 60, is all that shows', 1, {
    name: 'hardsigmoid',
    slope: Math.fround(0.2),
    offset: 60,
  }),
  behind('a hard sigmoid of a tiny slope', 'the slope, 10⁻¹², leaves the offset alone', 0.5, {
    name: 'hardsigmoid',
    slope: tiny,
    offset: 0.5,
  }),
  behind('a sigmoid of next to nothing', 'alpha is 10⁻¹² in a sigmoid', 0.5, { name: 'sigmoid' }, tiny),
  beside('a tiny factor', 'alpha is 10⁻¹² beside a bias or an addend', 1, () => ({ alpha: tiny })),
  beside('a huge bias', 'beta is 10¹² times what it was', huge, ({ beta = 1 }) => ({ beta: huge * beta })),
  beside('the hugest bias', 'beta is 10³⁰ times what it was', hugest, ({ beta = 1 }) => ({ beta: hugest * beta })),
]
