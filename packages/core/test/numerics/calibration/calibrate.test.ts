import { describe, expect, it } from 'vitest'
import type { Backend } from '../../../src/backend.ts'
import { toFloat64 } from '../../../src/dtype.ts'
import type { Matrix } from '../../../src/matrix.ts'
import { type CalibrateOptions, calibrate } from '../../../src/numerics/calibration/calibrate.ts'
import { dataFamilies } from '../../../src/numerics/calibration/families.ts'
import { calibratedProfile, formatCalibration, parseCalibration } from '../../../src/numerics/calibration/file.ts'
import { observeProducts } from '../../../src/numerics/calibration/observe.ts'
import { identityEpilogue } from '../../../src/numerics/epilogue.ts'
import { profiles } from '../../../src/numerics/profile.ts'
import { reproducedSum } from '../../../src/numerics/reproduced.ts'
import { checkRow } from '../../../src/numerics/row.ts'
import { judgeTogether } from '../../../src/numerics/together.ts'
import type { Product } from '../../../src/product.ts'
import { type Engine, engines } from '../engines.ts'
import { families, gaussian } from '../families.ts'
import { testRandom } from '../random.ts'
import { bfloat16 } from '../rounding.ts'
import { a100 } from '../tensor-cores.ts'

const shapes = [
  { m: 4, k: 1, n: 24 },
  { m: 4, k: 70, n: 24 },
  { m: 4, k: 500, n: 24 },
]

/** C = A·B by an emulated engine. */
function multiplyWith(dot: Engine['dot'], output: (sum: number) => number = (sum) => sum) {
  return (a: Matrix, b: Matrix): Matrix => {
    const left = toFloat64(a.bytes, a.dtype)
    const right = toFloat64(b.bytes, b.dtype)
    const [m, k, n] = [a.rows, a.cols, b.cols]
    const columns = Float32Array.from({ length: n * k }, (_, i) => right[(i % k) * n + Math.floor(i / k)]!)
    const c = Float32Array.from({ length: m * n }, (_, i) =>
      output(dot(left.subarray(Math.floor(i / n) * k, (Math.floor(i / n) + 1) * k), columns, (i % n) * k)),
    )
    return { rows: m, cols: n, dtype: 'float32', bytes: new Uint8Array(c.buffer) }
  }
}

const engine = (name: string) => engines.find((candidate) => candidate.name === name)!
const options = { profile: 'float32', engine: 'emulated', shapes } as const satisfies Partial<CalibrateOptions>

describe('calibrate', () => {
  it('measures every family and shape, and says what the file says', async () => {
    const seen: string[] = []
    const report = await calibrate({
      ...options,
      multiply: multiplyWith(engine('sequential').dot),
      onMeasured: ({ data, k }) => seen.push(`${data} ${k}`),
    })
    expect(seen).toEqual(dataFamilies.flatMap(({ name }) => shapes.map(({ k }) => `${name} ${k}`)))
    for (const { rms, p999, max, rejected } of report.measured) {
      expect(rejected).toBe(0)
      expect(rms).toBeLessThanOrEqual(p999)
      expect(p999).toBeLessThanOrEqual(max)
    }
    const stagnating = report.measured.find(({ data, k }) => data === 'stagnating' && k === 500)
    expect(stagnating?.max).toBeGreaterThan(4)
    expect(parseCalibration(formatCalibration(report.calibration!))).toEqual(report.calibration)
  })

  it('tightens the limits for an accurate engine, which then keeps them on other data', async () => {
    const { calibration } = await calibrate({ ...options, multiply: multiplyWith(reproducedSum) })
    const profile = calibratedProfile(profiles.float32, calibration!)
    expect(profile.acceptedRatio).toBeLessThan(2)
    expect(profile.acceptedEmulatedRatio).toBeLessThan(8)
    expect(profile.honestRms).toBeLessThan(0.2)

    const random = testRandom(51)
    const rejected: unknown[] = []
    for (const family of families) {
      for (const k of [1, 5, 48, 200, 1500]) {
        const rows = Array.from({ length: 4 }, () => {
          const { a, b, columns, n } = family.make(random, k, 40)
          const c = Float64Array.from({ length: n }, (_, j) => reproducedSum(a, columns, j * k))
          const opened = { a, b, c, profile, epilogue: identityEpilogue }
          return { opened, ...checkRow(opened) }
        })
        rejected.push(...rows.flatMap(({ failures }) => failures))
        const together = judgeTogether(rows)
        if (together !== undefined) rejected.push(together)
      }
    }
    expect(rejected).toEqual([])
  })

  it('sees with its limits what the built-in ones do not', async () => {
    const { calibration } = await calibrate({ ...options, multiply: multiplyWith(reproducedSum) })
    const profile = calibratedProfile(profiles.float32, calibration!)
    const { a, b, columns, k, n } = gaussian.make(testRandom(52), 1000, 60)
    const c = Float64Array.from({ length: n }, (_, j) => reproducedSum(a, columns, j * k) * (1 + 3e-6 * (j % 2)))
    const row = { a, b, c, epilogue: identityEpilogue }
    expect(checkRow({ ...row, profile: profiles.float32 }).outcome).toBe('accept')
    expect(checkRow({ ...row, profile }).outcome).toBe('reject')
  })

  it('never loosens, however bad the engine', async () => {
    const { calibration } = await calibrate({ ...options, multiply: multiplyWith(engine('sequential').dot) })
    const { acceptedRatio, acceptedEmulatedRatio, honestRms } = calibration!.limits
    expect(acceptedRatio).toBeLessThanOrEqual(4)
    expect(acceptedEmulatedRatio).toBeLessThanOrEqual(8)
    expect(honestRms).toBeLessThanOrEqual(0.26)
  })

  it('gives no calibration to an engine that is not of the profile', async () => {
    const { measured, calibration } = await calibrate({
      ...options,
      multiply: multiplyWith(engine('sequential').dot, bfloat16),
    })
    expect(calibration).toBeUndefined()
    expect(measured.reduce((sum, { rejected }) => sum + rejected, 0)).toBeGreaterThan(500)
  })

  it('hands over operands of 16 bits, and leaves limits alone that results of 16 bits do not show', async () => {
    const dtypes = new Set<string>()
    const run = multiplyWith(a100.dot)
    const half = multiplyWith(a100.dot, bfloat16)
    const multiply = (a: Matrix, b: Matrix) => {
      dtypes.add(a.dtype).add(b.dtype)
      return run(a, b)
    }
    const wide = await calibrate({ ...options, profile: 'bfloat16', multiply })
    expect([...dtypes]).toEqual(['bfloat16'])
    expect(wide.calibration!.limits.acceptedRatio).toBeLessThanOrEqual(4)
    const narrow = await calibrate({
      ...options,
      profile: 'bfloat16',
      multiply(a, b) {
        const c = half(a, b)
        const bits = Uint16Array.from(new Uint32Array(c.bytes.buffer), (value) => value >>> 16)
        return { ...c, dtype: 'bfloat16', bytes: new Uint8Array(bits.buffer) }
      },
    })
    const { acceptedRatio, acceptedEmulatedRatio, honestRms } = profiles.bfloat16
    expect(narrow.calibration!.limits).toEqual({ acceptedRatio, acceptedEmulatedRatio, honestRms })
  })

  it('asks for a matrix of the right size', async () => {
    await expect(calibrate({ ...options, multiply: () => undefined })).rejects.toThrow(TypeError)
  })
})

