import type { MatmulLayout } from '../../../../layout.ts'
import { activate } from '../../../../numerics/epilogue.ts'
import type { ComputationAttack } from '../../attack.ts'
import { handleOf } from '../../tensors.ts'
import { epilogue, isPlain, isPlainMatMul, isSquare, layerBefore, named, stated, timesTransposed } from './state.ts'

/** Another computation than the model's, consistent in itself: without a manifest nobody knows what the model's is. */
export const otherComputations: readonly ComputationAttack[] = [
  stated('an omission', 'the operation is not reported', 'limit', () => undefined, {
    expectedWith: { manifest: 'operation-omitted' },
  }),
  stated(
    'another activation',
    'relu is applied, and declared, where the model has none',
    'limit',
    (product) => epilogue(product, { activation: { name: 'relu' } }),
    {
      applies: isPlain,
      forge: ({ evaluate }) => ({ c: evaluate({}).map((x) => activate({ name: 'relu' }, 0, x)) }),
      expectedWith: { manifest: 'operation-mismatch' },
    },
  ),
  stated(
    'the product by Bᵀ',
    'a square weight is used, and declared, transposed',
    'limit',
    (product) => ({ ...product, b: { ...product.b, transposed: true } }),
    {
      applies: isSquare,
      forge: (scene) => ({ c: timesTransposed(scene) }),
      expectedWith: { manifest: 'operation-mismatch' },
    },
  ),
  stated(
    'the product by the layer before',
    'the weight of the layer before is used again, and named',
    'limit',
    (product, scene) => ({ ...product, b: named(product.b, layerBefore(scene)!.stored) }),
    {
      applies: (scene) => isPlainMatMul(scene) && layerBefore(scene) !== undefined,
      forge: (scene) => ({ c: scene.evaluate({ b: layerBefore(scene)!.values.b }) }),
      expectedWith: { manifest: 'operation-mismatch' },
    },
  ),
  stated(
    'half of the rows',
    'the product is run, and declared, on half of the rows',
    'limit',
    (product, { values, product: { layout } }) => {
      const { m, k, n } = layout as MatmulLayout
      const half = Math.floor(m / 2)
      return {
        ...product,
        layout: { kind: 'matmul', m: half, k, n, aBatch: [], bBatch: [] },
        a: handleOf(half, k, values.a.slice(0, half * k)),
        c: handleOf(half, n, values.c.slice(0, half * n)),
      }
    },
    { applies: isPlainMatMul, expectedWith: { input: 'input-mismatch', manifest: 'link-broken' } },
  ),
  stated(
    'another name',
    'the operation is called otherwise',
    'limit',
    (product) => ({ ...product, operation: 'Gemm' }),
    {
      expectedWith: { manifest: 'operation-mismatch' },
    },
  ),
  {
    ...stated(
      'a copy of A',
      'the operation reads a copy of the tensor before it, so that nothing links the two',
      'limit',
      (product, { values }) => ({ ...product, a: handleOf(product.a.rows, product.a.cols, values.a) }),
      { expectedWith: { manifest: 'link-broken' } },
    ),
    applies: ({ product, earlier }) => earlier.some(({ product: { c } }) => c.key === product.a.key),
  },
]
