import type { NewNode, NewTensor } from '@tensor-assay/onnx-model'
import { count, floatFeed, floatTensor, halfTensor, Numbers, node, onnxFile, type TestModel, tensor } from './writer.ts'

const zeroPoint = (name: string, type: 'uint8' | 'int8', value: number) =>
  tensor(name, type, [], type === 'uint8' ? Uint8Array.of(value) : Int8Array.of(value))

/** Quantise-dequantise pairs around every operand, as quantisation tools write them. */
class QdqWriter {
  readonly nodes: NewNode[] = []
  readonly initializers: NewTensor[] = []
  readonly numbers: Numbers

  constructor(seed: number) {
    this.numbers = new Numbers(seed)
  }

  activation(x: string, scale: number, zero: number): string {
    this.initializers.push(floatTensor(`${x}.scale`, [], [scale]), zeroPoint(`${x}.zero`, 'uint8', zero))
    this.nodes.push(node('QuantizeLinear', [x, `${x}.scale`, `${x}.zero`], `${x}.quantised`))
    this.nodes.push(node('DequantizeLinear', [`${x}.quantised`, `${x}.scale`, `${x}.zero`], `${x}.dequantised`))
    return `${x}.dequantised`
  }

  weight(name: string, dims: readonly number[], scale: number): string {
    const values = Int8Array.from(this.numbers.ints(count(dims), -127, 127))
    this.initializers.push(tensor(`${name}.quantised`, 'int8', dims, values))
    this.initializers.push(floatTensor(`${name}.scale`, [], [scale]), zeroPoint(`${name}.zero`, 'int8', 0))
    this.nodes.push(node('DequantizeLinear', [`${name}.quantised`, `${name}.scale`, `${name}.zero`], name))
    return name
  }

  /** An int32 bias of the scale of the product. */
  bias(name: string, length: number, scale: number): string {
    const values = Int32Array.from(this.numbers.ints(length, -1000, 1000))
    this.initializers.push(tensor(`${name}.quantised`, 'int32', [length], values))
    this.initializers.push(floatTensor(`${name}.scale`, [], [scale]))
    this.nodes.push(node('DequantizeLinear', [`${name}.quantised`, `${name}.scale`], name))
    return name
  }
}

export function qdqMlp(): TestModel {
  const w = new QdqWriter(30)
  const x = w.activation('x', 1 / 128, 128)
  w.nodes.push(node('MatMul', [x, w.weight('w1', [24, 32], 1 / 500)], 'p1'))
  const h = w.activation('p1', 1 / 40, 120)
  w.nodes.push(node('Gemm', [h, w.weight('w2', [32, 16], 1 / 400), w.bias('b2', 16, 1 / 16_000)], 'p2'))
  const h2 = w.activation('p2', 1 / 20, 127)
  // Without a pair behind it, so that the result is float32.
  w.nodes.push(node('MatMul', [h2, w.weight('w3', [16, 8], 1 / 300)], 'y'))
  return {
    name: 'int8 qdq mlp',
    file: onnxFile({
      nodes: w.nodes,
      initializers: w.initializers,
      inputs: [{ name: 'x', type: 'float32', dims: ['batch', 24] }],
      outputs: [{ name: 'y', type: 'float32' }],
    }),
    feeds: { x: floatFeed(w.numbers, [5, 24]) },
  }
}

export function qdqCnn(): TestModel {
  const w = new QdqWriter(31)
  const x = w.activation('x', 1 / 128, 128)
  const pads = [1n, 1n, 1n, 1n]
  w.nodes.push(node('Conv', [x, w.weight('w1', [16, 4, 3, 3], 1 / 900), w.bias('b1', 16, 1 / 115_200)], 'c1', { pads }))
  const h1 = w.activation('c1', 1 / 60, 128)
  w.nodes.push(node('Conv', [h1, w.weight('w2', [16, 1, 3, 3], 1 / 300)], 'c2', { group: 16n }))
  const h2 = w.activation('c2', 1 / 50, 110)
  w.nodes.push(node('Conv', [h2, w.weight('w3', [8, 16, 1, 1], 1 / 500)], 'c3', { strides: [2n, 2n] }))
  const h3 = w.activation('c3', 1 / 40, 128)
  w.nodes.push(node('Relu', [h3], 'y'))
  return {
    name: 'int8 qdq cnn',
    file: onnxFile({
      nodes: w.nodes,
      initializers: w.initializers,
      inputs: [{ name: 'x', type: 'float32', dims: [2, 4, 8, 8] }],
      outputs: [{ name: 'y', type: 'float32' }],
    }),
    feeds: { x: floatFeed(w.numbers, [2, 4, 8, 8]) },
  }
}

/** Quantised at run time, and the integer operators as such. */
export function dynamicQuantised(): TestModel {
  const numbers = new Numbers(32)
  const int8 = (name: string, dims: readonly number[]) =>
    tensor(name, 'int8', dims, Int8Array.from(numbers.ints(count(dims), -127, 127)))
  return {
    name: 'dynamically quantised',
    file: onnxFile({
      nodes: [
        node('DynamicQuantizeLinear', ['x'], ['xq', 'xs', 'xz']),
        node('MatMulInteger', ['xq', 'w1', 'xz', 'wz'], 'p1'),
        node('Cast', ['p1'], 'f1', { to: 1n }),
        node('Mul', ['xs', 'ws'], 's1'),
        node('Mul', ['f1', 's1'], 'h'),
        node('Add', ['h', 'bias'], 'y1'),
        node('MatMulInteger', ['xq', 'w2'], 'y2'),
        node('MatMulInteger', ['xq', 'w1', 'xz', 'wzs'], 'y3'),
      ],
      initializers: [
        int8('w1', [24, 16]),
        int8('w2', [24, 8]),
        zeroPoint('wz', 'int8', 3),
        tensor('wzs', 'int8', [16], Int8Array.from(numbers.ints(16, -4, 4))),
        floatTensor('ws', [], [1 / 300]),
        floatTensor('bias', [16], numbers.floats(16)),
      ],
      inputs: [{ name: 'x', type: 'float32', dims: ['batch', 24] }],
      outputs: [
        { name: 'y1', type: 'float32' },
        { name: 'y2', type: 'int32' },
        { name: 'y3', type: 'int32' },
      ],
    }),
    feeds: { x: floatFeed(numbers, [5, 24]) },
  }
}

