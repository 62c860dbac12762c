import { activate } from '../../../numerics/epilogue.ts'
import type { ComputationAttack, Scene } from '../attack.ts'
import { biasOf } from '../evaluate.ts'
import { quantised, roundTo, significantBits } from '../formats.ts'

/** C is the right product in other arithmetic than the one declared. */
function computedIn(name: string, description: string, c: (scene: Scene) => Float32Array): ComputationAttack {
  return {
    kind: 'computation',
    name: `arithmetic: ${name}`,
    description,
    expected: 'value-out-of-tolerance',
    forge: (scene) => ({ c: c(scene) }),
  }
}

const isLinear = ({ product: { epilogue, addend } }: Scene) =>
  epilogue.activation.name === 'linear' && !epilogue.bias && !addend

/** ν of each entry: the size of the rounding errors of a float32 sum. Only for products without an epilogue. */
function roundingScale({ geometry, values }: Scene): Float64Array {
  const { rows, k, n } = geometry
  const lookup = (row: number) =>
    Float64Array.from(values.a.subarray(row * geometry.a.cols, (row + 1) * geometry.a.cols))
  const scale = new Float64Array(rows * n)
  for (let r = 0; r < rows; r++) {
    const left = geometry.readA(r, lookup)
    const matrix = geometry.matrixOf(r) * n * k
    for (let j = 0; j < n; j++) {
      let squares = 0
      let sum = 0
      for (let t = 0; t < k; t++) {
        const term = left[t]! * values.b[matrix + j * k + t]!
        squares += term * term
        sum += term
      }
      scale[r * n + j] = 2 ** -24 * Math.sqrt(k * (squares + sum * sum))
    }
  }
  return scale
}

/** Every entry is moved by a multiple of its own rounding scale. */
function moved(scene: Scene, multiple: number, sign: () => number): Float32Array {
  const scale = roundingScale(scene)
  const exact = scene.evaluate({})
  return exact.map((value, i) => value + sign() * multiple * scale[i]!)
}

/** Only the first terms of each sum. */
function truncated(scene: Scene, terms: number): Float32Array {
  const { k } = scene.geometry
  return scene.evaluate({ b: scene.values.b.map((value, i) => (i % k < terms ? value : 0)) })
}

/** Sums that are rounded to `bits` significant bits at each step. */
function accumulated(scene: Scene, bits: number): Float32Array {
  const { geometry, values, product } = scene
  const { rows, k, n } = geometry
  const lookup = (row: number) =>
    Float64Array.from(values.a.subarray(row * geometry.a.cols, (row + 1) * geometry.a.cols))
  const { alpha, beta = 1, activation } = product.epilogue
  const bias = biasOf(product.epilogue)
  const c = values.c.slice()
  // Slopes are the one thing that an activation takes from a tensor; rounding the result stands for those products.
  if (activation.name === 'prelu') return c.map((value) => roundTo(bits, value))
  for (let r = 0; r < rows; r++) {
    const left = geometry.readA(r, lookup)
    const matrix = geometry.matrixOf(r) * n * k
    for (let j = 0; j < n; j++) {
      let sum = 0
      for (let t = 0; t < k; t++) sum = roundTo(bits, sum + left[t]! * values.b[matrix + j * k + t]!)
      const added = bias[bias.length === 1 ? 0 : j]! + beta * (values.addend?.[r * n + j] ?? 0)
      c[r * n + j] = activate(activation, j, alpha * sum + added)
    }
  }
  return c
}

/** The product is computed in cheaper arithmetic, or not to its end. */
export const arithmeticAttacks: readonly ComputationAttack[] = [
  ...Object.entries(significantBits).map(([format, bits]) =>
    computedIn(`${format} operands`, `A and B are rounded to ${bits} significant bits`, ({ values, evaluate }) => {
      const round = (tensor: Float32Array) => tensor.map((value) => roundTo(bits, value))
      return evaluate({ a: round(values.a), b: round(values.b) })
    }),
  ),
  ...(['float16', 'bfloat16'] as const).map((format) =>
    computedIn(`${format} result`, `C is rounded to ${significantBits[format]} significant bits`, ({ evaluate }) =>
      evaluate({}).map((value) => roundTo(significantBits[format], value)),
    ),
  ),
  ...(['float16', 'bfloat16'] as const).map((format) =>
    computedIn(`${format} sums`, `sums are kept to ${significantBits[format]} significant bits`, (scene) =>
      accumulated(scene, significantBits[format]),
    ),
  ),
  computedIn('int8 operands', 'rows of A and columns of B as integers of 8 bits', ({ geometry, values, evaluate }) =>
    evaluate({ a: quantised(8, values.a, geometry.a.cols), b: quantised(8, values.b, geometry.k) }),
  ),
  computedIn('the last term dropped', 'the sums end one term early', (scene) => truncated(scene, scene.geometry.k - 1)),
  computedIn('half of the terms', 'the sums end halfway', (scene) => truncated(scene, Math.ceil(scene.geometry.k / 2))),
  {
    ...computedIn('errors beyond the tolerance', 'every entry is off by 6 times its rounding scale', (scene) =>
      moved(scene, 6, () => (scene.random.below(2) === 0 ? 1 : -1)),
    ),
    applies: isLinear,
  },
  {
    ...computedIn('a bias within the tolerance', 'every entry is larger by 3 times its rounding scale', (scene) =>
      moved(scene, 3, () => 1),
    ),
    expected: 'values-biased',
    applies: isLinear,
  },
  {
    ...computedIn('noise within the tolerance', 'every entry is off by twice its rounding scale', (scene) =>
      moved(scene, 2, () => (scene.random.below(2) === 0 ? 1 : -1)),
    ),
    expected: 'values-biased',
    applies: isLinear,
  },
  {
    ...computedIn('errors like rounding', 'every entry is off by a tenth of its rounding scale', (scene) =>
      moved(scene, 0.1, () => 1),
    ),
    expected: 'limit',
    says: { status: 'pass' },
    applies: isLinear,
  },
]
