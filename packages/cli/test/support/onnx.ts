import { mkdir, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { type ElementType, encodeModel, type NewNode, type NewValue } from '@tensor-assay/onnx-model'
import { folderOfWeights } from './model.ts'

const modules = fileURLToPath(new URL('../../../../node_modules', import.meta.url))

export interface ModelOptions {
  readonly type?: ElementType
  readonly dims?: readonly (number | string)[]
  /** Added to the weights. */
  readonly shift?: number
  readonly nodes?: readonly NewNode[]
  readonly inputs?: readonly NewValue[]
}

/** A model of two products with a bias, y = relu(x·first + bias)·second, for x of [batch, 12] unless told otherwise. */
export function onnxModel({ type = 'float32', dims = ['batch', 12], shift = 0, nodes, inputs }: ModelOptions = {}) {
  const weight = (name: string, ...sizes: number[]) => {
    const length = sizes.reduce((a, b) => a * b, 1)
    const data = Float32Array.from({ length }, (_, i) => Math.sin(1 + i * i + length) + shift)
    return { name, type: 'float32', dims: sizes, bytes: new Uint8Array(data.buffer) } as const
  }
  return encodeModel({
    irVersion: 8,
    opsets: { '': 17 },
    graph: {
      name: 'test',
      nodes: nodes ?? [
        { name: 'one', opType: 'Gemm', inputs: ['x', 'first', 'bias'], outputs: ['h'] },
        { name: 'rectifier', opType: 'Relu', inputs: ['h'], outputs: ['r'] },
        { name: 'two', opType: 'MatMul', inputs: ['r', 'second'], outputs: ['y'] },
      ],
      initializers: [weight('first', 12, 20), weight('bias', 20), weight('second', 20, 8)],
      inputs: inputs ?? [{ name: 'x', type, dims }],
      outputs: [{ name: 'y' }],
    },
  })
}

/** A folder in which the libraries are installed, with `files` in it. */
export async function folderOfLibraries(files: Readonly<Record<string, Uint8Array | string>> = {}): Promise<string> {
  const folder = await folderOfWeights(files)
  await symlink(modules, join(folder, 'node_modules'), 'junction')
  return folder
}

/** A folder in which TensorFlow.js is installed, with a `cpu` backend whose products are 0.1% too large. */
export async function folderOfWrongLibrary(): Promise<string> {
  const folder = await folderOfWeights()
  const scope = join(folder, 'node_modules/@tensorflow')
  const backend = join(scope, 'tfjs-backend-cpu')
  await mkdir(backend, { recursive: true })
  await symlink(join(modules, '@tensorflow/tfjs-core'), join(scope, 'tfjs-core'), 'junction')
  await writeFile(join(backend, 'package.json'), JSON.stringify({ version: '4.22.0', main: 'index.js' }))
  await writeFile(
    join(backend, 'index.js'),
    `const tf = require('@tensorflow/tfjs-core')
    require(${JSON.stringify(join(modules, '@tensorflow/tfjs-backend-cpu'))})
    const kernel = tf.getKernel('BatchMatMul', 'cpu')
    tf.unregisterKernel('BatchMatMul', 'cpu')
    tf.registerKernel({
      ...kernel,
      kernelFunc(params) {
        const result = kernel.kernelFunc(params)
        const values = params.backend.readSync(result.dataId)
        values.set(values.map((value) => 1.001 * value))
        return result
      },
    })`,
  )
  return folder
}
