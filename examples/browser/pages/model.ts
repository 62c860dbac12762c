import { bytesSource, type LoadedWeights, readTfjs } from '@tensor-assay/verifier'
import '@tensorflow/tfjs-backend-cpu'
import { setWasmPaths } from '@tensorflow/tfjs-backend-wasm'
import plainUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm.wasm?url'
import simdUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-simd.wasm?url'
import threadedUrl from '@tensorflow/tfjs-backend-wasm/dist/tfjs-backend-wasm-threaded-simd.wasm?url'
import { setBackend, type Tensor, tensor2d, tidy } from '@tensorflow/tfjs-core'
import { type LayersModel, loadLayersModel } from '@tensorflow/tfjs-layers'
import { arms, count, featureCount, featuresOf } from '../src/points.js'

export interface Classifier {
  readonly points: Float32Array
  /** The public weights, for receipts. */
  readonly weights: LoadedWeights
  /** Runs the model; the arm that each point is put on. */
  classify(): Uint8Array
}

/** The model that the example ships. */
export async function loadClassifier(): Promise<Classifier> {
  setWasmPaths({
    'tfjs-backend-wasm.wasm': plainUrl,
    'tfjs-backend-wasm-simd.wasm': simdUrl,
    'tfjs-backend-wasm-threaded-simd.wasm': threadedUrl,
  })
  await setBackend('cpu')
  const [modelJson, weightBytes, pointBytes] = await Promise.all(['model.json', 'weights.bin', 'points.bin'].map(read))
  if (!modelJson || !weightBytes || !pointBytes) throw new TypeError('expected three files')
  const { modelTopology, weightsManifest } = JSON.parse(new TextDecoder().decode(modelJson))
  const weightSpecs = weightsManifest[0].weights
  const load = async () => ({ modelTopology, weightSpecs, weightData: weightBytes.buffer })
  const model: LayersModel = await loadLayersModel({ load })
  const points = new Float32Array(pointBytes.buffer)
  const features = featuresOf(points)
  return {
    points,
    weights: await readTfjs(bytesSource(modelJson, 'model.json'), async () => bytesSource(weightBytes, 'weights.bin')),
    classify: () => {
      const scores = tidy(() => {
        const input = tensor2d(features, [count, featureCount])
        return (model.predict(input, { batchSize: count }) as Tensor).dataSync()
      })
      return Uint8Array.from({ length: count }, (_, i) => largest(scores.subarray(i * arms, (i + 1) * arms)))
    },
  }
}

async function read(name: string): Promise<Uint8Array<ArrayBuffer>> {
  const response = await fetch(`./model/${name}`)
  if (!response.ok) throw new Error(`model/${name} could not be loaded: ${response.status}`)
  return new Uint8Array(await response.arrayBuffer())
}

function largest(scores: ArrayLike<number>): number {
  let best = 0
  for (let i = 1; i < scores.length; i++) if ((scores[i] ?? 0) > (scores[best] ?? 0)) best = i
  return best
}
