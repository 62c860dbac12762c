import type { Backend, Matrix, Product, ProductObserver, TensorHandle } from '@tensor-assay/core'

/** A float32 matrix of the plain library. */
export interface Plain {
  readonly rows: number
  readonly cols: number
  readonly data: Float32Array
}

/** What a dishonest run does to a product before anybody sees it. */
export type Cheat = (product: { a: Plain; b: Plain; c: Plain }, sequence: number) => { a?: Plain; b?: Plain; c?: Plain }

/**
 * A tensor library of one operation, and its backend; a cheat replaces what the run reports.
 *
 * @param compute - A·B, for runs that know it already.
 */
export function plainLibrary(
  cheat: Cheat = () => ({}),
  compute: (a: Plain, b: Plain) => Plain = multiply,
): { backend: Backend; matMul(a: Plain, b: Plain): Plain } {
  const observers = new Set<ProductObserver>()
  let sequence = 0
  return {
    matMul(a, b) {
      const c = compute(a, b)
      const shown = { a, b, c, ...cheat({ a, b, c }, sequence++) }
      for (const observer of observers) observer.product(productOf(shown.a, shown.b, shown.c))
      return shown.c
    },
    backend: {
      specificationVersion: 'v1',
      name: 'plain',
      supports: { operations: ['matMul'], bypassed: [], dtypes: ['float32'], profiles: ['float32'] },
      intercept(observer) {
        observers.add(observer)
        return {
          get active() {
            return observers.has(observer)
          },
          restore: () => void observers.delete(observer),
          [Symbol.dispose]: () => void observers.delete(observer),
        }
      },
    },
  }
}

export function plain(rows: number, cols: number, value: (i: number) => number): Plain {
  return { rows, cols, data: Float32Array.from({ length: rows * cols }, (_, i) => value(i)) }
}

/** Reproducible values around 0. */
export function noise(seed: number): (i: number) => number {
  let state = seed >>> 0
  return () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state / 2 ** 31 - 1
  }
}

export function multiply(a: Plain, b: Plain): Plain {
  const c = new Float32Array(a.rows * b.cols)
  for (let i = 0; i < a.rows; i++) {
    for (let t = 0; t < a.cols; t++) {
      const x = a.data[i * a.cols + t]!
      for (let j = 0; j < b.cols; j++) c[i * b.cols + j]! += x * b.data[t * b.cols + j]!
    }
  }
  return { rows: a.rows, cols: b.cols, data: c }
}

function productOf(a: Plain, b: Plain, c: Plain): Product {
  const columns = (): Plain => plain(b.cols, b.rows, (i) => b.data[(i % b.rows) * b.cols + Math.floor(i / b.rows)]!)
  return {
    operation: 'matMul',
    layout: { kind: 'matmul', m: a.rows, k: a.cols, n: b.cols, aBatch: [], bBatch: [] },
    a: handle(a, a.data),
    b: {
      key: b,
      rows: b.cols,
      cols: b.rows,
      dtype: 'float32',
      read: (wanted, allocate) => handle(columns(), b).read(wanted, allocate),
      transposed: false,
      role: 'candidate',
      stored: () => ({ key: b.data, dtype: 'float32', byteLength: b.data.byteLength, bytes: bytesOf(b.data) }),
    },
    c: handle(c, c.data),
    epilogue: { alpha: 1, activation: { name: 'linear' } },
    profile: 'float32',
  }
}

function handle(tensor: Plain, key: object): TensorHandle {
  const { rows, cols, data } = tensor
  return {
    key,
    rows,
    cols,
    dtype: 'float32',
    read(wanted, allocate): Matrix {
      const indices = wanted ?? Uint32Array.from({ length: rows }, (_, i) => i)
      const bytes = allocate(indices.length * cols * 4)
      for (const [i, r] of indices.entries()) bytes.set(bytesOf(data.subarray(r * cols, (r + 1) * cols)), i * cols * 4)
      return { rows: indices.length, cols, dtype: 'float32', bytes }
    },
  }
}

export function bytesOf(data: Float32Array): Uint8Array {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
