/** @import { NewGraph, NewNode, NewTensor } from '@tensor-assay/onnx-model' */

/**
 * The graph of a text classifier like BERT, as exporters write it, with random weights.
 *
 * @param {{ words: number, layers: number, d: number, heads: number, labels: number }} sizes
 * @returns {NewGraph}
 */
export function classifier({ words, layers, d, heads, labels }) {
  /** @type {NewNode[]} */
  const nodes = []
  /** @type {NewTensor[]} */
  const initializers = []

  /** @type {(name: string, dims: number[], values: (i: number) => number) => string} */
  function floats(name, dims, values) {
    const length = dims.reduce((product, size) => product * size, 1)
    const { buffer } = Float32Array.from({ length }, (_, i) => values(i))
    initializers.push({ name, type: 'float32', dims, bytes: new Uint8Array(buffer) })
    return name
  }
  /** @type {(name: string, ...values: number[]) => string} */
  function integers(name, ...values) {
    const { buffer } = BigInt64Array.from(values, BigInt)
    initializers.push({ name, type: 'int64', dims: [values.length], bytes: new Uint8Array(buffer) })
    return name
  }
  /** @type {(output: string, opType: string, inputs: string[], attributes?: NewNode['attributes']) => string} */
  function node(output, opType, inputs, attributes = {}) {
    nodes.push({ name: output, opType, inputs, outputs: [output], attributes })
    return output
  }
  /** @type {(name: string, dims: number[]) => string} */
  const random = (name, dims) => floats(name, dims, () => (Math.random() - 0.5) * Math.sqrt(12 / d))
  /** @type {(name: string, x: string, k: number, n: number) => string} */
  function dense(name, x, k, n) {
    const product = node(`${name}/MatMul`, 'MatMul', [x, random(`${name}.weight`, [k, n])])
    return node(`${name}/Add`, 'Add', [product, random(`${name}.bias`, [n])])
  }
  /** @type {(name: string, x: string) => string} */
  function normalised(name, x) {
    const scale = floats(`${name}.scale`, [d], () => 1)
    const shift = floats(`${name}.shift`, [d], () => 0)
    return node(name, 'LayerNormalization', [x, scale, shift], { axis: -1n, epsilon: 1e-5 })
  }
  /** @type {(name: string, x: string, perm: bigint[]) => string} */
  function headsOf(name, x, perm) {
    return node(`${name}/Transpose`, 'Transpose', [node(`${name}/Reshape`, 'Reshape', [x, 'split'])], { perm })
  }

  integers('split', 0, 0, heads, d / heads)
  integers('merge', 0, 0, d)
  floats('scale', [], () => Math.sqrt(d / heads))
  floats('one', [], () => 1)
  floats('least', [], () => -1e9)
  integers('axes', 1, 2)

  // Positions that are only padding are pushed out of every softmax.
  const present = node('mask/Cast', 'Cast', ['attention_mask'], { to: 1n })
  const absent = node('mask/Sub', 'Sub', ['one', node('mask/Unsqueeze', 'Unsqueeze', [present, 'axes'])])
  const mask = node('mask', 'Mul', [absent, 'least'])

  let x = node('embedding', 'Gather', [random('words', [words, d]), 'input_ids'])
  for (let layer = 0; layer < layers; layer++) {
    const at = `layer${layer}`
    const q = headsOf(`${at}/q`, dense(`${at}/query`, x, d, d), [0n, 2n, 1n, 3n])
    const k = headsOf(`${at}/k`, dense(`${at}/key`, x, d, d), [0n, 2n, 3n, 1n])
    const v = headsOf(`${at}/v`, dense(`${at}/value`, x, d, d), [0n, 2n, 1n, 3n])
    const scores = node(`${at}/scaled`, 'Div', [node(`${at}/scores`, 'MatMul', [q, k]), 'scale'])
    const attention = node(`${at}/attention`, 'Softmax', [node(`${at}/masked`, 'Add', [scores, mask])], { axis: -1n })
    const mixed = node(`${at}/mixed`, 'MatMul', [attention, v])
    const turned = node(`${at}/turned`, 'Transpose', [mixed], { perm: [0n, 2n, 1n, 3n] })
    const merged = node(`${at}/merged`, 'Reshape', [turned, 'merge'])
    const middle = normalised(`${at}/norm1`, node(`${at}/sum1`, 'Add', [dense(`${at}/output`, merged, d, d), x]))
    const hidden = node(`${at}/relu`, 'Relu', [dense(`${at}/up`, middle, d, 4 * d)])
    x = normalised(`${at}/norm2`, node(`${at}/sum2`, 'Add', [dense(`${at}/down`, hidden, 4 * d, d), middle]))
  }
  const first = node('first', 'Gather', [x, integers('zero', 0)], { axis: 1n })
  const pooled = node('pooled', 'Reshape', [first, integers('rows', -1, d)])
  node('logits', 'Identity', [dense('classifier', pooled, d, labels)])
  /** @type {['batch', 'length']} */
  const dims = ['batch', 'length']
  return {
    name: 'classifier',
    nodes,
    initializers,
    inputs: ['input_ids', 'attention_mask'].map((name) => ({ name, type: 'int64', dims })),
    outputs: [{ name: 'logits', type: 'float32', dims: ['batch', labels] }],
  }
}
