import type { MatmulLayout } from '../../../../layout.ts'
import { quantizeRow } from '../../../../numerics/quantized-blocks.ts'
import type { ComputationAttack, Scene } from '../../attack.ts'
import { handleOf } from '../../tensors.ts'
import {
  epilogue,
  hasAddend,
  hasBias,
  isLinear,
  isPlain,
  isPlainMatMul,
  plainLayout,
  privateWeights,
  stated,
} from './state.ts'

/** A, rounded as the declaration says. */
function roundedA({ values, geometry: { a } }: Scene, block: number): Float32Array {
  const out = new Float32Array(values.a.length)
  for (let at = 0; at < out.length; at += a.cols) {
    out.set(quantizeRow(Float64Array.from(values.a.subarray(at, at + a.cols)), block).a, at)
  }
  return out
}

/** Declarations that no honest backend makes. */
export const refusedStatements: readonly ComputationAttack[] = [
  ...(['int32', 'int8'] as const).map((profile) =>
    stated(`profile ${profile}`, 'exact integers are declared for float32 tensors', 'record-malformed', (product) => ({
      ...product,
      profile,
    })),
  ),
  ...(['tf32', 'float16', 'bfloat16'] as const).map((profile) =>
    stated(
      `profile ${profile}`,
      'looser arithmetic is declared than the policy accepts',
      'profile-refused',
      (product) => ({
        ...product,
        profile,
      }),
    ),
  ),
  stated(
    'a factor of a bias that is not there',
    'a factor of no bias',
    'record-malformed',
    (product) => epilogue(product, { beta: 2 }),
    { applies: (scene) => !hasBias(scene) && !hasAddend(scene) },
  ),
  stated('zero points', 'zero points are declared for float32 tensors', 'record-malformed', (product) => ({
    ...product,
    zeroPoints: { a: 3 },
  })),
  stated(
    'private weights',
    'other weights are used, openly',
    'activation-refused',
    (product, scene) => ({ ...product, b: privateWeights(product, scene).b }),
    { expectedWith: { manifest: 'operation-mismatch' } },
  ),
  stated(
    'a public weight as an activation',
    'which weight it is is not said',
    'activation-refused',
    (product) => ({ ...product, b: { ...product.b, role: 'activation' } }),
    { expectedWith: { manifest: 'operation-mismatch' } },
  ),
  stated(
    'a rounded A',
    'A is rounded to 8 bits in blocks before it is multiplied, and declared to be',
    'profile-refused',
    (product) => ({ ...product, roundedBlocks: 8 }),
    {
      applies: isPlainMatMul,
      forge: (scene) => ({ c: scene.evaluate({ a: roundedA(scene, 8) }) }),
      expectedWith: { manifest: 'operation-mismatch' },
    },
  ),
  stated(
    'a rounded A behind an activation',
    'A is declared to be rounded where a rectifier hides how',
    'record-malformed',
    (product) => ({ ...product, roundedBlocks: 8 }),
    { applies: (scene) => !isLinear(scene) },
  ),
  stated(
    'an addend of another size',
    'a tensor is added that has a row more than C',
    'record-malformed',
    (product, { values }) => {
      const { rows, cols } = product.c
      return { ...product, addend: handleOf(rows + 1, cols, new Float32Array(values.c.length + cols)) }
    },
  ),
  stated(
    'an addend added',
    'C is made up, and what is missing is declared to be added to the product',
    'addend-unbound',
    (product, scene) => ({
      ...product,
      addend: handleOf(
        product.c.rows,
        product.c.cols,
        scene.evaluate({}).map((value) => -value),
      ),
    }),
    {
      applies: isPlain,
      forge: ({ values }) => ({ c: new Float32Array(values.c.length) }),
      expectedWith: { manifest: 'operation-mismatch' },
    },
  ),
  stated(
    'B in another shape',
    'B of [k, n] is used as [k/2, 2n], on the rows of A cut in two',
    'weight-reshaped',
    (product, { geometry: { k, n }, product: { layout } }) => {
      const { m } = layout as MatmulLayout
      return {
        ...product,
        layout: { kind: 'matmul', m: 2 * m, k: k / 2, n: 2 * n, aBatch: [], bBatch: [] },
        a: handleOf(2 * m, k / 2, new Float32Array(m * k)),
        c: handleOf(2 * m, 2 * n, new Float32Array(4 * m * n)),
      }
    },
    { applies: (scene) => isPlainMatMul(scene) && scene.geometry.k % 2 === 0 },
  ),
  stated(
    'an empty product',
    'the product is declared to have no rows',
    'empty-product',
    (product, scene) => {
      const layout = plainLayout(scene)!
      return {
        ...product,
        layout: { ...layout, m: 0 },
        a: handleOf(0, layout.k, new Float32Array(0)),
        c: handleOf(0, layout.n, new Float32Array(0)),
      }
    },
    { applies: (scene) => plainLayout(scene) !== undefined },
  ),
  stated(
    'a convolution of padding',
    'the product is declared as a convolution whose every patch lies beside the input',
    'empty-product',
    (product, { geometry: { rows, k, n } }) => ({
      ...product,
      layout: {
        kind: 'convolution',
        channelsLast: true,
        batch: 1,
        groups: 1,
        inChannels: k,
        outChannels: n,
        input: [rows],
        output: [rows],
        kernel: [1],
        strides: [1],
        dilations: [1],
        padding: [2 * rows],
      },
    }),
    {
      applies: isPlainMatMul,
      forge: ({ values }) => ({ c: new Float32Array(values.c.length) }),
      expectedWith: { manifest: 'operation-mismatch' },
    },
  ),
  stated(
    'B as a batch of two halves',
    'B of [k, n] is used as two matrices of [k/2, n], and their products are not added',
    'weight-reshaped',
    (product, { geometry: { k, n }, product: { layout }, values: { a, b } }) => {
      const { m } = layout as MatmulLayout
      const half = k / 2
      const left = Float32Array.from(
        a,
        (_, i) => a[(Math.floor(i / half) % m) * k + Math.floor(i / half / m) * half + (i % half)]!,
      )
      const c = new Float32Array(2 * m * n)
      for (let r = 0; r < 2 * m; r++) {
        const first = Math.floor(r / m) * half
        for (let j = 0; j < n; j++) {
          for (let t = 0; t < half; t++) c[r * n + j]! += left[r * half + t]! * b[j * k + first + t]!
        }
      }
      return {
        ...product,
        layout: { kind: 'matmul', m, k: half, n, aBatch: [2], bBatch: [2] },
        a: handleOf(2 * m, half, left),
        c: handleOf(2 * m, n, c),
      }
    },
    {
      applies: (scene) => isPlainMatMul(scene) && plainLayout(scene)!.k % 2 === 0,
      expectedWith: { input: 'input-mismatch', manifest: 'operation-mismatch' },
    },
  ),
  stated(
    'an opaque operation',
    'the product is said to be none',
    'operation-opaque',
    ({ operation }) => ({ operation, reason: 'it cannot be stated' }),
    { expectedWith: { manifest: 'operation-mismatch' } },
  ),
]
