import type { Matrix } from '@tensor-assay/core'
import { encodeModel } from '@tensor-assay/onnx-model'
import { onnxRuntime } from '../onnx/runtime.ts'
import type { Engine } from './engine.ts'

/** ONNX Runtime on the CPU: each product is a model of one MatMul, whose B is a weight. */
export async function onnxRuntimeEngine(): Promise<Engine> {
  const { ort, backend, version } = await onnxRuntime()
  return {
    name: `ONNX Runtime ${version} on cpu`,
    backend,
    async multiply(a, b) {
      const session = await ort.InferenceSession.create(matMulModel(b), { executionProviders: ['cpu'] })
      const data = new Float32Array(a.bytes.buffer, a.bytes.byteOffset, a.rows * a.cols)
      await session.run({ a: new ort.Tensor('float32', data, [a.rows, a.cols]) })
      await session.release()
    },
  }
}

function matMulModel({ rows, cols, bytes }: Matrix): Uint8Array {
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
