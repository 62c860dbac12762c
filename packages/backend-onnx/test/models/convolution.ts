import type { NewNode, NewTensor } from '@tensor-assay/onnx-model'
import { floatFeed, floatTensor, int64Tensor, Numbers, node, onnxFile, type TestModel, weight } from './writer.ts'

/** Convolutions whose shapes suit ONNX Runtime's blocked layout and others that do not, with everything that fuses. */
export function cnn({ batch = 2 } = {}): TestModel {
  const numbers = new Numbers(20)
  const filters = (name: string, dims: readonly number[]) => weight(numbers, name, dims, dims[1]! * dims[2]! * dims[3]!)
  return {
    name: 'cnn',
    file: onnxFile({
      nodes: [
        node('Conv', ['x', 'w1', 'b1'], 'c1', { pads: [1n, 1n, 1n, 1n] }),
        node('Relu', ['c1'], 'r1'),
        node('Conv', ['r1', 'depthwise'], 'c2', { group: 32n, strides: [2n, 2n] }),
        node('Clip', ['c2', 'zero', 'six'], 'r2'),
        node('Conv', ['r2', 'pointwise'], 'c3'),
        node('Sigmoid', ['c3'], 'r3'),
        node('Conv', ['r3', 'grouped'], 'c4', { group: 2n, auto_pad: 'SAME_UPPER' }),
        node('Conv', ['c4', 'w5'], 'c5', { pads: [1n, 1n, 1n, 1n] }),
        node('Add', ['c5', 'c4'], 'sum'),
        node('Relu', ['sum'], 'r5'),
        node('MaxPool', ['r5'], 'pooled', { kernel_shape: [2n, 2n] }),
        node('Conv', ['pooled', 'w6', 'b6'], 'c6', { dilations: [2n, 2n], pads: [2n, 1n, 1n, 2n] }),
        node('LeakyRelu', ['c6'], 'r6', { alpha: 0.25 }),
        node('Flatten', ['r6'], 'flat'),
        node('MatMul', ['flat', 'head'], 'y'),
      ],
      initializers: [
        filters('w1', [32, 3, 3, 3]),
        floatTensor('b1', [32], numbers.floats(32)),
        filters('depthwise', [32, 1, 3, 3]),
        floatTensor('zero', [], [0]),
        floatTensor('six', [], [6]),
        filters('pointwise', [48, 32, 1, 1]),
        filters('grouped', [48, 24, 3, 3]),
        filters('w5', [48, 48, 3, 3]),
        filters('w6', [7, 48, 3, 3]),
        floatTensor('b6', [7], numbers.floats(7)),
        weight(numbers, 'head', [7 * 7 * 7, 10]),
      ],
      inputs: [{ name: 'x', type: 'float32', dims: ['batch', 3, 20, 20] }],
      outputs: [{ name: 'y', type: 'float32', dims: ['batch', 10] }],
    }),
    feeds: { x: floatFeed(numbers, [batch, 3, 20, 20]) },
  }
}

