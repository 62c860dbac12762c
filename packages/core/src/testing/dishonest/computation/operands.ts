import type { ComputationAttack, Scene } from '../attack.ts'
import { orthonormalise } from './weights.ts'

/** A vector v of length 1 with v·B = 0 but for rounding, where B has more rows than columns. */
function nullVector({ geometry, values, random }: Scene): Float64Array {
  const { k, n } = geometry
  const columns: Float64Array[] = []
  for (let j = 0; j < n; j++) {
    const column = Float64Array.from(values.b.subarray(j * k, (j + 1) * k))
    orthonormalise(column, columns)
    columns.push(column)
  }
  const vector = Float64Array.from({ length: k }, () => random.signedUnit())
  orthonormalise(vector, columns)
  return vector
}

/** Every row of A moved by `multiple` of a vector that B does not see. */
function movedUnseen(scene: Scene, multiple: number): Float32Array {
  const vector = nullVector(scene)
  return scene.values.a.map((value, i) => value + multiple * vector[i % vector.length]!)
}

const hasAddend = ({ product }: Scene) => product.addend !== undefined

const hasNullVector = ({ geometry, product }: Scene) =>
  product.layout.kind === 'matmul' &&
  geometry.matrices === 1 &&
  geometry.k > geometry.n &&
  product.epilogue.activation.name === 'linear'

/** An A other than that of the run, with the C that belongs to it. */
function consistent(
  name: string,
  description: string,
  a: (scene: Scene) => Float32Array,
  applies?: (scene: Scene) => boolean,
): ComputationAttack {
  return {
    kind: 'computation',
    name: `operands: ${name}`,
    description,
    expected: 'limit',
    says: { status: 'pass' },
    expectedWith: { input: 'input-mismatch', output: 'output-mismatch', manifest: 'link-broken' },
    ...(applies === undefined ? {} : { applies }),
    forge(scene) {
      const forged = a(scene)
      return { a: forged, c: scene.evaluate({ a: forged }) }
    },
  }
}

const previous = ({ earlier, values }: Scene) => earlier.findLast((scene) => scene.values.a.length === values.a.length)

/** Lies about A. Only what the user sent and received, and links between operations, show them. */
export const operandAttacks: readonly ComputationAttack[] = [
  consistent('an invented A', 'A is made up, and C is its product', ({ values, random }) =>
    values.a.map(() => random.signedUnit()),
  ),
  // Without a bias a linear model is zero from there on, and nothing of it is evidence.
  consistent(
    'a zero A',
    'A is zero, so that C is what is added to the product',
    ({ values }) => values.a.map(() => 0),
    ({ product }) => product.epilogue.bias !== undefined,
  ),
  consistent('a zero A but for a row', 'one input is run, and the others are shown as zeros', ({ values, geometry }) =>
    values.a.map((value, i) => (i < geometry.a.cols ? value : 0)),
  ),
  consistent('one row of A for all', 'one input is run, and shown for all', ({ values, geometry }) =>
    values.a.map((_, i) => values.a[i % geometry.a.cols]!),
  ),
  consistent(
    'a stale A',
    'A of an earlier product',
    (scene) => previous(scene)!.values.a,
    (scene) => previous(scene) !== undefined,
  ),
  consistent('a rounded A', 'A is quantised to 8 bits before it is used', ({ values }) =>
    values.a.map((value) => Math.round(value * 127) / 127),
  ),
  {
    kind: 'computation',
    name: 'operands: an addend that explains any C',
    description: 'C is made up, and what is missing is shown as what was added to the product',
    expected: 'limit',
    says: { status: 'pass' },
    expectedWith: { output: 'output-mismatch', manifest: 'link-broken' },
    applies: (scene) => hasAddend(scene) && scene.product.epilogue.activation.name === 'linear',
    forge: (scene) => {
      const c = scene.values.c.map(() => scene.random.signedUnit())
      const { beta = 1 } = scene.product.epilogue
      const product = scene.evaluate({ addend: new Float32Array(c.length) })
      return { c, addend: c.map((value, i) => (value - product[i]!) / beta) }
    },
  },
  {
    kind: 'computation',
    name: 'operands: an addend of other rows',
    description: 'the rows that are added are those of other inputs, C is right',
    expected: 'value-out-of-tolerance',
    applies: hasAddend,
    forge: ({ values: { addend = new Float32Array(0), c }, geometry }) => ({
      addend: addend.map((_, i) => addend[(i + geometry.c.cols) % addend.length]!),
      c,
    }),
  },
  {
    kind: 'computation',
    name: 'operands: NaN in an addend',
    description: 'what is added holds NaN, so that no comparison decides',
    expected: 'tolerance-guard',
    applies: hasAddend,
    forge: ({ values }) => ({ addend: values.c.map(() => Number.NaN), c: values.c }),
  },
  {
    kind: 'computation',
    name: 'operands: an A that inflates the tolerance',
    description:
      'a large multiple of a vector that B does not see is added to A, so that a wrong C hides in the rounding',
    expected: 'tolerance-guard',
    applies: hasNullVector,
    forge: (scene) => ({ a: movedUnseen(scene, 1e4), c: scene.values.c }),
  },
  {
    kind: 'computation',
    name: 'operands: an A that B does not tell from the right one',
    description: 'A is moved along a vector that B does not see, which changes no C',
    expected: 'limit',
    says: { status: 'pass' },
    expectedWith: { input: 'input-mismatch', manifest: 'link-broken' },
    applies: hasNullVector,
    forge: (scene) => {
      const a = movedUnseen(scene, 0.5)
      return { a, c: scene.evaluate({ a }) }
    },
  },
  {
    kind: 'computation',
    name: 'operands: an A of other rows',
    description: 'the rows of A are those of other inputs, C is right',
    expected: 'value-out-of-tolerance',
    forge: ({ values, geometry: { a } }) => ({
      a: values.a.map((_, i) => values.a[(i + a.cols) % values.a.length]!),
      c: values.c,
    }),
  },
  {
    kind: 'computation',
    name: 'operands: NaN in A',
    description: 'A holds NaN, so that no comparison decides',
    expected: 'tolerance-guard',
    forge: ({ values }) => ({ a: values.a.map(() => Number.NaN), c: values.c }),
  },
]
