import { elementTypeOf } from './element-type.ts'
import { malformed, quoted, unsupported } from './errors.ts'
import { maxGraphDepth, maxRank } from './limits.ts'
import type { Dimension, OnnxAttribute, OnnxGraph, OnnxModel, OnnxNode, OnnxTensor, OnnxValue } from './model.ts'
import { readTensor } from './read-tensor.ts'
import type { ByteRange, ModelSource } from './source.ts'
import { WireReader } from './wire.ts'

/**
 * Reads an ONNX file but for the elements of its tensors. A file of many gigabytes costs the reading of its nodes.
 *
 * @throws {AssayError} `model-malformed` if it is not an ONNX file or contradicts itself, `model-unsupported` over the
 *   limits of this package.
 *
 * @example
 * ```ts
 * const { graph } = readModel(bytesSource(await readFile('model.onnx'), 'model.onnx'))
 * for (const { name, type, dims } of graph.initializers.values()) console.log(name, type, dims)
 * ```
 */
export function readModel(source: ModelSource): OnnxModel {
  const reader = new WireReader(source)
  let irVersion = 0
  let producer = ''
  const opsets = new Map<string, number>()
  const functions = new Set<string>()
  const graph: ByteRange[] = []
  for (const field of reader.fields([{ offset: 0, length: source.byteLength }])) {
    if (field.number === 1) irVersion = reader.integer(field)
    else if (field.number === 2) producer = reader.text(field)
    else if (field.number === 7) graph.push(reader.content(field))
    else if (field.number === 8) {
      const { domain, version } = readOpset(reader, reader.content(field))
      opsets.set(domain, version)
    } else if (field.number === 25) functions.add(readFunctionName(reader, reader.content(field)))
  }
  // An empty file is an empty message; a file of something else may look like a message of unknown fields.
  if (graph.length === 0) throw malformed(source, 'expected an ONNX model, found no graph')
  return { source, irVersion, opsets, producer, functions, graph: readGraph(reader, graph, 0) }
}

function readOpset(reader: WireReader, message: ByteRange): { domain: string; version: number } {
  reader.keep()
  let domain = ''
  let version = 0
  for (const field of reader.fields([message])) {
    if (field.number === 1) domain = domainOf(reader.text(field))
    else if (field.number === 2) version = reader.integer(field)
  }
  return { domain, version }
}

function readFunctionName(reader: WireReader, message: ByteRange): string {
  reader.keep()
  let name = ''
  let domain = ''
  for (const field of reader.fields([message])) {
    if (field.number === 1) name = reader.text(field)
    else if (field.number === 10) domain = domainOf(reader.text(field))
  }
  return `${domain}:${name}`
}

function domainOf(text: string): string {
  return text === 'ai.onnx' ? '' : text
}

function readGraph(reader: WireReader, message: readonly ByteRange[], depth: number): OnnxGraph {
  if (depth > maxGraphDepth) {
    throw unsupported(reader.source, `its graphs are nested more than ${maxGraphDepth} levels deep`)
  }
  let name = ''
  const nodes: OnnxNode[] = []
  const initializers = new Map<string, OnnxTensor>()
  const sparseInitializers: string[] = []
  const inputs: OnnxValue[] = []
  const outputs: OnnxValue[] = []
  const values = new Map<string, OnnxValue>()
  for (const field of reader.fields(message)) {
    if (field.number === 1) nodes.push(readNode(reader, reader.content(field), depth))
    else if (field.number === 2) name = reader.text(field)
    else if (field.number === 5) {
      const tensor = readTensor(reader, [reader.content(field)])
      if (initializers.has(tensor.name)) {
        throw malformed(reader.source, `there are two initializers named ${quoted(tensor.name)}`)
      }
      initializers.set(tensor.name, tensor)
    } else if (field.number === 11) inputs.push(readValue(reader, reader.content(field)))
    else if (field.number === 12) outputs.push(readValue(reader, reader.content(field)))
    else if (field.number === 13) {
      const value = readValue(reader, reader.content(field))
      values.set(value.name, value)
    } else if (field.number === 15) sparseInitializers.push(readSparseName(reader, reader.content(field)))
  }
  return { name, nodes, initializers, sparseInitializers, inputs, outputs, values }
}

function readSparseName(reader: WireReader, message: ByteRange): string {
  const values: ByteRange[] = []
  for (const field of reader.fields([message])) if (field.number === 1) values.push(reader.content(field))
  return readTensor(reader, values).name
}