/** Convolutions over one and three dimensions, transposed ones, and each way of padding. */
export function convolutionShapes(): TestModel {
  const numbers = new Numbers(21)
  const initializers: NewTensor[] = [
    weight(numbers, 'w1d', [6, 4, 3], 12),
    weight(numbers, 'w3d', [5, 2, 2, 3, 2], 24),
    weight(numbers, 'w2d', [5, 4, 3, 2], 24),
    weight(numbers, 'wt', [4, 3, 3, 3], 36),
    floatTensor('b5', [5], numbers.floats(5)),
  ]
  const nodes: NewNode[] = [
    node('Conv', ['line', 'w1d'], 'y1d', { strides: [2n], pads: [2n, 0n], dilations: [2n] }),
    node('Conv', ['volume', 'w3d', 'b5'], 'y3d', { pads: [0n, 1n, 0n, 1n, 1n, 1n], strides: [1n, 2n, 1n] }),
    node('ConvTranspose', ['image', 'wt'], 'yt', { strides: [2n, 2n] }),
  ]
  for (const auto_pad of ['SAME_UPPER', 'SAME_LOWER', 'VALID']) {
    nodes.push(node('Conv', ['image', 'w2d', 'b5'], `y_${auto_pad}`, { auto_pad, strides: [2n, 3n] }))
  }
  return {
    name: 'convolution shapes',
    file: onnxFile({
      nodes,
      initializers,
      inputs: [
        { name: 'line', type: 'float32', dims: ['batch', 4, 11] },
        { name: 'volume', type: 'float32', dims: [1, 2, 5, 6, 4] },
        { name: 'image', type: 'float32', dims: [2, 4, 8, 9] },
      ],
      outputs: ['y1d', 'y3d', 'yt', 'y_SAME_UPPER', 'y_SAME_LOWER', 'y_VALID'].map((name) => ({
        name,
        type: 'float32',
      })),
    }),
    feeds: {
      line: floatFeed(numbers, [3, 4, 11]),
      volume: floatFeed(numbers, [1, 2, 5, 6, 4]),
      image: floatFeed(numbers, [2, 4, 8, 9]),
    },
  }
}

/** Blocked convolutions whose output channels are padded, whose output is the model's, and that feed one another. */
export function blockedConvolutions(): TestModel {
  const numbers = new Numbers(22)
  return {
    name: 'blocked convolutions',
    file: onnxFile({
      nodes: [
        node('Conv', ['x', 'w1', 'b1'], 'c1', { pads: [1n, 1n, 1n, 1n] }),
        node('Conv', ['c1', 'w2'], 'c2', { group: 2n }),
        node('AveragePool', ['c2'], 'pooled', { kernel_shape: [2n, 2n] }),
        node('Conv', ['pooled', 'w3', 'b3'], 'c3'),
        node('Relu', ['c3'], 'y1'),
        node('GlobalAveragePool', ['y1'], 'y2'),
        node('Transpose', ['c2'], 'y3', { perm: [0n, 2n, 3n, 1n] }),
      ],
      initializers: [
        weight(numbers, 'w1', [64, 16, 3, 3], 144),
        floatTensor('b1', [64], numbers.floats(64)),
        weight(numbers, 'w2', [64, 32, 3, 3], 288),
        weight(numbers, 'w3', [20, 64, 1, 1], 64),
        floatTensor('b3', [20], numbers.floats(20)),
      ],
      inputs: [{ name: 'x', type: 'float32', dims: [1, 16, 9, 9] }],
      outputs: ['y1', 'y2', 'y3'].map((name) => ({ name, type: 'float32' })),
    }),
    feeds: { x: floatFeed(numbers, [1, 16, 9, 9]) },
  }
}

/** Filters that are an input of the model. */
export function dynamicFilters(): TestModel {
  const numbers = new Numbers(23)
  return {
    name: 'dynamic filters',
    file: onnxFile({
      nodes: [node('Conv', ['x', 'w'], 'c'), node('Reshape', ['c', 'shape'], 'y')],
      initializers: [int64Tensor('shape', [-1])],
      inputs: [
        { name: 'x', type: 'float32', dims: [1, 16, 5, 5] },
        { name: 'w', type: 'float32', dims: [16, 16, 3, 3] },
      ],
      outputs: [{ name: 'y', type: 'float32' }],
    }),
    feeds: { x: floatFeed(numbers, [1, 16, 5, 5]), w: floatFeed(numbers, [16, 16, 3, 3]) },
  }
}

