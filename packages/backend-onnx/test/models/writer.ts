import { type ElementType, encodeModel, type NewGraph, type NewNode, type NewTensor } from '@tensor-assay/onnx-model'

/** A model made for a test, with one set of inputs. */
export interface TestModel {
  readonly name: string
  /** An ONNX file. */
  readonly file: Uint8Array
  readonly feeds: Readonly<Record<string, Feed>>
}

export interface Feed {
  readonly type: 'float32' | 'float16' | 'int64' | 'int32' | 'uint8' | 'int8' | 'bool'
  readonly data: Float32Array | Uint16Array | BigInt64Array | Int32Array | Uint8Array | Int8Array
  readonly dims: readonly number[]
}

export interface FileOptions {
  /** Versions by domain; the default domain is ''. */
  readonly opsets?: Readonly<Record<string, number>>
  readonly irVersion?: number
}

/** An ONNX file of `graph`. */
export function onnxFile(graph: NewGraph, { opsets = { '': 17 }, irVersion = 8 }: FileOptions = {}): Uint8Array {
  return encodeModel({ graph: { name: 'test', ...graph }, opsets, irVersion })
}

/** Numbers that look random and are the same in every run. */
export class Numbers {
  #state: number

  constructor(seed: number) {
    this.#state = seed
  }

  /** Uniform in [0, 1). @see Steele, Lea, Flood, "Fast splittable pseudorandom number generators", 2014 (32-bit mix). */
  next(): number {
    this.#state = (this.#state + 0x9e3779b9) | 0
    let z = this.#state
    z = Math.imul(z ^ (z >>> 16), 0x21f0aaad)
    z = Math.imul(z ^ (z >>> 15), 0x735a2d97)
    return ((z ^ (z >>> 15)) >>> 0) / 2 ** 32
  }

  /** Uniform in [−scale, scale). */
  floats(length: number, scale = 1): Float32Array {
    return Float32Array.from({ length }, () => (this.next() * 2 - 1) * scale)
  }

  /** Uniform whole numbers from `least` to `most`. */
  ints(length: number, least: number, most: number): number[] {
    return Array.from({ length }, () => least + Math.floor(this.next() * (most - least + 1)))
  }
}

export function count(dims: readonly number[]): number {
  return dims.reduce((product, size) => product * size, 1)
}

export function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength)
}

export function tensor(name: string, type: ElementType, dims: readonly number[], data: ArrayBufferView): NewTensor {
  return { name, type, dims, bytes: bytesOf(data) }
}

export function floatTensor(name: string, dims: readonly number[], data: readonly number[] | Float32Array): NewTensor {
  return tensor(name, 'float32', dims, Float32Array.from(data))
}

/** A matrix whose products with inputs of size 1 have size 1. */
export function weight(numbers: Numbers, name: string, dims: readonly number[], k = dims.at(-2) ?? 1): NewTensor {
  return tensor(name, 'float32', dims, numbers.floats(count(dims), Math.sqrt(3 / k)))
}

export function int64Tensor(name: string, data: readonly number[], dims: readonly number[] = [data.length]): NewTensor {
  return tensor(name, 'int64', dims, BigInt64Array.from(data.map(BigInt)))
}

/** A node named for its first output. */
export function node(
  opType: string,
  inputs: readonly string[],
  outputs: string | readonly string[],
  attributes: NonNullable<NewNode['attributes']> = {},
  domain?: string,
): NewNode {
  const names = typeof outputs === 'string' ? [outputs] : outputs
  return { name: `${names[0]}/${opType}`, opType, inputs, outputs: names, attributes, ...(domain ? { domain } : {}) }
}

export function floatFeed(numbers: Numbers, dims: readonly number[], scale = 1): Feed {
  return { type: 'float32', data: numbers.floats(count(dims), scale), dims }
}

/** Bits of the nearest float16, for numbers between its smallest normal number and its largest. */
export function halfBits(value: number): number {
  if (value === 0) return 0
  const sign = value < 0 ? 0x8000 : 0
  const magnitude = Math.abs(value)
  const exponent = Math.floor(Math.log2(magnitude))
  if (exponent < -14 || exponent > 15) throw new RangeError(`${value} is not a normal float16`)
  // A significand that rounds up to 2 carries into the exponent.
  const significand = Math.round((magnitude / 2 ** exponent) * 1024)
  return sign | (((exponent + 15) << 10) + (significand - 1024))
}

export function halfTensor(name: string, dims: readonly number[], data: readonly number[] | Float32Array): NewTensor {
  return tensor(name, 'float16', dims, Uint16Array.from(data, halfBits))
}
