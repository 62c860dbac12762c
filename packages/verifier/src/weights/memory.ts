import { bytesPerElement, type DType, type Weight, type WeightStore, weightDigest } from '@tensor-assay/core'
import { elementCount, shapeProblem } from './shape.ts'
import { weightStore } from './store.ts'

const dtypeOfArray = {
  Float64Array: 'float64',
  Float32Array: 'float32',
  BigInt64Array: 'int64',
  Int32Array: 'int32',
  Int16Array: 'int16',
  Uint16Array: 'uint16',
  Int8Array: 'int8',
  Uint8Array: 'uint8',
} as const satisfies Record<string, DType>

export type WeightArray =
  | Float64Array
  | Float32Array
  | BigInt64Array
  | Int32Array
  | Int16Array
  | Uint16Array
  | Int8Array
  | Uint8Array

/** A weight in memory. */
export interface MemoryWeight {
  readonly name: string
  readonly shape: readonly number[]
  /**
   * Element type; inferred from `data` where it is left out. With it, a `Uint8Array` is the raw little-endian bytes of
   * any type, and a `Uint16Array` may be the bits of `float16` or `bfloat16`.
   */
  readonly dtype?: DType
  /** The elements, row-major. Copied. */
  readonly data: WeightArray
}

/**
 * A store of arrays in memory.
 *
 * @throws {TypeError} If an entry's `data` is not one of the typed arrays, or holds another type than `dtype`.
 * @throws {RangeError} If an entry's `shape` is not one, or does not fit its `data`.
 *
 * @example
 * ```ts
 * const store = memoryWeights([{ name: 'dense/kernel', shape: [2, 3], data: new Float32Array([1, 2, 3, 4, 5, 6]) }])
 * ```
 */
export function memoryWeights(entries: Iterable<MemoryWeight>): WeightStore {
  return weightStore(Array.from(entries, memoryWeight))
}

function memoryWeight({ name, shape, dtype: given, data }: MemoryWeight): Weight {
  const dtype = elementType(name, data, given)
  const problem = shapeProblem(shape)
  if (problem !== undefined) throw new RangeError(`weight '${name}': ${problem}`)
  const byteLength = elementCount(shape) * bytesPerElement[dtype]
  if (byteLength !== data.byteLength) {
    throw new RangeError(
      `weight '${name}': shape [${shape}] of ${dtype} takes ${byteLength} bytes, got ${data.byteLength}`,
    )
  }
  const bytes = new Uint8Array(data.buffer, data.byteOffset, data.byteLength).slice()
  return Object.freeze({
    name,
    dtype,
    shape: Object.freeze([...shape]),
    byteLength,
    digest: weightDigest(dtype, bytes),
    read: async () => bytes.slice(),
  })
}

function elementType(name: string, data: WeightArray, given: DType | undefined): DType {
  // By name: `instanceof` fails for an array of another realm, and a Node Buffer is a Uint8Array under another name.
  const tag = ArrayBuffer.isView(data) ? data[Symbol.toStringTag] : undefined
  const inferred = dtypeOfArray[tag as keyof typeof dtypeOfArray] as DType | undefined
  if (inferred === undefined) {
    throw new TypeError(
      `weight '${name}': data must be one of ${Object.keys(dtypeOfArray).join(', ')}, got ${describe(data)}`,
    )
  }
  if (given === undefined || given === inferred) return inferred
  if (!Object.hasOwn(bytesPerElement, given)) throw new TypeError(`weight '${name}': '${given}' is not a dtype`)
  const isBits = inferred === 'uint16' && (given === 'float16' || given === 'bfloat16')
  if (inferred !== 'uint8' && !isBits) throw new TypeError(`weight '${name}': dtype is ${given}, but data is ${tag}`)
  return given
}

function describe(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1)
}
