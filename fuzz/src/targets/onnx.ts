import {
  Attributes,
  byteLengthOf,
  bytesField,
  bytesSource,
  elementCount,
  encodeGraph,
  encodeModel,
  encodeTensor,
  intField,
  join,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
  readModel,
  tensorBytes,
} from '@tensor-assay/onnx-model'
import { attempt, promised, refused, sameBytes, type Target } from '../target.ts'

const codes = ['model-malformed', 'model-unsupported'] as const
const numbers = (length: number) => Uint8Array.from({ length }, (_, i) => i * 37)
const weight = { name: 'w', type: 'float32', dims: [2, 3], bytes: numbers(24) } as const

const branch = {
  name: 'branch',
  nodes: [{ name: 'inner', opType: 'Add', inputs: ['y', 'b'], outputs: ['z'] }],
  initializers: [{ name: 'b', type: 'int8', dims: [5], bytes: numbers(5) }],
  outputs: [{ name: 'z' }],
} as const

const whole = encodeModel({
  irVersion: 8,
  opsets: { '': 17, somewhere: 1 },
  graph: {
    name: 'graph',
    nodes: [
      { name: 'first', opType: 'MatMul', inputs: ['x', 'w'], outputs: ['y'] },
      {
        name: 'second',
        opType: 'If',
        domain: 'somewhere',
        inputs: ['y'],
        outputs: ['z'],
        attributes: {
          then_branch: branch,
          axis: 1n,
          alpha: 0.5,
          mode: 'same',
          pads: [0n, 1n],
          scales: [0.5, 2],
          value: weight,
        },
      },
    ],
    initializers: [weight, { name: 'packed', type: 'int4', dims: [3], bytes: numbers(2) }],
    inputs: [{ name: 'x', type: 'float32', dims: ['batch', 2] }],
    outputs: [{ name: 'z' }],
  },
})

/** A tensor whose elements are in number fields, as `TensorProto` has them: dims 1, type 2, name 8. */
const tensor = (type: number, name: string, elements: Uint8Array) =>
  bytesField(5, join([intField(1, 2), intField(2, type), bytesField(8, name), elements]))
const inFields = bytesField(
  7,
  join([
    tensor(1, 'floats', bytesField(4, numbers(8))),
    tensor(6, 'integers', bytesField(5, Uint8Array.of(1, 0xff, 0xff, 0xff, 0xff, 0x0f))),
    tensor(7, 'long ones', join([intField(7, 3), intField(7, -3)])),
    tensor(11, 'doubles', bytesField(10, numbers(16))),
    // External data, in parts.
    tensor(
      1,
      'elsewhere',
      join([bytesField(13, join([bytesField(1, 'location'), bytesField(2, 'w.bin')])), intField(14, 1)]),
    ),
  ]),
)

/** Model files: whatever is read has the size that it says, and lies in the file. */
export const onnx: Target = {
  name: 'onnx',
  maxInputBytes: 4096,
  // Each tensor is decoded twice by the check: an element takes a byte of the file, and up to sixteen in memory.
  allowedBytes: (length) => 65_536 + 128 * length,
  isWhole: false,
  tokens: [
    intField(1, 2 ** 31),
    intField(1, -1),
    intField(2, 22),
    intField(14, 1),
    bytesField(8, 'w'),
    bytesField(9, numbers(24)),
    bytesField(5, encodeTensor(weight)),
    bytesField(6, encodeGraph(branch)),
    Uint8Array.of(0xff, 0xff, 0xff, 0xff, 0x0f),
    Uint8Array.of(0x3b, 0x3c),
  ],
  seeds: () => [whole, inFields, join([whole, inFields])],
  check(input) {
    const model = attempt(() => readModel(bytesSource(input, 'model.onnx')), codes)
    if (model === refused) return false
    sound(model, model.graph)
    return true
  },
}

function sound(model: OnnxModel, graph: OnnxGraph): void {
  for (const [name, initializer] of graph.initializers) {
    promised(initializer.name === name, 'an initializer goes by another name')
    whatItSays(model, initializer)
  }
  for (const node of graph.nodes) {
    for (const [name, attribute] of node.attributes) {
      if (attribute.kind === 'graph') sound(model, attribute.value)
      else if (attribute.kind === 'graphs') for (const inner of attribute.value) sound(model, inner)
      else if (attribute.kind === 'tensor') whatItSays(model, attribute.value)
      else if (attribute.kind === 'tensors') for (const inner of attribute.value) whatItSays(model, inner)
      else plainValue(model, node, name)
    }
  }
}

function plainValue(model: OnnxModel, node: OnnxNode, name: string): void {
  const attributes = new Attributes(model, node)
  const kind = node.attributes.get(name)!.kind
  if (kind === 'int' || kind === 'float' || kind === 'string')
    attempt(() => attributes[kind](name, undefined as never), codes)
  if (kind === 'ints' || kind === 'floats') {
    const list = attempt(() => attributes[kind](name, []), codes)
    promised(
      list === refused || list.length <= model.source.byteLength,
      'a list has more elements than its file has bytes',
    )
  }
}

function whatItSays({ source }: OnnxModel, read: OnnxTensor): void {
  const bytes = attempt(() => tensorBytes(source, read), codes)
  if (bytes === refused) return
  promised(bytes.length === byteLengthOf(read), 'a tensor has another number of bytes than its shape')
  promised(elementCount(read.dims) <= 8 * source.byteLength, 'a tensor has more elements than its file has bits')
  promised(sameBytes(bytes, tensorBytes(source, read)), 'a tensor changes from one read to the next')
}
