import { type ElementType, elementTypeNumber } from './element-type.ts'

/** Something to be encoded: a message is a list of fields, written in order. */
export type Encoded = Uint8Array

/** A delimited field: text, bytes or a message. */
export function bytesField(number: number, content: Uint8Array | string): Encoded {
  const bytes = typeof content === 'string' ? new TextEncoder().encode(content) : content
  return join([varint(BigInt(number * 8 + 2)), varint(BigInt(bytes.length)), bytes])
}

/** An integer field; negative numbers take ten bytes. */
export function intField(number: number, value: number | bigint): Encoded {
  return join([varint(BigInt(number * 8)), varint(BigInt.asUintN(64, BigInt(value)))])
}

export function floatField(number: number, value: number): Encoded {
  const bytes = new Uint8Array(4)
  new DataView(bytes.buffer).setFloat32(0, value, true)
  return join([varint(BigInt(number * 8 + 5)), bytes])
}

export function join(parts: readonly Uint8Array[]): Encoded {
  const out = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

function varint(value: bigint): Uint8Array {
  const bytes: number[] = []
  let rest = value
  do {
    const low = Number(rest & 0x7fn)
    rest >>= 7n
    bytes.push(rest === 0n ? low : low | 0x80)
  } while (rest !== 0n)
  return Uint8Array.from(bytes)
}

/** A tensor to be added to a graph. */
export interface NewTensor {
  readonly name: string
  readonly type: ElementType
  readonly dims: readonly number[]
  /** Elements, little-endian, row-major. */
  readonly bytes: Uint8Array
}

export interface NewNode {
  readonly name: string
  readonly opType: string
  readonly domain?: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes?: Readonly<Record<string, NewAttribute>>
}

/** Whole numbers as bigint, so that a float of 1 is not taken for an integer. */
export type NewAttribute = number | bigint | string | readonly number[] | readonly bigint[] | NewTensor | NewGraph

/** An input or output of a graph. An output that some node computes needs no type. */
export interface NewValue {
  readonly name: string
  readonly type?: ElementType
  /** Sizes, or names of sizes. Absent: not even the number of dimensions is said. */
  readonly dims?: readonly (number | string)[]
}

/** What a graph consists of, or what is added to one. */
export interface NewGraph {
  readonly name?: string
  readonly nodes?: readonly NewNode[]
  readonly initializers?: readonly NewTensor[]
  readonly inputs?: readonly NewValue[]
  readonly outputs?: readonly NewValue[]
}

export interface NewModel {
  readonly graph: NewGraph
  /** Versions by domain; the default domain is ''. */
  readonly opsets: Readonly<Record<string, number>>
  readonly irVersion: number
}

/** A whole file. */
export function encodeModel({ graph, opsets, irVersion }: NewModel): Encoded {
  return join([
    intField(1, irVersion),
    ...Object.entries(opsets).map(([domain, version]) =>
      bytesField(8, join([bytesField(1, domain), intField(2, version)])),
    ),
    bytesField(7, encodeGraph(graph)),
  ])
}

/** A `GraphProto`. */
export function encodeGraph({ name, nodes = [], initializers = [], inputs = [], outputs = [] }: NewGraph): Encoded {
  return join([
    ...nodes.map((node) => bytesField(1, encodeNode(node))),
    ...(name === undefined ? [] : [bytesField(2, name)]),
    ...initializers.map((tensor) => bytesField(5, encodeTensor(tensor))),
    ...inputs.map((value) => bytesField(11, encodeValue(value))),
    ...outputs.map((value) => bytesField(12, encodeValue(value))),
  ])
}

function encodeNode({ name, opType, domain, inputs, outputs, attributes = {} }: NewNode): Encoded {
  return join([
    ...inputs.map((input) => bytesField(1, input)),
    ...outputs.map((output) => bytesField(2, output)),
    bytesField(3, name),
    bytesField(4, opType),
    ...Object.entries(attributes).map(([key, value]) => bytesField(5, encodeAttribute(key, value))),
    ...(domain === undefined ? [] : [bytesField(7, domain)]),
  ])
}

/** A `TensorProto`. */
export function encodeTensor({ name, type, dims, bytes }: NewTensor): Encoded {
  return join([
    ...dims.map((size) => intField(1, size)),
    intField(2, elementTypeNumber(type)),
    bytesField(8, name),
    bytesField(9, bytes),
  ])
}

function encodeAttribute(name: string, value: NewAttribute): Encoded {
  const content = (type: number, ...fields: Encoded[]) => join([bytesField(1, name), ...fields, intField(20, type)])
  if (typeof value === 'number') return content(1, floatField(2, value))
  if (typeof value === 'bigint') return content(2, intField(3, value))
  if (typeof value === 'string') return content(3, bytesField(4, value))
  if (isList(value)) {
    // An empty list of integers is what `axes` and the like would be; there is no empty list of floats in use.
    if (value.every((element) => typeof element === 'bigint'))
      return content(7, ...value.map((int) => intField(8, int)))
    return content(6, ...value.map((float) => floatField(7, Number(float))))
  }
  if ('bytes' in value) return content(4, bytesField(5, encodeTensor(value)))
  return content(5, bytesField(6, encodeGraph(value)))
}

function isList(value: object): value is readonly (number | bigint)[] {
  return Array.isArray(value)
}

function encodeValue({ name, type, dims }: NewValue): Encoded {
  if (type === undefined) return bytesField(1, name)
  const shape = dims?.map((size) => bytesField(1, typeof size === 'string' ? bytesField(2, size) : intField(1, size)))
  const tensor = join([
    intField(1, elementTypeNumber(type)),
    ...(shape === undefined ? [] : [bytesField(2, join(shape))]),
  ])
  return join([bytesField(1, name), bytesField(2, bytesField(1, tensor))])
}
