// Makes a small classifier with random weights: node make-model.js <model.onnx>
import { writeFile } from 'node:fs/promises'
import { encodeModel } from '@tensor-assay/onnx-model'

const [file] = process.argv.slice(2)
if (file === undefined) throw new TypeError('usage: node make-model.js <model.onnx>')

const graph = {
  name: 'classifier',
  nodes: [
    node('product1', 'MatMul', 'x', 'weight1'),
    node('sum1', 'Add', 'product1', 'bias1'),
    node('hidden1', 'Relu', 'sum1'),
    node('product2', 'MatMul', 'hidden1', 'weight2'),
    node('sum2', 'Add', 'product2', 'bias2'),
    node('hidden2', 'Relu', 'sum2'),
    node('logits', 'Gemm', 'hidden2', 'weight3', 'bias3'),
    node('scores', 'Softmax', 'logits'),
  ],
  initializers: [
    random('weight1', 32, 64),
    random('bias1', 64),
    random('weight2', 64, 64),
    random('bias2', 64),
    random('weight3', 64, 10),
    random('bias3', 10),
  ],
  inputs: [{ name: 'x', type: /** @type {const} */ ('float32'), dims: ['batch', 32] }],
  outputs: [{ name: 'scores', type: /** @type {const} */ ('float32'), dims: ['batch', 10] }],
}
await writeFile(file, encodeModel({ graph, opsets: { '': 17 }, irVersion: 8 }))

/**
 * @param {string} output
 * @param {string} opType
 * @param {...string} inputs
 */
function node(output, opType, ...inputs) {
  return { name: output, opType, inputs, outputs: [output] }
}

/**
 * @param {string} name
 * @param {...number} dims
 */
function random(name, ...dims) {
  const length = dims.reduce((product, size) => product * size, 1)
  const { buffer } = Float32Array.from({ length }, () => (Math.random() - 0.5) / 2)
  return { name, type: /** @type {const} */ ('float32'), dims, bytes: new Uint8Array(buffer) }
}