/** Rounding and product in one operator, with a scale for each column. */
export function dynamicQuantisedFused(): TestModel {
  const numbers = new Numbers(35)
  return {
    name: 'quantised within the product',
    file: onnxFile({
      nodes: [
        node('DynamicQuantizeLinear', ['x'], ['xq', 'xs', 'xz']),
        node('MatMulInteger', ['xq', 'w', 'xz', 'wz'], 'p'),
        node('Cast', ['p'], 'f', { to: 1n }),
        node('Mul', ['xs', 'ws'], 's'),
        node('Mul', ['f', 's'], 'h'),
        node('Add', ['h', 'bias'], 'y'),
      ],
      initializers: [
        tensor('w', 'int8', [24, 16], Int8Array.from(numbers.ints(24 * 16, -127, 127))),
        tensor('wz', 'int8', [16], Int8Array.from(numbers.ints(16, -4, 4))),
        floatTensor('ws', [16], numbers.floats(16, 0.002).map(Math.abs)),
        floatTensor('bias', [16], numbers.floats(16)),
      ],
      inputs: [{ name: 'x', type: 'float32', dims: ['batch', 24] }],
      outputs: [{ name: 'y', type: 'float32' }],
    }),
    feeds: { x: floatFeed(numbers, [5, 24]) },
  }
}

/** 4-bit weights in blocks, with each accuracy level, and as DequantizeLinear before a MatMul. */
export function blockQuantised({ k = 64, n = 12, block = 32 } = {}): TestModel {
  const numbers = new Numbers(33)
  const blocks = Math.ceil(k / block)
  const scales = (name: string) => floatTensor(name, [n, blocks], numbers.floats(n * blocks, 0.1))
  const attributes = (accuracy_level: bigint) => ({
    K: BigInt(k),
    N: BigInt(n),
    bits: 4n,
    block_size: BigInt(block),
    accuracy_level,
  })
  const packed = Uint8Array.from(numbers.ints((n * blocks * block) / 2, 0, 255))
  const zeros = Uint8Array.from(numbers.ints(n * Math.ceil(blocks / 2), 0, 255))
  const levels = [0n, 1n, 4n]
  return {
    name: 'block quantised',
    file: onnxFile(
      {
        nodes: [
          ...levels.map((level) =>
            node('MatMulNBits', ['x', 'q', 's'], `level${level}`, attributes(level), 'com.microsoft'),
          ),
          node('MatMulNBits', ['x', 'q', 's', 'z'], 'zeroPoints', attributes(0n), 'com.microsoft'),
          node('DequantizeLinear', ['dq', 'ds'], 'w', { axis: 0n, block_size: BigInt(block) }),
          node('MatMul', ['x', 'w'], 'dequantised'),
        ],
        initializers: [
          tensor('q', 'uint8', [n, blocks, block / 2], packed),
          scales('s'),
          tensor('z', 'uint8', [n * Math.ceil(blocks / 2)], zeros),
          { name: 'dq', type: 'int4', dims: [k, n], bytes: Uint8Array.from(numbers.ints((k * n) / 2, 0, 255)) },
          floatTensor('ds', [blocks, n], numbers.floats(n * blocks, 0.1)),
        ],
        inputs: [{ name: 'x', type: 'float32', dims: ['batch', k] }],
        outputs: [...levels.map((level) => `level${level}`), 'zeroPoints', 'dequantised'].map((name) => ({
          name,
          type: 'float32',
        })),
      },
      { opsets: { '': 21, 'com.microsoft': 1 }, irVersion: 10 },
    ),
    feeds: { x: floatFeed(numbers, [3, k]) },
  }
}

/** float16 throughout. */
export function half(): TestModel {
  const numbers = new Numbers(34)
  const value = () => numbers.floats(1)[0]! + 2
  return {
    name: 'float16',
    file: onnxFile({
      nodes: [
        node('MatMul', ['x', 'w1'], 'p1'),
        node('Add', ['p1', 'b1'], 's1'),
        node('Relu', ['s1'], 'h'),
        node('Gemm', ['h', 'w2'], 'y', { transB: 1n, alpha: 0.5 }),
      ],
      initializers: [
        halfTensor('w1', [12, 16], Array.from({ length: 192 }, value)),
        halfTensor('b1', [16], Array.from({ length: 16 }, value)),
        halfTensor('w2', [8, 16], Array.from({ length: 128 }, value)),
      ],
      inputs: [{ name: 'x', type: 'float16', dims: ['batch', 12] }],
      outputs: [{ name: 'y', type: 'float16' }],
    }),
    feeds: { x: { type: 'float16', dims: [4, 12], data: Uint16Array.from({ length: 48 }, (_, i) => 0x3800 + i * 11) } },
  }
}
