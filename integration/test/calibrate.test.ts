import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { tfjs } from '@tensor-assay/backend-tfjs'
import {
  calibrate,
  createProver,
  formatCalibration,
  type Matrix,
  observeProducts,
  parseCalibration,
  type Verdict,
} from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { createVerifier, interactive, memoryWeights } from '@tensor-assay/verifier'
import '@tensorflow/tfjs-backend-cpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import * as tf from '@tensorflow/tfjs-core'
import { describe, expect, test } from 'vitest'

tf.env().set('PROD', true)
const packageFile = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json')
setWasmPaths(`${dirname(packageFile)}/dist/`)

const tensorOf = ({ rows, cols, bytes }: Matrix) =>
  tf.tensor2d(new Float32Array(bytes.buffer, bytes.byteOffset, rows * cols), [rows, cols])
const multiply = (a: Matrix, b: Matrix) => tf.tidy(() => void tf.matMul(tensorOf(a), tensorOf(b)))
const wave = (length: number, step: number) => Float32Array.from({ length }, (_, i) => Math.sin(step * i * i + i))
const [m, k, n] = [12, 600, 80]
const weight = wave(k * n, 0.37)

/** An audit of one product; `wrong` is multiplied instead of the weight. */
async function audit(policy: ReturnType<typeof interactive>, wrong?: (value: number, i: number) => number) {
  const verifier = createVerifier({ weights: memoryWeights([{ name: 'b', shape: [k, n], data: weight }]), policy })
  const transport = memoryTransport()
  let verdict: Promise<Verdict> | undefined
  const listener = await transport.listen('memory:calibrated', (channel) => {
    verdict = verifier.accept(channel)
  })
  const backend = tfjs(tf)
  const lying: typeof backend = {
    ...backend,
    intercept: (observer) =>
      backend.intercept({
        opaque: (operation) => observer.opaque(operation),
        product: (product) =>
          observer.product({
            ...product,
            b: {
              ...product.b,
              stored: () => ({
                key: weight,
                dtype: 'float32',
                byteLength: weight.byteLength,
                bytes: new Uint8Array(weight.buffer),
              }),
            },
          }),
      }),
  }
  const channel = await transport.dial(listener.address)
  const prover = await createProver({ backend: wrong ? lying : backend, channel })
  const used = wrong ? weight.map(wrong) : weight
  await prover.audit(() =>
    tf.tidy(() => void tf.matMul(tf.tensor2d(wave(m * k, 0.11), [m, k]), tf.tensor2d(used, [k, n]))),
  )
  await prover.close()
  await listener.close()
  return verdict!
}

describe.each(['cpu', 'wasm'] as const)('tfjs on %s', (name) => {
  test('is calibrated, passes under its own limits, and hides less under them', async () => {
    await tf.setBackend(name)
    const shapes = [1, 64, 300, 1024].map((length) => ({ m: 4, k: length, n: 48 }))
    const backend = tfjs(tf)
    const products = await observeProducts(backend, () => multiply(matrix(4, 100), matrix(100, 30)))
    const report = await calibrate({ profile: 'float32', engine: name, backend, multiply, shapes, products })
    expect(report.measured.at(-1)).toMatchObject({ data: 'real activations', entries: 120, rejected: 0 })
    const calibration = parseCalibration(formatCalibration(report.calibration!))
    expect(calibration.limits.acceptedRatio).toBeLessThan(4)

    const calibrated = interactive({ calibration: [calibration] })
    expect((await audit(calibrated)).status).toBe('pass')
    // The smallest of these relative errors of the weights that either policy sees.
    const sizes = [1e-7, 3e-7, 1e-6, 3e-6, 1e-5, 3e-5]
    const seen = async (policy: ReturnType<typeof interactive>) => {
      for (const size of sizes) {
        const { status } = await audit(policy, (value, i) => value * (1 + (i % 2 === 0 ? size : -size)))
        if (status === 'fail') return size
      }
      return 1
    }
    const [strict, builtIn] = [await seen(calibrated), await seen(interactive())]
    expect(builtIn).toBeLessThan(1)
    // Each policy draws rows and vectors of its own, so that one step of luck is allowed for.
    expect(strict).toBeLessThanOrEqual(3.5 * builtIn)
  })
})

test('a policy takes one calibration of each profile, and none that loosens', async () => {
  await tf.setBackend('cpu')
  const shapes = [{ m: 4, k: 64, n: 48 }]
  const report = await calibrate({ profile: 'float32', engine: 'cpu', backend: tfjs(tf), multiply, shapes })
  const calibration = report.calibration!
  expect(() => interactive({ calibration: [calibration, calibration] })).toThrow(RangeError)
  const limits = { ...calibration.limits, acceptedRatio: 40 }
  expect(() => interactive({ calibration: [{ ...calibration, limits }] })).toThrow('can only tighten')
})

function matrix(rows: number, cols: number): Matrix {
  return { rows, cols, dtype: 'float32', bytes: new Uint8Array(wave(rows * cols, 0.23).buffer) }
}