/** A residual connection within the blocked layout, where the sum becomes part of the convolution. */
export function residual(): TestModel {
  const numbers = new Numbers(24)
  const pads = [1n, 1n, 1n, 1n]
  return {
    name: 'residual',
    file: onnxFile({
      nodes: [
        node('Conv', ['x', 'w1'], 'c1', { pads }),
        node('Conv', ['c1', 'w2', 'b2'], 'c2', { pads }),
        node('Add', ['c2', 'c1'], 'sum'),
        node('Relu', ['sum'], 'activated'),
        node('Conv', ['activated', 'w3'], 'y', { pads }),
      ],
      initializers: [
        weight(numbers, 'w1', [32, 16, 3, 3], 144),
        weight(numbers, 'w2', [32, 32, 3, 3], 288),
        floatTensor('b2', [32], numbers.floats(32)),
        weight(numbers, 'w3', [32, 32, 3, 3], 288),
      ],
      inputs: [{ name: 'x', type: 'float32', dims: ['batch', 16, 8, 8] }],
      outputs: [{ name: 'y', type: 'float32' }],
    }),
    feeds: { x: floatFeed(numbers, [2, 16, 8, 8]) },
  }
}

/**
 * A small network of residual blocks, after He et al., Deep residual learning for image recognition, 2016: one whose sum is
 * with a pooled tensor, one whose other branch is a convolution, and one after that, whose sum has no activation.
 */
export function resnet({ batch = 2 } = {}): TestModel {
  const numbers = new Numbers(25)
  const pads = [1n, 1n, 1n, 1n]
  const initializers: NewTensor[] = []
  function conv(input: string, output: string, dims: readonly [number, number, number, number], strides = 1n): NewNode {
    initializers.push(weight(numbers, `${output}/w`, dims, dims[1] * dims[2] * dims[3]))
    initializers.push(floatTensor(`${output}/b`, [dims[0]], numbers.floats(dims[0], 0.3)))
    const attributes = { strides: [strides, strides], ...(dims[2] === 3 && { pads }) }
    return node('Conv', [input, `${output}/w`, `${output}/b`], output, attributes)
  }
  const nodes = [
    conv('x', 'stem', [16, 3, 3, 3], 2n),
    node('Relu', ['stem'], 'stem/relu'),
    node('MaxPool', ['stem/relu'], 'pooled', { kernel_shape: [2n, 2n], strides: [2n, 2n] }),
    conv('pooled', 'first/1', [16, 16, 3, 3]),
    node('Relu', ['first/1'], 'first/relu'),
    conv('first/relu', 'first/2', [16, 16, 3, 3]),
    node('Add', ['first/2', 'pooled'], 'first/sum'),
    node('Relu', ['first/sum'], 'first'),
    conv('first', 'second/1', [32, 16, 3, 3], 2n),
    node('Relu', ['second/1'], 'second/relu'),
    conv('second/relu', 'second/2', [32, 32, 3, 3]),
    conv('first', 'second/shortcut', [32, 16, 1, 1], 2n),
    node('Add', ['second/2', 'second/shortcut'], 'second/sum'),
    node('Relu', ['second/sum'], 'second'),
    conv('second', 'third/1', [32, 32, 3, 3]),
    node('Relu', ['third/1'], 'third/relu'),
    conv('third/relu', 'third/2', [32, 32, 3, 3]),
    node('Add', ['second', 'third/2'], 'third'),
    node('GlobalAveragePool', ['third'], 'mean'),
    node('Flatten', ['mean'], 'features'),
    node('Gemm', ['features', 'head', 'head/b'], 'y', { transB: 1n }),
  ]
  initializers.push(weight(numbers, 'head', [10, 32], 32), floatTensor('head/b', [10], numbers.floats(10)))
  return {
    name: 'resnet',
    file: onnxFile({
      nodes,
      initializers,
      inputs: [{ name: 'x', type: 'float32', dims: ['batch', 3, 32, 32] }],
      outputs: [{ name: 'y', type: 'float32', dims: ['batch', 10] }],
    }),
    feeds: { x: floatFeed(numbers, [batch, 3, 32, 32]) },
  }
}
