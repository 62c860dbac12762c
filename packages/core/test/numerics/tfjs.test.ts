import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { beforeAll, describe, expect, it } from 'vitest'
import { identityEpilogue, type NumericEpilogue } from '../../src/numerics/epilogue.ts'
import { prepareMatrix } from '../../src/numerics/prepared.ts'
import { type NumericProfile, profiles } from '../../src/numerics/profile.ts'
import { checkRow, type RowResult } from '../../src/numerics/row.ts'
import { families } from './families.ts'
import { testRandom } from './random.ts'

// Without its advice to install another backend.
tf.env().set('PROD', true)
const packageFile = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json')
setWasmPaths(`${dirname(packageFile)}/dist/`)

/** Every row of what the library gives for m rows, checked whole. */
function checkRows(
  output: Float32Array,
  a: Float32Array,
  bytes: Uint8Array,
  m: number,
  k: number,
  n: number,
  epilogue: NumericEpilogue,
  profile: NumericProfile = profiles.float32,
) {
  const b = prepareMatrix({ bytes, dtype: 'float32', k, n, transposed: false })
  return Array.from({ length: m }, (_, i): RowResult => {
    const row = Float64Array.from(a.subarray(i * k, (i + 1) * k))
    const c = Float64Array.from(output.subarray(i * n, (i + 1) * n))
    return checkRow({ a: row, b, c, profile, epilogue })
  })
}

describe.each(['cpu', 'wasm'])('tfjs on %s', (backend) => {
  beforeAll(async () => {
    expect(await tf.setBackend(backend)).toBe(true)
    await tf.ready()
  })

  it.each(families.map((family) => [family.name, family] as const))('is never rejected on %s data', (_, family) => {
    const random = testRandom(31)
    const m = 3
    const n = 40
    const results: RowResult[] = []
    for (const k of [1, 2, 7, 64, 300, 2000]) {
      const problems = Array.from({ length: m }, () => family.make(random, k, n))
      // Rows of A of one problem each, all with the B of the last.
      const { columns } = problems[m - 1]!
      const a = Float32Array.from(problems.flatMap((problem) => [...problem.a]))
      const b = Float32Array.from({ length: k * n }, (_, i) => columns[(i % n) * k + Math.floor(i / n)]!)
      const output = tf.tidy(() => tf.matMul(tf.tensor2d(a, [m, k]), tf.tensor2d(b, [k, n])).dataSync()) as Float32Array
      results.push(...checkRows(output, a, new Uint8Array(b.buffer), m, k, n, identityEpilogue))
    }
    expect(results.filter(({ outcome }) => outcome === 'reject')).toEqual([])
    if (family.cancels) return
    expect(results.filter(({ outcome }) => outcome === 'guard')).toEqual([])
    if (!family.structured) expect(Math.max(...results.map(({ largestRatio }) => largestRatio))).toBeLessThan(2)
  })

  const activations = ['linear', 'relu', 'relu6', 'elu', 'sigmoid', 'leakyrelu', 'prelu'] as const
  it.each(activations)('is never rejected with a fused bias and %s', (name) => {
    const { normal } = testRandom(32)
    const [m, k, n] = [8, 300, 40]
    const floats = (length: number, scale: number) => Float32Array.from({ length }, () => scale * normal())
    const [a, b, bias, slopes] = [floats(m * k, 1), floats(k * n, 0.1), floats(n, 1), floats(n, 0.3)]
    const output = tf.tidy(() =>
      tf.fused
        .matMul({
          a: tf.tensor2d(a, [m, k]),
          b: tf.tensor2d(b, [k, n]),
          bias: tf.tensor1d(bias),
          activation: name,
          leakyreluAlpha: 0.2,
          ...(name === 'prelu' ? { preluActivationWeights: tf.tensor2d(slopes, [1, n]) } : {}),
        })
        .dataSync(),
    ) as Float32Array
    const activation =
      name === 'leakyrelu'
        ? { name, slope: 0.2 }
        : name === 'prelu'
          ? { name, slopes: Float64Array.from(slopes) }
          : { name }
    const epilogue = { alpha: 1, bias: Float64Array.from(bias), activation }
    const results = checkRows(output, a, new Uint8Array(b.buffer), m, k, n, epilogue)
    expect(results.filter(({ outcome }) => outcome !== 'accept')).toEqual([])
    expect(Math.max(...results.map(({ largestRatio }) => largestRatio))).toBeLessThan(2)
    // The twin: the same values for a bias that the engine was not given.
    const other = { ...epilogue, bias: epilogue.bias.map((value) => value + 1e-3) }
    const dishonest = checkRows(output, a, new Uint8Array(b.buffer), m, k, n, other)
    expect(dishonest.map(({ outcome }) => outcome)).toEqual(new Array(m).fill('reject'))
  })
})

describe('tfjs on cpu, whose order is known', () => {
  it('is reproduced bit by bit', async () => {
    expect(await tf.setBackend('cpu')).toBe(true)
    const { normal } = testRandom(33)
    const floats = (length: number) => Float32Array.from({ length }, normal)
    for (const [m, k, n] of [
      [3, 1, 40],
      [3, 47, 40],
      [3, 48, 40],
      [3, 500, 60],
      [50, 97, 100],
    ] as const) {
      const [a, b, bias] = [floats(m * k), floats(k * n), floats(n)]
      const bytes = new Uint8Array(b.buffer)
      const plain = tf.tidy(() => tf.matMul(tf.tensor2d(a, [m, k]), tf.tensor2d(b, [k, n])).dataSync()) as Float32Array
      const fused = tf.tidy(() =>
        tf.fused
          .matMul({
            a: tf.tensor2d(a, [m, k]),
            b: tf.tensor2d(b, [k, n]),
            bias: tf.tensor1d(bias),
            activation: 'relu',
          })
          .dataSync(),
      ) as Float32Array
      const epilogue = { alpha: 1, bias: Float64Array.from(bias), activation: { name: 'relu' } } as const
      const results = [
        ...checkRows(plain, a, bytes, m, k, n, identityEpilogue, profiles.exact),
        ...checkRows(fused, a, bytes, m, k, n, epilogue, profiles.exact),
      ]
      expect(results.filter(({ outcome }) => outcome !== 'accept')).toEqual([])
    }
  })
})
