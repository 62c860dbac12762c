import type { NewNode, NewTensor } from '@tensor-assay/onnx-model'
import {
  floatFeed,
  floatTensor,
  int64Tensor,
  Numbers,
  node,
  onnxFile,
  type TestModel,
  tensor,
  weight,
} from './writer.ts'

/** MatMul, Add and Relu in turn; the last layer is a Gemm. */
export function mlp({ widths = [24, 40, 32, 8], batch = 5 } = {}): TestModel {
  const numbers = new Numbers(1)
  const initializers: NewTensor[] = []
  const nodes: NewNode[] = []
  let value = 'x'
  for (const [i, width] of widths.slice(1).entries()) {
    const bias = floatTensor(`b${i}`, [width], numbers.floats(width))
    initializers.push(weight(numbers, `w${i}`, [widths[i]!, width]), bias)
    if (i === widths.length - 2) {
      nodes.push(node('Gemm', [value, `w${i}`, `b${i}`], 'y'))
    } else {
      nodes.push(node('MatMul', [value, `w${i}`], `product${i}`))
      nodes.push(node('Add', [`product${i}`, `b${i}`], `sum${i}`))
      nodes.push(node('Relu', [`sum${i}`], `hidden${i}`))
      value = `hidden${i}`
    }
  }
  return {
    name: 'mlp',
    file: onnxFile({
      nodes,
      initializers,
      inputs: [{ name: 'x', type: 'float32', dims: ['batch', widths[0]!] }],
      outputs: [{ name: 'y', type: 'float32', dims: ['batch', widths.at(-1)!] }],
    }),
    feeds: { x: floatFeed(numbers, [batch, widths[0]!]) },
  }
}

/** Every combination of transposes, with α, β, no bias, and a bias in each shape that Gemm broadcasts. */
export function gemm(): TestModel {
  const numbers = new Numbers(2)
  const [m, k, n] = [4, 6, 5]
  const biases: Record<string, number[]> = { none: [], scalar: [], one: [1], row: [1, n], vector: [n], full: [m, n] }
  const initializers: NewTensor[] = [
    floatTensor('b', [k, n], numbers.floats(k * n)),
    floatTensor('bt', [n, k], numbers.floats(k * n)),
  ]
  const nodes: NewNode[] = []
  const outputs: string[] = []
  for (const [bias, dims] of Object.entries(biases)) {
    if (bias !== 'none') {
      const size = dims.reduce((product, size) => product * size, 1)
      initializers.push(floatTensor(bias, dims, numbers.floats(size)))
    }
    for (const transA of [0n, 1n]) {
      for (const transB of [0n, 1n]) {
        const y = `y_${bias}_${transA}${transB}`
        const inputs = [transA ? 'xt' : 'x', transB ? 'bt' : 'b', ...(bias === 'none' ? [] : [bias])]
        nodes.push(node('Gemm', inputs, y, { transA, transB, alpha: 0.75, beta: -1.5 }))
        outputs.push(y)
      }
    }
  }
  return {
    name: 'gemm',
    file: onnxFile({
      nodes,
      initializers,
      inputs: [
        { name: 'x', type: 'float32', dims: [m, k] },
        { name: 'xt', type: 'float32', dims: [k, m] },
      ],
      outputs: outputs.map((name) => ({ name, type: 'float32' })),
    }),
    feeds: { x: floatFeed(numbers, [m, k]), xt: floatFeed(numbers, [k, m]) },
  }
}

/** Gemm whose third operand the run computes: of the shape of C, which is added entry by entry, and others that are repeated. */
export function gemmAddends(): TestModel {
  const numbers = new Numbers(6)
  const [m, k] = [4, 6]
  return {
    name: 'gemm addends',
    file: onnxFile({
      nodes: [
        node('Gemm', ['x', 'w1'], 'first'),
        node('Gemm', ['first', 'w2', 'first'], 'own', { alpha: 0.75, beta: -1.5 }),
        node('Gemm', ['x', 'w3', 'own'], 'relu/sum', { transB: 1n }),
        node('Relu', ['relu/sum'], 'relu'),
        node('Gemm', ['relu', 'w1', 'x'], 'given', { beta: 0.5 }),
        node('ReduceMean', ['given'], 'column', { axes: [1n], keepdims: 1n }),
        node('Gemm', ['given', 'w2', 'column'], 'repeated'),
      ],
      initializers: ['w1', 'w2', 'w3'].map((name) => weight(numbers, name, [k, k])),
      inputs: [{ name: 'x', type: 'float32', dims: [m, k] }],
      outputs: ['relu', 'given', 'repeated'].map((name) => ({ name, type: 'float32' })),
    }),
    feeds: { x: floatFeed(numbers, [m, k]) },
  }
}

