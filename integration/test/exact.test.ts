import { tfjs } from '@tensor-assay/backend-tfjs'
import { type Backend, createProver, type Verdict } from '@tensor-assay/core'
import { memoryTransport } from '@tensor-assay/core/testing'
import { createVerifier, interactive, memoryWeights } from '@tensor-assay/verifier'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { expect, test } from 'vitest'

tf.env().set('PROD', true)
await tf.setBackend('cpu')

const wave = (length: number, step: number) => Float32Array.from({ length }, (_, i) => Math.sin(step * i * i + i))
const [m, k, n] = [12, 600, 80]
const weight = wave(k * n, 0.37)

/** An audit of one product by a verifier that takes `exact` products only; `used` is multiplied, the weight is shown. */
async function audit(backend: Backend, used = weight): Promise<Verdict> {
  const weights = memoryWeights([{ name: 'b', shape: [k, n], data: weight }])
  const verifier = createVerifier({ weights, policy: interactive({ profiles: ['exact'] }) })
  const transport = memoryTransport()
  let verdict: Promise<Verdict> | undefined
  const listener = await transport.listen('memory:exact', (channel) => {
    verdict = verifier.accept(channel)
  })
  const shown: Backend = {
    ...backend,
    intercept: (observer) =>
      backend.intercept({
        ...observer,
        product(product) {
          const bytes = new Uint8Array(weight.buffer)
          const stored = () => ({ key: weight, dtype: 'float32', byteLength: bytes.length, bytes }) as const
          observer.product({ ...product, b: { ...product.b, stored } })
        },
      }),
  }
  const prover = await createProver({ backend: shown, channel: await transport.dial(listener.address) })
  const x = wave(m * k, 0.11)
  await prover.audit(() => tf.tidy(() => void tf.matMul(tf.tensor2d(x, [m, k]), tf.tensor2d(used, [k, n]))))
  await prover.close()
  await listener.close()
  return verdict!
}

test('a verifier that takes exact products only passes TensorFlow.js on cpu', async () => {
  expect(await audit(tfjs(tf, { exact: true }))).toMatchObject({ status: 'pass', findings: [] })
})

test('and sees the last bit of every weight turned', async () => {
  const bits = new Uint32Array(weight.slice().buffer).map((word) => word ^ 1)
  const { status, findings } = await audit(tfjs(tf, { exact: true }), new Float32Array(bits.buffer))
  expect(status).toBe('fail')
  expect(findings[0]).toMatchObject({ reason: 'value-out-of-tolerance' })
})

test('and does not take float32 for it', async () => {
  const { status, findings } = await audit(tfjs(tf))
  expect(status).toBe('fail')
  expect(findings[0]?.message).toMatch(/the policy accepts exact, the prover declares float32/)
})
