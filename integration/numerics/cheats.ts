import type { TestRandom } from '../../packages/core/test/numerics/random.ts'
import { bfloat16, float8, float16, quantizedColumn, tf32 } from '../../packages/core/test/numerics/rounding.ts'

/** B as its columns, shape [n, k]. */
export interface Weights {
  readonly k: number
  readonly n: number
  readonly columns: Float32Array
}

/** What a dishonest prover does instead of the product. What is absent it does honestly. */
export interface Cheat {
  readonly name: string
  /** What it multiplies by. */
  weights?(honest: Weights, random: TestRandom): Float32Array
  /** What it does to each operand before it multiplies. */
  operand?(value: number): number
  /** What it makes of a row of C: shape [n]. Values are rounded to the format of C afterwards. */
  result?(row: Float64Array, context: ResultContext): Float64Array
  /** Whether one entry of a row is wrong and the others are not. */
  readonly sparse?: boolean
}

export interface ResultContext {
  readonly random: TestRandom
  /** C of another row. */
  readonly other: Float64Array
  /** Flips one bit of a value in the format of C. */
  readonly flipBit: (value: number, random: TestRandom) => number
}

function eachColumn(change: (column: Float32Array) => Float32Array): Required<Pick<Cheat, 'weights'>> {
  return {
    weights({ k, n, columns }) {
      const out = new Float32Array(n * k)
      for (let j = 0; j < n; j++) out.set(change(columns.subarray(j * k, (j + 1) * k)), j * k)
      return out
    },
  }
}

function float8PerColumn(column: Float32Array): Float32Array {
  const scale = 448 / column.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0)
  return column.map((value) => float8(value * scale) / scale)
}

/** B without its components along `count` orthonormal random directions of k: 1% of its rank where count is 1% of k. */
function withoutDirections({ k, n, columns }: Weights, count: number, { normal }: TestRandom): Float32Array {
  const directions: Float64Array[] = []
  for (let i = 0; i < count; i++) {
    const direction = Float64Array.from({ length: k }, normal)
    for (const other of directions) subtract(direction, other, product(direction, other))
    const norm = Math.sqrt(product(direction, direction))
    directions.push(direction.map((value) => value / norm))
  }
  const out = new Float32Array(n * k)
  for (let j = 0; j < n; j++) {
    const column = Float64Array.from(columns.subarray(j * k, (j + 1) * k))
    for (const direction of directions) subtract(column, direction, product(column, direction))
    out.set(column, j * k)
  }
  return out
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0
  for (let t = 0; t < a.length; t++) sum += a[t]! * b[t]!
  return sum
}

function subtract(from: Float64Array, direction: Float64Array, factor: number): void {
  for (let t = 0; t < from.length; t++) from[t]! -= factor * direction[t]!
}

function noise(size: number): Cheat {
  return {
    name: `noise of ${size.toExponential(0)}`,
    result: (row, { random: { normal } }) => row.map((value) => value * (1 + size * normal())),
  }
}

/** One entry of a row, drawn anew for each. */
function oneEntry(name: string, change: (value: number, context: ResultContext) => number): Cheat {
  return {
    name,
    sparse: true,
    result(row, context) {
      const at = context.random.below(row.length)
      return row.map((value, j) => (j === at ? change(value, context) : value))
    },
  }
}

export const honest: Cheat = { name: 'honest' }

export const cheats: readonly Cheat[] = [
  { name: 'bfloat16 weights', ...eachColumn((column) => column.map(bfloat16)) },
  { name: 'float16 weights', ...eachColumn((column) => column.map(float16)) },
  { name: 'float8 weights (e4m3, scaled)', ...eachColumn(float8PerColumn) },
  { name: 'int8 weights per channel', ...eachColumn((column) => quantizedColumn(column, 127)) },
  { name: 'int4 weights per channel', ...eachColumn((column) => quantizedColumn(column, 7)) },
  { name: 'TF32 arithmetic', operand: tf32 },
  { name: 'bfloat16 arithmetic', operand: bfloat16 },
  {
    name: 'rank reduced by 1%',
    weights: (weights, random) => withoutDirections(weights, Math.ceil(weights.k / 100), random),
  },
  {
    name: '1% of the terms dropped',
    weights: ({ k, columns }) => columns.map((value, i) => (i % k >= Math.floor(0.99 * k) ? 0 : value)),
  },
  { name: 'zeros', result: (row) => row.map(() => 0) },
  { name: 'stale: C of another row', result: (_, { other }) => other },
  noise(1e-2),
  noise(1e-3),
  noise(1e-4),
  noise(1e-5),
  noise(1e-6),
  oneEntry('one entry of each row is 0', () => 0),
  oneEntry('one bit of each row flipped', (value, { flipBit, random }) => flipBit(value, random)),
]
