import { dirname, join } from 'node:path'
import type { Matrix } from '@tensor-assay/core'
import type * as TensorFlow from '@tensorflow/tfjs-core'
import { library } from '../libraries.ts'
import type { Engine } from './engine.ts'

/** TensorFlow.js on one of its backends. */
export async function tfjsEngine(kind: 'cpu' | 'wasm'): Promise<Engine> {
  const core = library('@tensorflow/tfjs-core')
  const { exports, packageFile } = library(`@tensorflow/tfjs-backend-${kind}`)
  const tf = core.exports as typeof TensorFlow
  // Without its advice to install another backend.
  tf.env().set('PROD', true)
  if (kind === 'wasm') {
    const { setWasmPaths } = exports as { setWasmPaths(folder: string): void }
    setWasmPaths(join(dirname(packageFile), 'dist/'))
  }
  if (!(await tf.setBackend(kind))) throw new Error(`TensorFlow.js cannot use its backend ${kind}`)
  const { tfjs } = await import('@tensor-assay/backend-tfjs')
  const tensorOf = ({ rows, cols, bytes }: Matrix) =>
    tf.tensor2d(new Float32Array(bytes.buffer, bytes.byteOffset, rows * cols), [rows, cols])
  return {
    name: `TensorFlow.js ${core.version} on ${kind}`,
    backend: tfjs(tf),
    async multiply(a, b) {
      tf.tidy(() => void tf.matMul(tensorOf(a), tensorOf(b)))
    },
  }
}
