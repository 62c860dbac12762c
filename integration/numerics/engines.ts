// Before ONNX Runtime loads: its Linux binaries report home otherwise.
process.env.ORT_DISABLE_TELEMETRY = '1'

import { createRequire } from 'node:module'
import { dirname } from 'node:path'
import { encodeModel } from '@tensor-assay/onnx-model'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import type * as ort from 'onnxruntime-node'

/** A float32 matrix, row-major. */
export interface Floats {
  readonly rows: number
  readonly cols: number
  readonly data: Float32Array
}

/** A library's own product C = A·B. */
export interface RealEngine {
  readonly name: string
  multiply(a: Floats, b: Floats): Promise<Float32Array>
}

async function useTfjs(backend: 'cpu' | 'wasm'): Promise<void> {
  // Without its advice to install another backend.
  tf.env().set('PROD', true)
  const packageFile = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json')
  if (backend === 'wasm') setWasmPaths(`${dirname(packageFile)}/dist/`)
  if (!(await tf.setBackend(backend))) throw new Error(`TensorFlow.js has no backend ${backend}`)
}

export function tfjsEngine(backend: 'cpu' | 'wasm'): RealEngine & { use(): Promise<typeof tf> } {
  return {
    name: `TensorFlow.js ${backend}`,
    async use() {
      await useTfjs(backend)
      return tf
    },
    async multiply(a, b) {
      await useTfjs(backend)
      const c = tf.tidy(() =>
        tf.matMul(tf.tensor2d(a.data, [a.rows, a.cols]), tf.tensor2d(b.data, [b.rows, b.cols])).dataSync(),
      )
      return c as Float32Array
    },
  }
}

/** ONNX Runtime on the CPU: a model of one MatMul, whose B is an initializer. */
export function onnxEngine(): RealEngine {
  const { InferenceSession, Tensor } = createRequire(import.meta.url)('onnxruntime-node') as typeof ort
  let held: { readonly b: Floats; readonly session: ort.InferenceSession } | undefined
  return {
    name: 'ONNX Runtime CPU',
    async multiply(a, b) {
      if (held?.b !== b) {
        await held?.session.release()
        held = { b, session: await InferenceSession.create(matMulModel(b), { executionProviders: ['cpu'] }) }
      }
      const { c } = await held.session.run({ a: new Tensor('float32', a.data, [a.rows, a.cols]) })
      return c!.data as Float32Array
    },
  }
}

function matMulModel({ rows, cols, data }: Floats): Uint8Array {
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
  return encodeModel({
    irVersion: 8,
    opsets: { '': 17 },
    graph: {
      name: 'product',
      nodes: [{ name: 'product', opType: 'MatMul', inputs: ['a', 'b'], outputs: ['c'] }],
      initializers: [{ name: 'b', type: 'float32', dims: [rows, cols], bytes }],
      inputs: [{ name: 'a', type: 'float32', dims: ['m', rows] }],
      outputs: [{ name: 'c', type: 'float32', dims: ['m', cols] }],
    },
  })
}
