import { type PreparedMatrix, prepareMatrix } from '../../src/numerics/prepared.ts'
import type { TestRandom } from './random.ts'

/** A row of A, shape [k], and B as its columns, shape [n, k]. Every value is a float32. */
export interface RowProblem {
  readonly k: number
  readonly n: number
  readonly a: Float64Array
  readonly columns: Float32Array
  readonly b: PreparedMatrix
}

export interface Family {
  readonly name: string
  /** Whether honest errors may exceed 4ν. */
  readonly structured: boolean
  /** Whether whole rows may be small beside their terms, so that a check of them says nothing. */
  readonly cancels: boolean
  make(random: TestRandom, k: number, n: number): RowProblem
}

/** The problem with a_t = a(t) and b_tj = b(t, j), rounded to float32. */
export function rowProblem(
  k: number,
  n: number,
  a: (t: number) => number,
  b: (t: number, j: number) => number,
): RowProblem {
  const row = Float64Array.from({ length: k }, (_, t) => Math.fround(a(t)))
  const columns = new Float32Array(n * k)
  for (let j = 0; j < n; j++) for (let t = 0; t < k; t++) columns[j * k + t] = b(t, j)
  return { k, n, a: row, columns, b: preparedColumns(columns, k, n) }
}

export function preparedColumns(columns: Float32Array, k: number, n: number): PreparedMatrix {
  const bytes = new Uint8Array(columns.buffer, columns.byteOffset, columns.byteLength)
  return prepareMatrix({ bytes, dtype: 'float32', k, n, transposed: true })
}

export const gaussian: Family = {
  name: 'Gaussian',
  structured: false,
  cancels: false,
  make: ({ normal }, k, n) => rowProblem(k, n, normal, normal),
}

export const postRelu: Family = {
  name: 'post-ReLU',
  structured: false,
  cancels: false,
  make: ({ normal }, k, n) =>
    rowProblem(
      k,
      n,
      () => Math.max(0, normal()),
      () => normal() / Math.sqrt(k),
    ),
}

export const heavyTailed: Family = {
  name: 'heavy-tailed',
  structured: false,
  cancels: false,
  make: ({ normal }, k, n) =>
    rowProblem(
      k,
      n,
      () => normal() / Math.abs(normal()),
      () => normal() ** 3,
    ),
}

export const allPositive: Family = {
  name: 'all positive',
  structured: false,
  cancels: false,
  make: ({ uniform }, k, n) => rowProblem(k, n, uniform, uniform),
}

/** Half of the sum undoes the other half but for a small remainder. */
export const cancelling: Family = {
  name: 'cancelling',
  structured: false,
  cancels: true,
  make: ({ normal }, k, n) => {
    const half = k >> 1
    const first = Float64Array.from({ length: k }, normal)
    const columns = Float64Array.from({ length: n * k }, normal)
    return rowProblem(
      k,
      n,
      (t) => (t < half || t >= 2 * half ? first[t]! : -first[t - half]! * (1 + 1e-3 * normal())),
      (t, j) => columns[j * k + (t < 2 * half ? t % half : t)]!,
    )
  },
}

export const constant: Family = {
  name: 'constant',
  structured: true,
  cancels: false,
  make: ({ uniform }, k, n) => {
    const a = uniform() + 0.5
    const b = Float64Array.from({ length: n }, () => uniform() + 0.5)
    return rowProblem(
      k,
      n,
      () => a,
      (_, j) => b[j]!,
    )
  },
}

/** A large term first: every later one is lost by a sum that starts with it. */
export const stagnating: Family = {
  name: 'stagnating',
  structured: true,
  cancels: false,
  make: ({ uniform }, k, n) =>
    rowProblem(
      k,
      n,
      (t) => (t === 0 ? 1 : 0.45 * 2 ** -24 * (0.8 + 0.2 * uniform())),
      () => 1 + 0.001 * uniform(),
    ),
}

/** Signs that repeat, as those of flattened channels do: each lane of that width adds up terms of one sign. */
export const periodic: Family = {
  name: 'periodic',
  structured: true,
  cancels: false,
  make: ({ uniform }, k, n) => {
    const signs = Float64Array.from({ length: 32 }, () => (uniform() < 0.5 ? -1 : 1))
    return rowProblem(
      k,
      n,
      () => 1 + 0.1 * uniform(),
      (t) => signs[t % 32]! * (1 + 0.1 * uniform()),
    )
  },
}

/** The columns are nearly the same, so a row is as small as one sum may be. */
export const alternating: Family = {
  name: 'alternating',
  structured: true,
  cancels: true,
  make: ({ uniform }, k, n) =>
    rowProblem(
      k,
      n,
      () => 1 + uniform(),
      (t) => (t % 2 === 0 ? 1 : -1) * (1 + 0.01 * uniform()),
    ),
}

export const families: readonly Family[] = [
  gaussian,
  postRelu,
  heavyTailed,
  allPositive,
  cancelling,
  constant,
  stagnating,
  periodic,
  alternating,
]
