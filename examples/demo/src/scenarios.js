/**
 * What the demo runs. Both processes read this list; the prover alone acts on `cheat`.
 *
 * @typedef {object} Scenario
 * @property {string} name
 * @property {'large' | 'notebook' | 'classifier'} model
 * @property {'spot' | 'interactive'} mode
 * @property {string | undefined} [cheat]
 * @property {string} expected Status of the verdict.
 * @property {string | undefined} [reason] Reason of its worst finding.
 */

/** @type {Scenario[]} */
export const scenarios = [
  { name: '4000×4000 · 4000×4000, honest', model: 'large', mode: 'interactive', expected: 'pass' },
  { name: '400×4000 · 4000×400, honest', model: 'notebook', mode: 'interactive', expected: 'pass' },
  { name: '400×4000 · 4000×400, honest', model: 'notebook', mode: 'spot', expected: 'pass' },
  { name: 'classifier, honest', model: 'classifier', mode: 'interactive', expected: 'pass' },
  ...[
    ['result altered after the product', 'altered', 'value-out-of-tolerance'],
    ['other weights under the public name', 'other-weights', 'value-out-of-tolerance'],
    ['weights rounded to int8', 'int8', 'value-out-of-tolerance'],
    ['half of the rows wrong', 'half-rows', 'value-out-of-tolerance'],
    ['result of an earlier input', 'stale', 'value-out-of-tolerance'],
    ["invented A' with the matching A'B", 'invented', 'input-mismatch'],
    ['opening tampered with', 'tampered', 'commitment-mismatch'],
  ].map(([name, cheat, reason]) => ({
    name: `400×4000 · 4000×400, ${name}`,
    model: /** @type {const} */ ('notebook'),
    mode: /** @type {const} */ ('interactive'),
    cheat,
    expected: 'fail',
    reason,
  })),
  {
    name: 'classifier, weights rounded to int8',
    model: 'classifier',
    mode: 'interactive',
    cheat: 'int8',
    expected: 'fail',
    reason: 'value-out-of-tolerance',
  },
]

/** Shapes of the single products. */
export const shapes = { large: { m: 4000, k: 4000, n: 4000 }, notebook: { m: 400, k: 4000, n: 400 } }

/**
 * Reproducible values, roughly normal, the same in both processes.
 *
 * @param {number} length
 * @param {number} seed
 */
export function values(length, seed) {
  const out = new Float32Array(length)
  let state = (seed * 2654435761 + 1) >>> 0
  const uniform = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  for (let i = 0; i < length; i++) out[i] = uniform() + uniform() + uniform() + uniform() - 2
  return out
}

/** @param {Float32Array} data */
export function bytesOf(data) {
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