/** Operands that are vectors, batches that broadcast, a scaled and a transposed operand, a product followed by an activation. */
export function matmulShapes(): TestModel {
  const numbers = new Numbers(3)
  return {
    name: 'matmul shapes',
    file: onnxFile({
      nodes: [
        node('MatMul', ['x', 'w'], 'batched'),
        node('MatMul', ['x', 'wb'], 'bothBatched'),
        node('MatMul', ['v', 'w'], 'vectorByMatrix'),
        node('MatMul', ['x', 'u'], 'matrixByVector'),
        node('MatMul', ['v', 'u'], 'vectorByVector'),
        node('Transpose', ['z'], 'zt', { perm: [0n, 2n, 1n] }),
        node('MatMul', ['x', 'zt'], 'byTranspose'),
        node('Mul', ['byTranspose', 'half'], 'scaled'),
        node('Gemm', ['v2', 'w', 'bias'], 'gemmSum'),
        node('LeakyRelu', ['gemmSum'], 'gemmActivated', { alpha: 0.125 }),
        node('MatMul', ['empty', 'w'], 'none'),
      ],
      initializers: [
        weight(numbers, 'w', [6, 4]),
        weight(numbers, 'wb', [3, 6, 4]),
        floatTensor('u', [6], numbers.floats(6)),
        floatTensor('half', [], [0.5]),
        floatTensor('bias', [4], numbers.floats(4)),
      ],
      inputs: [
        { name: 'x', type: 'float32', dims: ['b', 5, 6] },
        { name: 'v', type: 'float32', dims: [6] },
        { name: 'v2', type: 'float32', dims: [2, 6] },
        { name: 'z', type: 'float32', dims: ['b', 7, 6] },
        { name: 'empty', type: 'float32', dims: ['e', 6] },
      ],
      outputs: ['batched', 'bothBatched', 'vectorByMatrix', 'matrixByVector', 'vectorByVector', 'scaled']
        .concat(['gemmActivated', 'none'])
        .map((name) => ({ name, type: 'float32' })),
    }),
    feeds: {
      x: floatFeed(numbers, [3, 5, 6]),
      v: floatFeed(numbers, [6]),
      v2: floatFeed(numbers, [2, 6]),
      z: floatFeed(numbers, [3, 7, 6]),
      empty: floatFeed(numbers, [0, 6]),
    },
  }
}

/** Weights that a node makes out of an initializer, which optimisation folds away, and one that may be overridden. */
export function derivedWeights(): TestModel {
  const numbers = new Numbers(4)
  const half = Uint16Array.from({ length: 24 }, (_, i) => 0x3000 + i * 37)
  return {
    name: 'derived weights',
    file: onnxFile({
      nodes: [
        node('Transpose', ['wt'], 'w1', { perm: [1n, 0n] }),
        node('MatMul', ['x', 'w1'], 'y1'),
        node('Cast', ['w16'], 'w2', { to: 1n }),
        node('MatMul', ['x', 'w2'], 'y2'),
        node('Reshape', ['flat', 'shape'], 'w3'),
        node('MatMul', ['x', 'w3'], 'y3'),
        node('Constant', [], 'w4', { value: weight(numbers, '', [6, 4]) }),
        node('MatMul', ['x', 'w4'], 'y4'),
        node('MatMul', ['x', 'default'], 'y5'),
      ],
      initializers: [
        floatTensor('wt', [4, 6], numbers.floats(24)),
        tensor('w16', 'float16', [6, 4], half),
        floatTensor('flat', [24], numbers.floats(24)),
        int64Tensor('shape', [6, 4]),
        weight(numbers, 'default', [6, 4]),
      ],
      inputs: [
        { name: 'x', type: 'float32', dims: ['batch', 6] },
        { name: 'default', type: 'float32', dims: [6, 4] },
      ],
      outputs: ['y1', 'y2', 'y3', 'y4', 'y5'].map((name) => ({ name, type: 'float32' })),
    }),
    feeds: { x: floatFeed(numbers, [3, 6]), default: floatFeed(numbers, [6, 4]) },
  }
}

/** Products whose weights are changed by folding a batch normalisation into them. */
export function batchNormalised(): TestModel {
  const numbers = new Numbers(5)
  const norm = (name: string, channels: number): NewTensor[] => [
    floatTensor(`${name}scale`, [channels], numbers.floats(channels)),
    floatTensor(`${name}bias`, [channels], numbers.floats(channels)),
    floatTensor(`${name}mean`, [channels], numbers.floats(channels)),
    floatTensor(
      `${name}var`,
      [channels],
      numbers.floats(channels).map((v) => 1 + v / 2),
    ),
  ]
  const parts = (name: string) => ['scale', 'bias', 'mean', 'var'].map((part) => name + part)
  return {
    name: 'batch normalised',
    file: onnxFile({
      nodes: [
        node('MatMul', ['x', 'w'], 'product'),
        node('BatchNormalization', ['product', ...parts('m')], 'y1'),
        node('Conv', ['image', 'filters'], 'convolved', { pads: [1n, 1n, 1n, 1n] }),
        node('BatchNormalization', ['convolved', ...parts('c')], 'y2'),
      ],
      initializers: [
        weight(numbers, 'w', [6, 4]),
        weight(numbers, 'filters', [16, 3, 3, 3], 27),
        ...norm('m', 4),
        ...norm('c', 16),
      ],
      inputs: [
        { name: 'x', type: 'float32', dims: ['batch', 6] },
        { name: 'image', type: 'float32', dims: [1, 3, 6, 6] },
      ],
      outputs: ['y1', 'y2'].map((name) => ({ name, type: 'float32' })),
    }),
    feeds: { x: floatFeed(numbers, [3, 6]), image: floatFeed(numbers, [1, 3, 6, 6]) },
  }
}
