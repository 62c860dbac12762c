import type { Backend, Derivation, ProductObserver, RightOperand, TensorHandle } from '@tensor-assay/core'
import { multiply, type Plain, plain } from './plain-backend.ts'

/** What a dishonest run makes of a tensor that it computes between products. */
export type Alteration = (name: string, honest: Plain) => Plain

/** Public tensors of one layer of a transformer. */
export interface AttentionWeights {
  readonly query: Plain
  readonly key: Plain
  readonly value: Plain
  readonly output: Plain
  readonly gamma: Plain
  readonly beta: Plain
  readonly up: Plain
  readonly down: Plain
}

/**
 * A library that runs one layer of a transformer in float32, and knows how its tensors follow from each other: attention of
 * one head, a residual connection, layer normalisation, GELU.
 */
export function attentionLibrary(alter: Alteration = (_, honest) => honest, isHalved = false) {
  const observers = new Set<ProductObserver>()
  const derivations = new WeakMap<Plain, Derivation>()
  const keys = new WeakMap<Plain, { readonly plain: object; readonly turned: object }>()

  function keysOf(tensor: Plain) {
    const known = keys.get(tensor) ?? { plain: {}, turned: {} }
    keys.set(tensor, known)
    return known
  }

  function handle(tensor: Plain, key: object, derivation?: () => Derivation | undefined): TensorHandle {
    const { rows, cols, data } = tensor
    return {
      key,
      rows,
      cols,
      dtype: 'float32',
      read(wanted, allocate) {
        const numbers = wanted ?? Uint32Array.from({ length: rows }, (_, i) => i)
        const bytes = allocate(4 * numbers.length * cols)
        for (const [i, row] of numbers.entries()) {
          bytes.set(new Uint8Array(data.buffer, data.byteOffset + 4 * row * cols, 4 * cols), 4 * i * cols)
        }
        return { rows: numbers.length, cols, dtype: 'float32', bytes }
      },
      ...(derivation && { derivation }),
    }
  }

  function right(b: Plain): RightOperand {
    const turned = transpose(b)
    const from = derivations.get(b)
    return {
      ...handle(turned, keysOf(b).turned, () => from && { op: 'transpose', x: from, permutation: [1, 0] }),
      transposed: false,
      role: from === undefined ? 'candidate' : 'activation',
      stored: () => stored(b),
    }
  }

  function stored(tensor: Plain) {
    const bytes = new Uint8Array(tensor.data.buffer, tensor.data.byteOffset, tensor.data.byteLength)
    return { key: tensor, dtype: 'float32' as const, byteLength: bytes.length, bytes }
  }

  function matMul(a: Plain, b: Plain): Plain {
    const c = multiply(a, b)
    const shape = [c.rows, c.cols]
    for (const observer of observers) {
      observer.product({
        operation: 'matMul',
        layout: { kind: 'matmul', m: a.rows, k: a.cols, n: b.cols, aBatch: [], bBatch: [] },
        a: handle(a, keysOf(a).plain, () => derivations.get(a)),
        b: right(b),
        c: handle(c, keysOf(c).plain),
        epilogue: { alpha: 1, activation: { name: 'linear' } },
        profile: 'float32',
      })
    }
    derivations.set(c, { op: 'tensor', key: keysOf(c).plain, shape })
    return c
  }

  /**
   * What a prover does that declares two batches of half the rows: half of the products, of which each is computed, and each
   * operand is what it has to be, row by row.
   */
  function halved(a: Plain, aKey: object, rightRows: Plain, rightKey: object): Plain {
    const [m, n] = [a.rows / 2, rightRows.rows / 2]
    const half = ({ rows, cols, data }: Plain, i: number): Plain => ({
      rows: rows / 2,
      cols,
      data: data.subarray((i * data.length) / 2, ((i + 1) * data.length) / 2),
    })
    const parts = [0, 1].map((i) => multiply(half(a, i), transpose(half(rightRows, i))))
    const c = plain(a.rows, n, (i) => parts[Math.floor(i / (m * n))]!.data[i % (m * n)]!)
    for (const observer of observers) {
      observer.product({
        operation: 'matMul',
        layout: { kind: 'matmul', m, k: a.cols, n, aBatch: [2], bBatch: [2] },
        a: handle(a, aKey),
        b: {
          ...handle(rightRows, rightKey),
          transposed: false,
          role: 'activation',
          stored: () => stored(rightRows),
        },
        c: handle(c, keysOf(c).plain),
        epilogue: { alpha: 1, activation: { name: 'linear' } },
        profile: 'float32',
      })
    }
    return c
  }

  /** Attention of two halves to themselves, whose weights add up to 1 over the rows. */
  function attendHalved(q: Plain, k: Plain, v: Plain, factor: number): Plain {
    const scores = halved(q, keysOf(q).plain, k, {})
    const n = scores.cols
    const turned = [0, 1].map((i) => {
      const block = plain(n, n, (j) => scores.data[i * n * n + j]! * factor)
      return transpose(softmax(transpose(block)))
    })
    const attention = plain(2 * n, n, (i) => turned[Math.floor(i / (n * n))]!.data[i % (n * n)]!)
    const columns = transpose(v)
    return halved(attention, {}, { rows: 2 * columns.rows, cols: n, data: columns.data }, {})
  }

  function derived(name: string, honest: Plain, derivation: Derivation): Plain {
    const tensor = alter(name, honest)
    derivations.set(tensor, derivation)
    return tensor
  }

  const origin = (tensor: Plain) => derivations.get(tensor)!
  const number = (value: number): Derivation => ({ op: 'number', value })
  const weight = (tensor: Plain): Derivation => ({
    op: 'weight',
    vector: { length: tensor.data.length, dtype: 'float32', stored: () => stored(tensor) },
    shape: [tensor.cols],
  })

  function attend(q: Plain, k: Plain, v: Plain, factor: number): Plain {
    const turned = transpose(k)
    derivations.set(turned, { op: 'transpose', x: origin(k), permutation: [1, 0] })
    const scores = matMul(q, turned)
    const attention = derived('attention', softmax(map(scores, (s) => s * factor)), {
      op: 'softmax',
      x: { op: 'multiply', x: origin(scores), y: number(factor) },
      axis: 1,
    })
    return matMul(attention, v)
  }

  function layer(x: Plain, weights: AttentionWeights): Plain {
    const q = matMul(x, weights.query)
    derivations.set(x, { op: 'tensor', key: keysOf(x).plain, shape: [x.rows, x.cols] })
    const k = matMul(x, weights.key)
    const v = matMul(x, weights.value)
    const factor = Math.fround(1 / Math.sqrt(q.cols))
    const mixed = isHalved ? attendHalved(q, k, v, factor) : attend(q, k, v, factor)
    const projected = matMul(mixed, weights.output)
    const epsilon = 1e-5
    const sum = map(x, (value, i) => value + projected.data[i]!)
    const normal = derived(
      'normalisation',
      map(
        normalise(sum, epsilon),
        (value, i) => value * weights.gamma.data[i % x.cols]! + weights.beta.data[i % x.cols]!,
      ),
      {
        op: 'add',
        x: {
          op: 'multiply',
          x: {
            op: 'normalize',
            x: { op: 'add', x: origin(x), y: origin(projected) },
            axis: 1,
            epsilon,
            centred: true,
          },
          y: weight(weights.gamma),
        },
        y: weight(weights.beta),
      },
    )
    const up = matMul(normal, weights.up)
    const half = Math.fround(Math.SQRT1_2)
    const gelu = derived(
      'gelu',
      map(up, (value) => value * Math.fround(0.5 * Math.fround(1 + Math.fround(roughErf(value * half))))),
      {
        op: 'multiply',
        x: origin(up),
        y: {
          op: 'multiply',
          x: number(0.5),
          y: {
            op: 'add',
            x: number(1),
            y: { op: 'erf', x: { op: 'multiply', x: origin(up), y: number(half) } },
          },
        },
      },
    )
    return matMul(gelu, weights.down)
  }

  const backend: Backend = {
    specificationVersion: 'v1',
    name: 'attention',
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
  }
  return { backend, layer }
}

