import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'

// Without its advice to install another backend.
tf.env().set('PROD', true)
const packageFile = createRequire(import.meta.url).resolve('@tensorflow/tfjs-backend-wasm/package.json')
setWasmPaths(join(dirname(packageFile), 'dist/'))

export const tfBackends = ['cpu', 'wasm'] as const
export type TfBackend = (typeof tfBackends)[number]

/** TensorFlow.js, computing on `backend` from now on. */
export async function tensorFlow(backend: TfBackend): Promise<typeof tf> {
  if (!(await tf.setBackend(backend))) throw new Error(`tfjs cannot use its backend ${backend}`)
  await tf.ready()
  return tf
}
