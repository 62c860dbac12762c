import type {
  BackendCapability,
  BackendHarness,
  PlainTensor,
  Program,
  ProgramOperation,
} from '@tensor-assay/core/conformance'
import '@tensorflow/tfjs-backend-cpu'
import * as tf from '@tensorflow/tfjs-core'
import { type TfjsOptions, tfjs } from '../src/index.ts'
import './wasm-path.ts'

/** What the public functions of TensorFlow.js offer on either backend; no tensor is ever changed in place. */
const capabilities: readonly BackendCapability[] = [
  'transposed',
  'batched',
  'broadcast',
  'bias',
  'relu',
  'relu6',
  'elu',
  'sigmoid',
  'leakyrelu',
  'prelu',
  'conv2d-channels-last',
  'kernelRuns',
  'patchPoints',
  'liveObjects',
  'runOpaque',
]

const kernels = ['BatchMatMul', '_FusedMatMul', 'Conv2D', 'FusedConv2D'] as const

/** TensorFlow.js on one of its backends, as the conformance cases need it. */
export async function tfjsHarness(backendName: string, options: TfjsOptions = {}): Promise<BackendHarness> {
  await tf.setBackend(backendName)
  await tf.ready()
  const kernelRuns = countKernelRuns(backendName)
  return {
    backend: tfjs(tf, options),
    capabilities,
    async run({ inputs, operations }: Program) {
      const values = inputs.map(({ shape, data }) => tf.tensor(data, [...shape], 'float32'))
      try {
        for (const operation of operations) {
          values.push(runOperation(values, operation))
          await undefined
        }
        return await Promise.all(values.slice(inputs.length).map(plain))
      } finally {
        tf.dispose(values)
      }
    },
    kernelRuns,
    patchPoints: () => kernels.map((name) => tf.getKernel(name, backendName)),
    liveObjects: () => tf.memory().numTensors + tf.memory().numDataBuffers,
    runOpaque() {
      tf.tidy(() =>
        tf.depthwiseConv2d(tf.ones<tf.Rank.R4>([1, 4, 4, 2]), tf.ones<tf.Rank.R4>([2, 2, 2, 1]), 1, 'valid'),
      )
    },
  }
}

/** Puts a counter below whatever is patched later. */
function countKernelRuns(backendName: string): () => number {
  let runs = 0
  let depth = 0
  for (const name of kernels) {
    const kernel = tf.getKernel(name, backendName)
    tf.unregisterKernel(name, backendName)
    tf.registerKernel({
      ...kernel,
      kernelFunc(params) {
        // A fused kernel may run another one.
        if (depth++ === 0) runs++
        try {
          return kernel.kernelFunc(params)
        } finally {
          depth--
        }
      },
    })
  }
  return () => runs
}

async function plain(tensor: tf.Tensor): Promise<PlainTensor> {
  return { shape: tensor.shape, data: (await tensor.data<'float32'>()).slice() }
}

function runOperation(values: readonly tf.Tensor[], operation: ProgramOperation): tf.Tensor {
  if (operation.kind === 'assign') throw new TypeError('TensorFlow.js changes no tensor in place')
  const { bias, slope, slopes } = operation
  const { activation = 'linear' } = operation
  if (activation === 'clip' || activation === 'tanh' || activation === 'hardsigmoid') {
    throw new TypeError('TensorFlow.js fuses no such activation')
  }
  const isFused = bias !== undefined || activation !== 'linear'
  const fused = {
    activation: activation as tf.fused.Activation,
    ...(bias !== undefined && { bias: values[bias]! }),
    ...(slope !== undefined && { leakyreluAlpha: slope }),
    ...(slopes !== undefined && { preluActivationWeights: values[slopes]! }),
  }
  if (operation.kind === 'matMul') {
    const { transposeA = false, transposeB = false } = operation
    const [a, b] = [values[operation.a]!, values[operation.b]!]
    return isFused
      ? tf.fused.matMul({ a, b, transposeA, transposeB, ...fused })
      : tf.matMul(a, b, transposeA, transposeB)
  }
  const [x, filter] = [values[operation.x] as tf.Tensor4D, values[operation.filters] as tf.Tensor4D]
  const [top, left] = operation.padding
  const pad: [[number, number], [number, number], [number, number], [number, number]] = [
    [0, 0],
    [top, top],
    [left, left],
    [0, 0],
  ]
  const strides = [...operation.strides] as [number, number]
  const dilations = [...operation.dilations] as [number, number]
  return isFused
    ? tf.fused.conv2d({ x, filter, strides, pad, dilations, ...fused })
    : tf.conv2d(x, filter, strides, pad, 'NHWC', dilations)
}
