import { bytesPerElement, type DType, toFloat64 } from '../dtype.ts'

/** Elements of a matrix at a precision that holds them exactly. */
export type Elements = Float32Array | Float64Array | Int32Array

/** The columns of one matrix B, or of some of its columns, ready for inner products. */
export interface PreparedMatrix {
  readonly k: number
  /** Columns held. */
  readonly n: number
  /** Shape [n, k]: row j is column j of B. */
  readonly columns: Elements
  /** q_t = ⅓·Σ_j b_tj², shape [k]: the expected square of (Bx)_t for x uniform on [−1, 1]. */
  readonly energy: () => Float64Array
}

/**
 * @param source.bytes - The matrix as its owner holds it: [k, n], or [n, k] if `transposed`.
 * @throws {RangeError} If the number of bytes is not that of the shape.
 */
export function prepareMatrix(source: {
  readonly bytes: Uint8Array
  readonly dtype: DType
  readonly k: number
  readonly n: number
  readonly transposed: boolean
}): PreparedMatrix {
  const { bytes, dtype, k, n, transposed } = source
  if (bytes.length !== k * n * bytesPerElement[dtype]) {
    throw new RangeError(
      `a ${dtype} matrix of ${k}×${n} has ${k * n * bytesPerElement[dtype]} bytes, got ${bytes.length}`,
    )
  }
  const elements = decode(bytes, dtype)
  const columns = transposed ? elements : transpose(elements, k, n)
  let energy: Float64Array | undefined
  return {
    k,
    n,
    columns,
    energy() {
      energy ??= energyOf(columns, k, n)
      return energy
    },
  }
}

/** Elements of `bytes` in float32 or int32 if they are such, else in float64. */
export function decode(bytes: Uint8Array, dtype: DType): Elements {
  if (dtype !== 'float32' && dtype !== 'int32') return toFloat64(bytes, dtype)
  const aligned = bytes.byteOffset % 4 === 0 ? bytes : new Uint8Array(bytes)
  const TypedArray = dtype === 'float32' ? Float32Array : Int32Array
  return new TypedArray(aligned.buffer as ArrayBuffer, aligned.byteOffset, aligned.length / 4)
}

/** [k, n] to [n, k], tile by tile so that both sides stay in cache. */
function transpose(source: Elements, k: number, n: number): Elements {
  const tile = 32
  const target = new (source.constructor as Float64ArrayConstructor)(source.length) as Elements
  for (let t0 = 0; t0 < k; t0 += tile) {
    for (let j0 = 0; j0 < n; j0 += tile) {
      const tEnd = Math.min(k, t0 + tile)
      const jEnd = Math.min(n, j0 + tile)
      for (let j = j0; j < jEnd; j++) for (let t = t0; t < tEnd; t++) target[j * k + t] = source[t * n + j]!
    }
  }
  return target
}

function energyOf(columns: Elements, k: number, n: number): Float64Array {
  const energy = new Float64Array(k)
  for (let j = 0; j < n; j++) {
    for (let t = 0; t < k; t++) {
      const b = columns[j * k + t]!
      energy[t]! += (b * b) / 3
    }
  }
  return energy
}

/**
 * B·x for several vectors in one pass over B.
 *
 * @param xs - Vectors of shape [n].
 * @returns For each vector, B·x of shape [k].
 */
export function projectMatrix({ k, n, columns }: PreparedMatrix, xs: readonly Float64Array[]): Float64Array[] {
  const projections = xs.map(() => new Float64Array(k))
  for (let j = 0; j < n; j++) {
    const column = columns.subarray(j * k, (j + 1) * k)
    for (const [r, projection] of projections.entries()) {
      const x = xs[r]![j]!
      for (let t = 0; t < k; t++) projection[t]! += x * column[t]!
    }
  }
  return projections
}