/** A backend that reports what `library` computes, as a product of one matrix. */
function plainBackend(): { backend: Backend; matMul(a: Matrix, b: Matrix, change?: Partial<Product>): Matrix } {
  const observers = new Set<(product: Product) => void>()
  const handle = (matrix: Matrix) => ({
    key: matrix,
    rows: matrix.rows,
    cols: matrix.cols,
    dtype: matrix.dtype,
    read: () => ({ ...matrix, bytes: matrix.bytes.slice() }),
  })
  return {
    matMul(a, b, change) {
      const c = multiplyWith(reproducedSum)(a, b)
      const [k, n] = [b.rows, b.cols]
      const values = new Float32Array(b.bytes.slice().buffer)
      const columns = Float32Array.from({ length: n * k }, (_, i) => values[(i % k) * n + Math.floor(i / k)]!)
      const right = { rows: n, cols: k, dtype: b.dtype, bytes: new Uint8Array(columns.buffer) }
      const product: Product = {
        operation: 'MatMul',
        layout: { kind: 'matmul', m: a.rows, k, n, aBatch: [], bBatch: [] },
        a: handle(a),
        b: {
          ...handle(right),
          transposed: false,
          role: 'candidate',
          stored: () => ({ key: b, byteLength: b.bytes.length, ...b }),
        },
        c: handle(c),
        epilogue: { alpha: 1, activation: { name: 'linear' } },
        profile: 'float32',
        ...change,
      }
      for (const observer of observers) observer(product)
      return c
    },
    backend: {
      specificationVersion: 'v1',
      name: 'plain',
      supports: { operations: ['MatMul'], bypassed: [], dtypes: ['float32'], profiles: ['float32'] },
      intercept(observer) {
        const own = (product: Product) => observer.product(product)
        observers.add(own)
        const restore = () => void observers.delete(own)
        return { active: true, restore, [Symbol.dispose]: restore }
      },
    },
  }
}

describe('a backend', () => {
  it('is calibrated by what it reports', async () => {
    const { backend, matMul } = plainBackend()
    const report = await calibrate({ ...options, backend, multiply: (a, b) => void matMul(a, b) })
    expect(report.measured.reduce((sum, { entries }) => sum + entries, 0)).toBeGreaterThan(1000)
    expect(report.calibration?.limits.acceptedRatio).toBeLessThan(2)
    await expect(calibrate({ ...options, backend, multiply: () => undefined })).rejects.toThrow(TypeError)
  })

  it('adds the products of a model to what is measured, those of one length together', async () => {
    const { backend, matMul } = plainBackend()
    const products = await observeProducts(backend, () => {
      const hidden = matMul(matrix(3, 80), matrix(80, 50))
      matMul(hidden, matrix(50, 20))
      matMul(hidden, matrix(50, 10))
    })
    expect(products.map(({ a, c }) => [a.rows, a.cols, c.cols])).toEqual([
      [3, 80, 50],
      [3, 50, 20],
      [3, 50, 10],
    ])
    matMul(matrix(3, 4), matrix(4, 5))
    expect(products).toHaveLength(3)
    const { measured } = await calibrate({ ...options, families: [], multiply: () => undefined, products })
    expect(measured.map(({ data, k, entries }) => [data, k, entries])).toEqual([
      ['real activations', 50, 90],
      ['real activations', 80, 150],
    ])
  })
})

const { normal } = testRandom(53)

function matrix(rows: number, cols: number): Matrix {
  const values = Float32Array.from({ length: rows * cols }, normal)
  return { rows, cols, dtype: 'float32', bytes: new Uint8Array(values.buffer) }
}