function readNode(reader: WireReader, message: ByteRange, depth: number): OnnxNode {
  reader.keep()
  let name = ''
  let opType = ''
  let domain = ''
  const inputs: string[] = []
  const outputs: string[] = []
  const attributes = new Map<string, OnnxAttribute>()
  for (const field of reader.fields([message])) {
    if (field.number === 1 || field.number === 2) {
      reader.keep()
      const names = field.number === 1 ? inputs : outputs
      names.push(reader.text(field))
    } else if (field.number === 3) name = reader.text(field)
    else if (field.number === 4) opType = reader.text(field)
    else if (field.number === 5) {
      const [key, attribute] = readAttribute(reader, reader.content(field), depth)
      attributes.set(key, attribute)
    } else if (field.number === 7) domain = domainOf(reader.text(field))
  }
  return { name, opType, domain, inputs, outputs, attributes }
}

function readAttribute(reader: WireReader, message: ByteRange, depth: number): [string, OnnxAttribute] {
  reader.keep()
  let name = ''
  let type: number | undefined
  let found: number | undefined
  let float = 0
  let int = 0n
  let text: ByteRange = { offset: message.offset, length: 0 }
  const tensor: ByteRange[] = []
  const graph: ByteRange[] = []
  const texts: ByteRange[] = []
  const tensors: ByteRange[] = []
  const graphs: ByteRange[] = []
  for (const field of reader.fields([message])) {
    if (field.number === 1) name = reader.text(field)
    else if (field.number === 20) type = reader.integer(field)
    else if (field.number === 2) float = reader.float(field)
    else if (field.number === 3) int = reader.int64(field)
    else if (field.number === 4) text = reader.content(field)
    else if (field.number === 5) tensor.push(reader.content(field))
    else if (field.number === 6) graph.push(reader.content(field))
    else if (field.number === 9) add(texts)
    else if (field.number === 10) add(tensors)
    else if (field.number === 11) add(graphs)

    // Files older than the type field have one content only.
    found ??= typeOfField.get(field.number)

    function add(list: ByteRange[]): void {
      reader.keep()
      list.push(reader.content(field))
    }
  }
  return [name, attribute()]

  function attribute(): OnnxAttribute {
    switch (type ?? found) {
      case 1:
        return { kind: 'float', value: float }
      case 2:
        return { kind: 'int', value: int }
      case 3:
        return { kind: 'string', value: text }
      case 4:
        return { kind: 'tensor', value: readTensor(reader, tensor) }
      case 5:
        return { kind: 'graph', value: readGraph(reader, graph, depth + 1) }
      case 6:
        return { kind: 'floats', message: [message] }
      case 7:
        return { kind: 'ints', message: [message] }
      case 8:
        return { kind: 'strings', value: texts }
      case 9:
        return { kind: 'tensors', value: tensors.map((range) => readTensor(reader, [range])) }
      case 10:
        return { kind: 'graphs', value: graphs.map((range) => readGraph(reader, [range], depth + 1)) }
      default:
        return { kind: 'other' }
    }
  }
}

/** `AttributeProto.AttributeType` of the content in each field. */
const typeOfField = new Map([
  [2, 1],
  [3, 2],
  [4, 3],
  [5, 4],
  [6, 5],
  [7, 6],
  [8, 7],
  [9, 8],
  [10, 9],
  [11, 10],
])

function readValue(reader: WireReader, message: ByteRange): OnnxValue {
  reader.keep()
  let name = ''
  const type: ByteRange[] = []
  for (const field of reader.fields([message])) {
    if (field.number === 1) name = reader.text(field)
    else if (field.number === 2) type.push(reader.content(field))
  }
  const tensor: ByteRange[] = []
  for (const field of reader.fields(type)) if (field.number === 1) tensor.push(reader.content(field))
  if (tensor.length === 0) return { name }

  let elementType = 0
  const shape: ByteRange[] = []
  for (const field of reader.fields(tensor)) {
    if (field.number === 1) elementType = reader.integer(field)
    else if (field.number === 2) shape.push(reader.content(field))
  }
  const known = { type: elementTypeOf(elementType) }
  return { name, tensor: shape.length === 0 ? known : { ...known, dims: readShape(reader, shape) } }
}

function readShape(reader: WireReader, message: readonly ByteRange[]): Dimension[] {
  const dims: Dimension[] = []
  for (const field of reader.fields(message)) {
    if (field.number !== 1) continue
    reader.keep()
    if (dims.length === maxRank) throw unsupported(reader.source, `a value has more than ${maxRank} dimensions`)
    let dimension: Dimension
    for (const choice of reader.fields([reader.content(field)])) {
      if (choice.number === 1) dimension = reader.integer(choice)
      else if (choice.number === 2) dimension = reader.text(choice)
    }
    dims.push(typeof dimension === 'number' && dimension < 0 ? undefined : dimension)
  }
  return dims
}
