import type { Draws } from './draws.ts'

/** Operands of a product: rows of A, shape [m, k], and the columns of B, shape [n, k]. Every value is a float32. */
export interface Operands {
  readonly m: number
  readonly k: number
  readonly n: number
  readonly a: Float32Array
  readonly columns: Float32Array
}

/** Data of one kind, on which engines are tried. */
export interface DataFamily {
  readonly name: string
  /** Whether honest errors may exceed the accepted multiple of ν, so that escalation has to explain them. */
  readonly structured: boolean
  /** Whether whole rows may be small beside their terms, so that a check of them says nothing. */
  readonly cancels: boolean
  make(draws: Draws, m: number, k: number, n: number): Operands
}

/** Operands with a_it = a(i, t) and b_tj = b(t, j). */
function operands(
  m: number,
  k: number,
  n: number,
  a: (t: number, i: number) => number,
  b: (t: number, j: number) => number,
): Operands {
  const rows = new Float32Array(m * k)
  for (let i = 0; i < m; i++) for (let t = 0; t < k; t++) rows[i * k + t] = a(t, i)
  const columns = new Float32Array(n * k)
  for (let j = 0; j < n; j++) for (let t = 0; t < k; t++) columns[j * k + t] = b(t, j)
  return { m, k, n, a: rows, columns }
}

export const gaussian: DataFamily = {
  name: 'Gaussian',
  structured: false,
  cancels: false,
  make: ({ normal }, m, k, n) => operands(m, k, n, normal, normal),
}

export const postRelu: DataFamily = {
  name: 'post-ReLU',
  structured: false,
  cancels: false,
  make: ({ normal }, m, k, n) =>
    operands(
      m,
      k,
      n,
      () => Math.max(0, normal()),
      () => normal() / Math.sqrt(k),
    ),
}

export const heavyTailed: DataFamily = {
  name: 'heavy-tailed',
  structured: false,
  cancels: false,
  make: ({ normal }, m, k, n) =>
    operands(
      m,
      k,
      n,
      () => normal() / Math.abs(normal()),
      () => normal() ** 3,
    ),
}

export const allPositive: DataFamily = {
  name: 'all positive',
  structured: false,
  cancels: false,
  make: ({ uniform }, m, k, n) => operands(m, k, n, uniform, uniform),
}

/** Half of the sum undoes the other half but for a small remainder. */
export const cancelling: DataFamily = {
  name: 'cancelling',
  structured: false,
  cancels: true,
  make: ({ normal }, m, k, n) => {
    const half = k >> 1
    const first = Float64Array.from({ length: m * k }, normal)
    const columns = Float64Array.from({ length: n * k }, normal)
    return operands(
      m,
      k,
      n,
      (t, i) => (t < half || t >= 2 * half ? first[i * k + t]! : -first[i * k + t - half]! * (1 + 1e-3 * normal())),
      (t, j) => columns[j * k + (t < 2 * half ? t % half : t)]!,
    )
  },
}

export const constant: DataFamily = {
  name: 'constant',
  structured: true,
  cancels: false,
  make: ({ uniform }, m, k, n) => {
    const a = Float64Array.from({ length: m }, () => uniform() + 0.5)
    const b = Float64Array.from({ length: n }, () => uniform() + 0.5)
    return operands(
      m,
      k,
      n,
      (_, i) => a[i]!,
      (_, j) => b[j]!,
    )
  },
}

/** A large term first: every later one is lost by a sum that starts with it. */
export const stagnating: DataFamily = {
  name: 'stagnating',
  structured: true,
  cancels: false,
  make: ({ uniform }, m, k, n) =>
    operands(
      m,
      k,
      n,
      (t) => (t === 0 ? 1 : 0.45 * 2 ** -24 * (0.8 + 0.2 * uniform())),
      () => 1 + 0.001 * uniform(),
    ),
}

/** Signs that repeat, as those of flattened channels do: each lane of that width adds up terms of one sign. */
export const periodic: DataFamily = {
  name: 'periodic',
  structured: true,
  cancels: false,
  make: ({ uniform }, m, k, n) => {
    const signs = Float64Array.from({ length: 32 }, () => (uniform() < 0.5 ? -1 : 1))
    return operands(
      m,
      k,
      n,
      () => 1 + 0.1 * uniform(),
      (t) => signs[t % 32]! * (1 + 0.1 * uniform()),
    )
  },
}

/** The columns are nearly the same, so a row is as small as one sum may be. */
export const alternating: DataFamily = {
  name: 'alternating',
  structured: true,
  cancels: true,
  make: ({ uniform }, m, k, n) =>
    operands(
      m,
      k,
      n,
      () => 1 + uniform(),
      (t) => (t % 2 === 0 ? 1 : -1) * (1 + 0.01 * uniform()),
    ),
}

export const dataFamilies: readonly DataFamily[] = [
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
