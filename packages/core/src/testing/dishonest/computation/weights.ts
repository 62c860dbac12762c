import type { ComputationAttack, Scene } from '../attack.ts'
import { quantised, roundTo, significantBits } from '../formats.ts'

/** C is that of another B, while the public one is named. `change` is given the columns of op(B), shape [n, k]. */
function computedWith(
  name: string,
  description: string,
  change: (b: Float32Array, scene: Scene) => Float32Array,
  applies?: (scene: Scene) => boolean,
): ComputationAttack {
  return {
    kind: 'computation',
    name: `weights: ${name}`,
    description,
    expected: 'value-out-of-tolerance',
    ...(applies === undefined ? {} : { applies }),
    forge: (scene) => ({ c: scene.evaluate({ b: change(scene.values.b, scene) }) }),
  }
}

const otherOfSize = ({ earlier, values, stored }: Scene): Scene | undefined =>
  earlier.findLast(
    (other) => other.values.b.length === values.b.length && other.stored.bytes.some((x, i) => x !== stored.bytes[i]),
  )

/** The model runs on weights other than those that it names. */
export const weightAttacks: readonly ComputationAttack[] = [
  computedWith('another checkpoint', 'weights of the same shape and size, trained otherwise', (b, { random }) =>
    b.map(() => 0.6 * random.signedUnit()),
  ),
  computedWith(
    'another layer',
    'the weights of an earlier layer of the same shape',
    (_, scene) => otherOfSize(scene)!.values.b,
    (scene) => otherOfSize(scene) !== undefined,
  ),
  ...[1e-2, 1e-4].map((size) =>
    computedWith(`fine-tuned by ${size}`, `each weight moved by up to ${size} of itself`, (b, { random }) =>
      b.map((value) => value * (1 + size * random.signedUnit())),
    ),
  ),
  ...[0.5, 0.1].map((fraction) =>
    computedWith(`pruned by ${fraction}`, `the smallest ${fraction} of the weights are zero`, (b) => {
      const threshold = b.map(Math.abs).sort()[Math.floor(fraction * b.length)]!
      return b.map((value) => (Math.abs(value) < threshold ? 0 : value))
    }),
  ),
  computedWith('one weight', 'one weight is zero', (b, { random }) => {
    const changed = b.slice()
    changed[random.below(b.length)] = 0
    return changed
  }),
  computedWith('low rank', 'B is replaced by its part in a space of half the dimensions', (b, { geometry, random }) =>
    lowRank(b, geometry.k, Math.ceil(geometry.n / 2), () => random.signedUnit()),
  ),
  ...[8, 4].map((bits) =>
    computedWith(`int${bits}`, `one scale for each column, ${bits} bits`, (b, { geometry }) =>
      quantised(bits, b, geometry.k),
    ),
  ),
  ...Object.entries(significantBits).map(([format, bits]) =>
    computedWith(format, `each weight is rounded to ${bits} significant bits`, (b) =>
      b.map((value) => roundTo(bits, value)),
    ),
  ),
  {
    ...computedWith('swapped after an honest start', 'honest until the verifier has seen enough', (b, { random }) =>
      b.map((value) => value * (1 + 0.01 * random.signedUnit())),
    ),
    applies: ({ earlier }) => earlier.length >= 3,
  },
]

/** Columns of length k (rows of `b`) projected onto `rank` random combinations of them. */
function lowRank(b: Float32Array, k: number, rank: number, random: () => number): Float32Array {
  const n = b.length / k
  const basis: Float64Array[] = []
  for (let i = 0; i < rank; i++) {
    const vector = new Float64Array(k)
    for (let j = 0; j < n; j++) {
      const weight = random()
      for (let t = 0; t < k; t++) vector[t]! += weight * b[j * k + t]!
    }
    orthonormalise(vector, basis)
    basis.push(vector)
  }
  const out = new Float32Array(b.length)
  for (let j = 0; j < n; j++) {
    for (const vector of basis) {
      let along = 0
      for (let t = 0; t < k; t++) along += vector[t]! * b[j * k + t]!
      for (let t = 0; t < k; t++) out[j * k + t]! += along * vector[t]!
    }
  }
  return out
}

/** Removes from `vector` what lies in the space of `basis`, and gives it length 1. */
export function orthonormalise(vector: Float64Array, basis: readonly Float64Array[]): void {
  // Twice, because once leaves what rounding put back.
  for (let pass = 0; pass < 2; pass++) {
    for (const other of basis) {
      let along = 0
      for (const [t, value] of other.entries()) along += value * vector[t]!
      for (const [t, value] of other.entries()) vector[t]! -= along * value
    }
  }
  const length = Math.sqrt(vector.reduce((sum, value) => sum + value * value, 0))
  if (length > 0)
    vector.forEach((value, t) => {
      vector[t] = value / length
    })
}
