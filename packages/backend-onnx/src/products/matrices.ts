import { bytesPerElement, type DType, dtypes, type StoredTensor } from '@tensor-assay/core'
import type { TapTensor } from '../taps/tap-tensor.ts'

/** Elements of a tensor as the library holds them. */
export interface Elements {
  readonly dtype: DType
  bytes(): Uint8Array
}

/** @returns Undefined for text and for types that no product is stated in. */
export function elementsOf({ type, bytes }: TapTensor): Elements | undefined {
  return isDType(type) ? { dtype: type, bytes } : undefined
}

const stored = new WeakMap<TapTensor, StoredTensor>()

/** The whole tensor, read only if somebody wants to know what is in it. The same object for the same tensor. */
export function storedOf(tensor: TapTensor, dtype: DType): StoredTensor {
  let found = stored.get(tensor)
  if (found === undefined) {
    const elements = tensor.dims.reduce((product, size) => product * size, 1)
    found = {
      key: {},
      dtype,
      byteLength: elements * bytesPerElement[dtype],
      get bytes() {
        return tensor.bytes()
      },
    }
    stored.set(tensor, found)
  }
  return found
}

function isDType(type: string): type is DType {
  return (dtypes as readonly string[]).includes(type)
}

/**
 * Matrices of [rows, cols] one after the other; where `transposed`, they lie in memory as [cols, rows].
 */
export interface Matrices {
  readonly count: number
  readonly rows: number
  readonly cols: number
  readonly transposed: boolean
}

/** Where the elements of rows lie in a stack of matrices, row after row. @param wanted - As in {@link copyRows}. */
export function elementsOfRows({ rows, cols, transposed }: Matrices, wanted: Uint32Array): Uint32Array {
  const elements = new Uint32Array(wanted.length * cols)
  for (const [i, r] of wanted.entries()) {
    const [first, step] = transposed ? [Math.floor(r / rows) * rows * cols + (r % rows), rows] : [r * cols, 1]
    for (let t = 0; t < cols; t++) elements[i * cols + t] = first + t * step
  }
  return elements
}

/** Copies rows of a stack of matrices, row after row. @param wanted - Row numbers over the whole stack. */
export function copyRows(
  elements: Elements,
  { count, rows, cols, transposed }: Matrices,
  wanted: Uint32Array | undefined,
  target: Uint8Array,
): void {
  const size = bytesPerElement[elements.dtype]
  const source = elements.bytes()
  const total = wanted?.length ?? count * rows
  const stride = cols * size
  if (!transposed) {
    if (wanted === undefined) target.set(source.subarray(0, total * stride))
    else for (const [i, r] of wanted.entries()) target.set(source.subarray(r * stride, (r + 1) * stride), i * stride)
    return
  }
  const [from, to] = [wordsOf(source, size), wordsOf(target, size)]
  for (let i = 0; i < total; i++) {
    const r = wanted?.[i] ?? i
    const base = Math.floor(r / rows) * rows * cols + (r % rows)
    for (let t = 0; t < cols; t++) to[i * cols + t] = from[base + t * rows]!
  }
  if (to.buffer !== target.buffer) target.set(new Uint8Array(to.buffer, 0, total * stride))
}

const words = { 1: Uint8Array, 2: Uint16Array, 4: Uint32Array, 8: BigUint64Array } as const

/** The same bytes as elements of `size` bytes: of a copy, where they are not aligned. */
function wordsOf(bytes: Uint8Array, size: number): Uint32Array {
  const { buffer, byteOffset, byteLength } = bytes.byteOffset % size === 0 ? bytes : new Uint8Array(bytes)
  // What the elements are does not matter: they are only moved.
  return new words[size as keyof typeof words](buffer as ArrayBuffer, byteOffset, byteLength / size) as Uint32Array
}
