import type { ElementType } from './element-type.ts'
import type { ByteRange, ModelSource } from './source.ts'

/** An ONNX file: what it says, and where in the file the large parts lie. */
export interface OnnxModel {
  readonly source: ModelSource
  readonly irVersion: number
  /** Version of each operator set by domain; the default domain is ''. */
  readonly opsets: ReadonlyMap<string, number>
  readonly producer: string
  /** Operators that the file defines itself, `domain:name`. */
  readonly functions: ReadonlySet<string>
  readonly graph: OnnxGraph
}

export interface OnnxGraph {
  readonly name: string
  /** In an order in which they can be executed. */
  readonly nodes: readonly OnnxNode[]
  readonly initializers: ReadonlyMap<string, OnnxTensor>
  /** Names of initializers that are stored sparsely, which this package does not decode. */
  readonly sparseInitializers: readonly string[]
  readonly inputs: readonly OnnxValue[]
  readonly outputs: readonly OnnxValue[]
  /** Declared types of values within the graph, where the file has them. */
  readonly values: ReadonlyMap<string, OnnxValue>
}

export interface OnnxNode {
  /** May be empty, and need not be unique. */
  readonly name: string
  readonly opType: string
  /** '' is the default domain, also where the file spells it `ai.onnx`. */
  readonly domain: string
  /** Value names; '' is an optional input that is not given. */
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, OnnxAttribute>
}

export type OnnxAttribute =
  | { readonly kind: 'float'; readonly value: number }
  | { readonly kind: 'int'; readonly value: bigint }
  | { readonly kind: 'string'; readonly value: ByteRange }
  | { readonly kind: 'tensor'; readonly value: OnnxTensor }
  | { readonly kind: 'graph'; readonly value: OnnxGraph }
  /** Lists of numbers are decoded when asked for, by `floatsOf` and `intsOf`: some have millions of elements. */
  | { readonly kind: 'floats' | 'ints'; readonly message: readonly ByteRange[] }
  | { readonly kind: 'strings'; readonly value: readonly ByteRange[] }
  | { readonly kind: 'tensors'; readonly value: readonly OnnxTensor[] }
  | { readonly kind: 'graphs'; readonly value: readonly OnnxGraph[] }
  /** A reference to an attribute of the enclosing function, a type, a sparse tensor, or something newer. */
  | { readonly kind: 'other' }

export interface OnnxTensor {
  readonly name: string
  /** Undefined for a type that this version does not know. */
  readonly type: ElementType | undefined
  readonly dims: readonly number[]
  readonly data: TensorData
}

export type TensorData =
  /** Little-endian elements in the model file. */
  | { readonly kind: 'raw'; readonly range: ByteRange }
  /** Elements in the number fields of this `TensorProto`. */
  | { readonly kind: 'fields'; readonly message: readonly ByteRange[] }
  /** Little-endian elements in a file beside the model. Text as the file has it: nothing is known to be safe. */
  | { readonly kind: 'external'; readonly location: string; readonly offset: number; readonly length?: number }

export interface OnnxValue {
  readonly name: string
  /** Undefined where the file does not say, and for sequences, maps and the like. */
  readonly tensor?: { readonly type: ElementType | undefined; readonly dims?: readonly Dimension[] }
}

/** A size, the name of a size, or nothing known. */
export type Dimension = number | string | undefined