export function map({ rows, cols, data }: Plain, f: (value: number, i: number) => number): Plain {
  return { rows, cols, data: data.map(f) }
}

function transpose({ rows, cols, data }: Plain): Plain {
  return plain(cols, rows, (i) => data[(i % rows) * cols + Math.floor(i / rows)]!)
}

function softmax({ rows, cols, data }: Plain): Plain {
  const out = new Float32Array(data.length)
  for (let i = 0; i < rows; i++) {
    const row = data.subarray(i * cols, (i + 1) * cols)
    const most = row.reduce((a, b) => Math.max(a, b), Number.NEGATIVE_INFINITY)
    const terms = row.map((value) => Math.exp(value - most))
    const sum = terms.reduce((a, b) => Math.fround(a + b), 0)
    out.set(
      terms.map((term) => term / sum),
      i * cols,
    )
  }
  return { rows, cols, data: out }
}

/** In one pass, as libraries do it: the mean of the squares less the square of the mean. */
function normalise({ rows, cols, data }: Plain, epsilon: number): Plain {
  const out = new Float32Array(data.length)
  for (let i = 0; i < rows; i++) {
    const row = data.subarray(i * cols, (i + 1) * cols)
    const mean = Math.fround(row.reduce((a, b) => Math.fround(a + b), 0) / cols)
    const squares = Math.fround(row.reduce((a, b) => Math.fround(a + Math.fround(b * b)), 0) / cols)
    const deviation = Math.fround(Math.sqrt(Math.fround(squares - mean * mean) + epsilon))
    out.set(
      row.map((value) => (value - mean) / deviation),
      i * cols,
    )
  }
  return { rows, cols, data: out }
}

/** Abramowitz and Stegun, 7.1.26: off by up to 1.5·10⁻⁷. */
function roughErf(x: number): number {
  const t = 1 / (1 + 0.3275911 * Math.abs(x))
  const series = t * (0.254829592 + t * (-0.284496736 + t * (1.421413741 + t * (-1.453152027 + t * 1.061405429))))
  return Math.sign(x) * (1 - series * Math.exp(-x * x))
}
