import type { ComputationAttack, Expected, Scene } from '../attack.ts'

type Change = (c: Float32Array, scene: Scene) => void

/** C is altered after the run, or made without it. */
function altered(
  name: string,
  description: string,
  change: Change,
  expected: Expected = 'value-out-of-tolerance',
  applies?: (scene: Scene) => boolean,
): ComputationAttack {
  return {
    kind: 'computation',
    name,
    description,
    expected,
    ...(applies === undefined ? {} : { applies }),
    forge(scene) {
      const c = scene.values.c.slice()
      change(c, scene)
      return { c }
    },
  }
}

const rows = ({ geometry }: Scene) => geometry.c.rows
const cols = ({ geometry }: Scene) => geometry.c.cols
const rowOf = (c: Float32Array, scene: Scene, row: number) => c.subarray(row * cols(scene), (row + 1) * cols(scene))

/** Root mean square of the values: what an error must be measured by. */
function scale(values: Float32Array): number {
  return Math.sqrt(values.reduce((sum, value) => sum + value * value, 0) / values.length)
}

/** Chooses entries at random and makes each wrong by a tenth of the scale. */
function spoilEntries(c: Float32Array, scene: Scene, count: number): void {
  const error = scale(c) / 10
  for (let i = 0; i < count; i++) c[scene.random.below(c.length)]! += error
}

function spoilColumn(c: Float32Array, scene: Scene, column: number): void {
  const error = scale(c) / 10
  for (let row = 0; row < rows(scene); row++) c[row * cols(scene) + column]! += error
}

function reorderRows(c: Float32Array, scene: Scene, from: (row: number) => number): void {
  const original = c.slice()
  for (let row = 0; row < rows(scene); row++) rowOf(c, scene, row).set(rowOf(original, scene, from(row)))
}

/** The C of the last earlier product of the same shape. */
const staleOf = ({ earlier, geometry }: Scene) =>
  earlier.findLast(({ geometry: { c } }) => c.rows === geometry.c.rows && c.cols === geometry.c.cols)

const multiples = [0.5, 0.99, 1.001, 1 + 1e-5]

/** Nothing was computed, or something else, and C is made up. */
const invented: readonly ComputationAttack[] = [
  altered('zeros', 'C is zero: nothing was computed', (c) => c.fill(0)),
  altered('random values', 'C is random, of the size that it should have', (c, { random }) => {
    const size = scale(c)
    for (let i = 0; i < c.length; i++) c[i] = size * random.signedUnit()
  }),
  altered('a constant', 'every entry is the mean of C', (c) =>
    c.fill(c.reduce((sum, value) => sum + value, 0) / c.length),
  ),
  altered('a permutation of the rows', 'the rows of C are those of other inputs', (c, scene) =>
    reorderRows(c, scene, (row) => rows(scene) - 1 - row),
  ),
  altered('one row for all', 'the first row is computed and repeated', (c, scene) => reorderRows(c, scene, () => 0)),
  altered('every second row', 'every second row is computed and repeated', (c, scene) =>
    reorderRows(c, scene, (row) => row - (row % 2)),
  ),
  altered(
    'a stale result',
    'C of an earlier product of the same shape',
    (c, scene) => c.set(staleOf(scene)!.values.c),
    'value-out-of-tolerance',
    (scene) => staleOf(scene) !== undefined,
  ),
  altered(
    'the input handed on',
    'the layer is skipped: C is A',
    (c, { values }) => c.set(values.a),
    'value-out-of-tolerance',
    ({ values }) => values.a.length === values.c.length,
  ),
]

/** C is right in places, or nearly. */
const partial: readonly ComputationAttack[] = [
  ...multiples.map((factor) =>
    altered(`a factor of ${factor}`, 'C is scaled', (c) => c.set(c.map((value) => value * factor))),
  ),
  altered('the sign', 'C is negated', (c) => c.set(c.map((value) => -value))),
  altered('half of the rows', 'the first half of the rows is zero', (c) => c.fill(0, 0, c.length / 2)),
  altered('one row', 'one row is zero', (c, scene) => rowOf(c, scene, scene.random.below(rows(scene))).fill(0)),
  altered('the last row', 'the last row is that before', (c, scene) =>
    reorderRows(c, scene, (row) => Math.min(row, rows(scene) - 2)),
  ),
  altered('one column', 'one column is wrong by a tenth', (c, scene) =>
    spoilColumn(c, scene, scene.random.below(cols(scene))),
  ),
  altered('two columns swapped', 'the first two columns change places', (c, scene) => {
    for (let row = 0; row < rows(scene); row++) rowOf(c, scene, row).subarray(0, 2).reverse()
  }),
  altered('a tile', 'a tile of 4×4 is zero', (c, scene) => {
    for (let row = 0; row < 4; row++) rowOf(c, scene, row).fill(0, 0, 4)
  }),
  altered('a tenth of the entries', 'a tenth of the entries is wrong by a tenth', (c, scene) =>
    spoilEntries(c, scene, c.length / 10),
  ),
  altered('one entry', 'one entry is wrong by a tenth', (c, scene) => spoilEntries(c, scene, 1)),
  altered('the last entry', 'the last entry is wrong by a thousandth', (c) => {
    c[c.length - 1]! += scale(c) / 1000
  }),
  ...[1e-3, 1e-5].map((size) =>
    altered(`noise of ${size}`, `noise of ${size} of the scale on every entry`, (c, { random }) => {
      const amplitude = size * scale(c)
      for (let i = 0; i < c.length; i++) c[i]! += amplitude * random.signedUnit()
    }),
  ),
  altered('a shift', 'every entry is larger by a ten-thousandth of the scale', (c) => {
    const shift = scale(c) / 1e4
    for (let i = 0; i < c.length; i++) c[i]! += shift
  }),
]

/** Values that comparisons may stumble over. */
const special: readonly ComputationAttack[] = [
  altered('NaN everywhere', 'every comparison with NaN is false', (c) => c.fill(Number.NaN), 'value-not-finite'),
  altered('one NaN', 'one entry is NaN', (c) => c.fill(Number.NaN, -1), 'value-not-finite'),
  altered('infinity', 'one entry is infinite', (c) => c.fill(Number.POSITIVE_INFINITY, 0, 1), 'value-not-finite'),
  altered(
    'minus infinity',
    'a row is −∞',
    (c, scene) => rowOf(c, scene, 0).fill(Number.NEGATIVE_INFINITY),
    'value-not-finite',
  ),
  altered('huge values', 'entries near the largest float32', (c) => c.fill(3e38)),
  altered('subnormal values', 'entries that an engine may flush to zero', (c) => c.fill(1e-40)),
  {
    ...altered('negative zeros', 'zeros change their sign: −0 equals 0', (c) => {
      for (let i = 0; i < c.length; i++) if (c[i] === 0) c[i] = -0
    }),
    expected: 'limit',
    says: { status: 'pass' },
    applies: ({ values }) => values.c.includes(0),
  },
]

export const resultAttacks: readonly ComputationAttack[] = [...invented, ...partial, ...special]
