import type { MatmulLayout } from '../../../layout.ts'
import { activate } from '../../../numerics/epilogue.ts'
import type { Product, RightOperand, StoredTensor } from '../../../product.ts'
import type { ComputationAttack, Expected, Forged, Knowledge, Scene } from '../attack.ts'
import { bytesOf, handleOf } from '../tensors.ts'

type State = NonNullable<ComputationAttack['state']>

interface Options {
  readonly expectedWith?: Partial<Record<Knowledge, Expected>>
  readonly applies?: (scene: Scene) => boolean
  readonly forge?: (scene: Scene) => Forged
}

/** The tensors are what they are, or what `forge` makes of them, and the product is declared as another one. */
function stated(
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

const epilogue = (product: Product, change: Partial<Product['epilogue']>): Product => ({
  ...product,
  epilogue: { ...product.epilogue, ...change },
})

const isLinear = ({ product }: Scene) => product.epilogue.activation.name === 'linear'
const hasBias = ({ product }: Scene) => product.epilogue.bias !== undefined
const isPlain = (scene: Scene) => isLinear(scene) && !hasBias(scene)

/** Two-dimensional products of a B in the order [k, n]. */
function plainLayout({ product }: Scene): MatmulLayout | undefined {
  const { layout, b } = product
  return layout.kind === 'matmul' && layout.aBatch.length + layout.bBatch.length === 0 && !b.transposed
    ? layout
    : undefined
}

const isPlainMatMul = (scene: Scene) => isPlain(scene) && plainLayout(scene) !== undefined
const isSquare = (scene: Scene) => isPlainMatMul(scene) && scene.geometry.k === scene.geometry.n

/** A · Bᵀ. */
const timesTransposed = ({ geometry: { k }, values, evaluate }: Scene) =>
  evaluate({ b: values.b.map((_, i) => values.b[(i % k) * k + Math.floor(i / k)]!) })

/** B, named as another tensor. */
const named = (b: RightOperand, stored: StoredTensor): RightOperand => ({ ...b, stored: () => stored })

const otherOfSize = ({ earlier, values, stored }: Scene): Scene | undefined =>
  earlier.findLast(
    (other) => other.values.b.length === values.b.length && other.stored.bytes.some((x, i) => x !== stored.bytes[i]),
  )

/** The product whose C is this A, if its weight has the same size. */
const layerBefore = ({ earlier, product, values }: Scene): Scene | undefined =>
  earlier.findLast((other) => other.product.c.key === product.a.key && other.values.b.length === values.b.length)

/** Weights that nobody else knows, as B. */
function privateWeights(product: Product, scene: Scene): { b: RightOperand; values: Float32Array } {
  const { rows, cols } = product.b
  const values = scene.values.b.map(() => scene.random.signedUnit())
  const stored: StoredTensor = { key: {}, dtype: 'float32', byteLength: values.byteLength, bytes: bytesOf(values) }
  return { b: { ...product.b, ...handleOf(rows, cols, values), stored: () => stored }, values }
}

/** What is declared is not what was run, on the very tensors. */
const wrong: readonly ComputationAttack[] = [
  stated('a factor that was not there', 'alpha is declared twice as large', 'value-out-of-tolerance', (product) =>
    epilogue(product, { alpha: 2 * product.epilogue.alpha }),
  ),
  stated(
    'a bias left out',
    'the bias that was added is not declared',
    'value-out-of-tolerance',
    (product) => {
      const { bias: _hidden, ...rest } = product.epilogue
      return { ...product, epilogue: rest }
    },
    { applies: hasBias },
  ),
  stated(
    'a bias of private values',
    'a bias is declared that would explain any C of one row',
    'weight-unknown',
    (product, { geometry: { n }, random }) => {
      const bytes = bytesOf(Float32Array.from({ length: n }, () => random.signedUnit()))
      const stored = (): StoredTensor => ({ key: bytes, dtype: 'float32', byteLength: bytes.length, bytes })
      return epilogue(product, { bias: { length: n, dtype: 'float32', stored } })
    },
  ),
  stated(
    'a bias for each entry',
    'a bias as long as C is declared, which would explain any C',
    'record-malformed',
    (product, { values }) => {
      const bytes = bytesOf(values.c)
      const stored = (): StoredTensor => ({ key: values.c, dtype: 'float32', byteLength: bytes.length, bytes })
      return epilogue(product, { bias: { length: values.c.length, dtype: 'float32', stored } })
    },
  ),
  stated(
    'an activation left out',
    'the activation is not declared',
    'value-out-of-tolerance',
    (product) => epilogue(product, { activation: { name: 'linear' } }),
    { applies: (scene) => !isLinear(scene) && scene.values.c.includes(0) },
  ),
  stated(
    'an activation added',
    'relu is declared where none was applied',
    'value-out-of-tolerance',
    (product) => epilogue(product, { activation: { name: 'relu' } }),
    { applies: isLinear },
  ),
  stated(
    'a square B transposed',
    'the product is declared to be by Bᵀ',
    'value-out-of-tolerance',
    (product) => ({ ...product, b: { ...product.b, transposed: true } }),
    { applies: isSquare },
  ),
  stated(
    'another public weight named',
    'the weight of another layer is named',
    'value-out-of-tolerance',
    (product, scene) => ({ ...product, b: named(product.b, otherOfSize(scene)!.stored) }),
    { applies: (scene) => isPlainMatMul(scene) && otherOfSize(scene) !== undefined },
  ),
]

/** Declarations that no honest backend makes. */
const refused: readonly ComputationAttack[] = [
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
    'an opaque operation',
    'the product is said to be none',
    'operation-opaque',
    ({ operation }) => ({ operation, reason: 'it cannot be stated' }),
    { expectedWith: { manifest: 'operation-mismatch' } },
  ),
]

/** Another computation than the model's, consistent in itself: without a manifest nobody knows what the model's is. */
const other: readonly ComputationAttack[] = [
  stated('an omission', 'the operation is not reported', 'limit', () => undefined, {
    expectedWith: { manifest: 'operation-omitted' },
  }),
  stated(
    'another factor',
    'alpha is 0, which makes the product trivial',
    'limit',
    (product) => epilogue(product, { alpha: 0 }),
    {
      applies: isPlain,
      forge: ({ values }) => ({ c: new Float32Array(values.c.length) }),
      expectedWith: { manifest: 'operation-mismatch' },
    },
  ),
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
    'a convolution of padding',
    'the product is declared as a convolution whose every patch lies beside the input',
    'limit',
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

export const statementAttacks: readonly ComputationAttack[] = [...wrong, ...refused, ...other]
