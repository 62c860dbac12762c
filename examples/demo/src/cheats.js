// A prover that lies: what it shows differs from what a run of the public model on the user's input would show.
import { tfjs } from '@tensor-assay/backend-tfjs'

/** @typedef {import('@tensor-assay/core').Product} Product */
/** @typedef {import('@tensor-assay/core').Matrix} Matrix */
/** @typedef {{ a: Float32Array, c: Float32Array }} Shown */

/**
 * @param {Product} product
 * @returns {{ m: number, k: number, n: number, a: Float32Array, b: Float32Array, c: Float32Array }} `b` as [n, k].
 */
function values(product) {
  const read = (/** @type {Product['a']} */ handle) => {
    const { bytes } = /** @type {Matrix} */ (handle.read(undefined, (length) => new Uint8Array(length)))
    return new Float32Array(bytes.buffer, bytes.byteOffset, bytes.byteLength / 4)
  }
  if (product.layout.kind !== 'matmul') throw new TypeError(`expected a matmul, got ${product.layout.kind}`)
  const { m, k, n } = product.layout
  return { m, k, n, a: read(product.a), b: read(product.b), c: read(product.c) }
}

/** @type {Record<string, (v: ReturnType<typeof values>, product: Product) => Partial<Shown>>} */
const cheats = {
  altered: ({ c }) => ({ c: c.map((value) => value * 1.001) }),
  'other-weights': (v) => ({ c: recompute(v, { b: v.b.map((value, i) => value + 0.01 * Math.sin(i)) }) }),
  int8: (v) => ({ c: recompute(v, { b: int8(v.b, v.k) }) }),
  'half-rows': ({ c, m, n }) => ({ c: c.map((value, i) => (Math.floor(i / n) < m / 2 ? value : 0)) }),
  stale: (v) => ({ c: recompute(v, { a: v.a.map((value) => value + 0.01) }) }),
  invented: (v) => {
    const a = v.a.map((_, i) => Math.cos(i))
    return { a, c: recompute(v, { a }) }
  },
}

/**
 * The difference that other operands make is added to the run's own result, bias and all; where an activation hides it,
 * that is what the public check must see through.
 *
 * @param {ReturnType<typeof values>} v
 * @param {{ a?: Float32Array, b?: Float32Array }} other
 */
function recompute({ m, k, n, a, b, c }, other) {
  const otherA = other.a ?? a
  const otherB = other.b ?? b
  const out = c.slice()
  for (let i = 0; i < m; i++) {
    for (let j = 0; j < n; j++) {
      let difference = 0
      for (let t = 0; t < k; t++) {
        difference +=
          /** @type {number} */ (otherA[i * k + t]) * /** @type {number} */ (otherB[j * k + t]) -
          /** @type {number} */ (a[i * k + t]) * /** @type {number} */ (b[j * k + t])
      }
      out[i * n + j] = /** @type {number} */ (c[i * n + j]) + difference
    }
  }
  return out
}

/**
 * Rounds each column of B to 255 steps.
 *
 * @param {Float32Array} b [n, k]
 * @param {number} k
 */
function int8(b, k) {
  const out = b.slice()
  for (let start = 0; start < b.length; start += k) {
    const column = out.subarray(start, start + k)
    const scale = column.reduce((largest, value) => Math.max(largest, Math.abs(value)), 0) / 127
    column.set(column.map((value) => Math.round(value / scale) * scale))
  }
  return out
}

/**
 * The honest backend with a lie between it and the observer.
 *
 * @param {object} tf
 * @param {string} name
 * @returns {import('@tensor-assay/core').Backend}
 */
export function dishonest(tf, name) {
  const honest = tfjs(tf)
  const cheat = cheats[name]
  if (cheat === undefined) throw new RangeError(`expected a cheat among ${Object.keys(cheats)}, got ${name}`)
  return {
    ...honest,
    intercept: (observer) =>
      honest.intercept({
        opaque: (operation) => observer.opaque(operation),
        product(product) {
          const shown = cheat(values(product), product)
          observer.product({ ...product, a: replaced(product.a, shown.a), c: replaced(product.c, shown.c) })
        },
      }),
  }
}

/**
 * @param {Product['a']} handle
 * @param {Float32Array | undefined} data
 */
function replaced(handle, data) {
  if (data === undefined) return handle
  const { rows, cols, dtype } = handle
  /** @type {Product['a']['read']} */
  const read = (wanted, allocate) => {
    const indices = wanted ?? Uint32Array.from({ length: rows }, (_, i) => i)
    const bytes = allocate(indices.length * cols * 4)
    const out = new Float32Array(bytes.buffer, bytes.byteOffset, indices.length * cols)
    for (const [i, r] of indices.entries()) out.set(data.subarray(r * cols, (r + 1) * cols), i * cols)
    return { rows: indices.length, cols, dtype, bytes }
  }
  return { key: {}, rows, cols, dtype, read }
}

/**
 * A channel that changes one bit of every opening on its way out.
 *
 * @param {import('@tensor-assay/core').Channel} channel
 * @returns {import('@tensor-assay/core').Channel}
 */
export function tampering(channel) {
  const openingType = 6
  return {
    peer: channel.peer,
    maxMessageBytes: channel.maxMessageBytes,
    [Symbol.asyncIterator]: () => channel[Symbol.asyncIterator](),
    close: (options) => channel.close(options),
    abort: (error) => channel.abort(error),
    send(message) {
      if (message[0]?.[5] !== openingType) return channel.send(message)
      const last = /** @type {Uint8Array} */ (message.at(-1)).slice()
      last[last.length - 1] = /** @type {number} */ (last.at(-1)) ^ 1
      return channel.send([...message.slice(0, -1), last])
    },
  }
}
