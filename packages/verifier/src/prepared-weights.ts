import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import {
  AssayError,
  bytesPerElement,
  type DType,
  geometryOf,
  type NumericActivation,
  type NumericEpilogue,
  type PreparedMatrix,
  type ProductRecord,
  prepareMatrix,
  type QuantizedEpilogue,
  toFloat64,
  type WeightStore,
} from '@tensor-assay/core'

/** What a product's check needs of the public weights. */
export interface ProductWeights {
  /** One for each matrix of op(B); none where B is an activation. */
  readonly matrices: readonly PreparedMatrix[]
  /** One for each matrix of op(B), or one for all of them. */
  readonly epilogues: readonly NumericEpilogue[]
}

export interface PreparedWeights {
  /** Memory of what is kept, bytes. */
  readonly heldBytes: number
  /**
   * @param output - Element type of C.
   * @throws {AssayError} `weight-missing`, `weight-malformed`.
   */
  of(record: ProductRecord, output: DType): Promise<ProductWeights>
  /**
   * The elements of a public tensor.
   *
   * @param digest - Hexadecimal.
   * @throws {AssayError} `weight-missing`, `weight-malformed`.
   */
  vector(digest: string): Promise<Float64Array>
}

type Vector = NonNullable<ProductRecord['bias']>

/** Memory that even a small store may take, bytes. */
const leastMaxBytes = 64 * 1024 * 1024

/**
 * Reads each weight once and keeps it with its columns side by side, as inner products want it.
 *
 * The records of a prover say in which form that is, and a weight has as many forms as its size has divisors. What has not
 * been used for the longest time is read again when it is needed, so that a prover that asks for all of them costs time and
 * no memory; and one after the other, so that many provers cost no more than one.
 *
 * @param maxBytes - Memory for it; twice what every weight takes in one form unless given.
 */
export function preparedWeights(
  store: WeightStore,
  maxBytes: number = Math.max(leastMaxBytes, 2 * bytesInOneForm(store)),
): PreparedWeights {
  const kept = new Map<string, { readonly bytes: number; readonly value: Promise<unknown> }>()
  let heldBytes = 0
  let tail: Promise<unknown> = Promise.resolve()

  function weight(digest: Uint8Array) {
    const found = store.find(bytesToHex(digest))
    if (found === undefined) throw new AssayError('weight-missing', `no weight has digest ${bytesToHex(digest)}`)
    return found
  }

  function forget(key: string): void {
    heldBytes -= kept.get(key)?.bytes ?? 0
    kept.delete(key)
  }

  /** @param bytes - What the value takes. */
  function remembered<T>(key: string, bytes: number, make: () => Promise<T>): Promise<T> {
    const known = kept.get(key)
    if (known !== undefined) {
      // The last used is the last of the map.
      kept.delete(key)
      kept.set(key, known)
      return known.value as Promise<T>
    }
    const value = tail.then(make)
    tail = value.catch(() => undefined)
    const entry = { bytes, value }
    kept.set(key, entry)
    heldBytes += bytes
    for (const oldest of kept.keys()) {
      if (heldBytes <= maxBytes || oldest === key) break
      forget(oldest)
    }
    // A file that could not be read may be readable the next time.
    value.catch(() => {
      if (kept.get(key) === entry) forget(key)
    })
    return value
  }

  async function prepare(record: ProductRecord): Promise<PreparedMatrix[]> {
    const { b, layout, zeroPoints } = record
    if (b.kind === 'activation') return []
    const { k, n, matrices: count } = geometryOf(layout)
    const zero = zeroPoints?.b
    const key = [bytesToHex(b.digest), k, n, count, b.transposed, zero && bytesToHex(zero.digest)].join(':')
    const zeroValues = zero && (await vector(zero))
    const { dtype, read } = weight(b.digest)
    return remembered(key, count * (k * n * bytesInMemory(dtype) + matrixOverheadBytes), async () => {
      const bytes = await read()
      const size = k * n * bytesPerElement[dtype]
      return Array.from({ length: count }, (_, i) =>
        prepareMatrix({
          bytes: bytes.subarray(i * size, (i + 1) * size),
          dtype,
          k,
          n,
          transposed: b.transposed,
          ...(zeroValues === undefined ? {} : { zeroPoint: share(zeroValues, i, n, count) }),
        }),
      )
    })
  }

  async function vector({ digest }: Pick<Vector, 'digest'>): Promise<Float64Array> {
    const { dtype, byteLength, read } = weight(digest)
    const bytes = (8 * byteLength) / bytesPerElement[dtype]
    return remembered(bytesToHex(digest), bytes, async () => toFloat64(await read(), dtype))
  }

  return {
    get heldBytes() {
      return heldBytes
    },
    vector: (digest) => vector({ digest: hexToBytes(digest) }),
    async of(record, output) {
      const { bias, beta = 1, scales, activation, profile, alpha, zeroPoint = 0 } = record
      const { n, matrices: count } = geometryOf(record.layout)
      const [storedBias, scaleValues, slopes] = await Promise.all([
        bias && vector(bias),
        scales && vector(scales),
        activation.name === 'prelu' ? vector(activation.slopes) : undefined,
      ])
      const biasValues = beta === 1 ? storedBias : storedBias?.map((value) => beta * value)
      const isSplit = [biasValues, scaleValues, slopes].some((values) => values && values.length === count * n)
      const epilogues = Array.from({ length: isSplit ? count : 1 }, (_, i): NumericEpilogue => {
        const quantized: QuantizedEpilogue | undefined =
          profile === 'int8'
            ? {
                ...(scaleValues === undefined ? {} : { scales: share(scaleValues, i, n, count) }),
                biasBeforeScale: bias?.dtype !== 'float32',
                output: output as QuantizedEpilogue['output'],
                zeroPoint,
              }
            : undefined
        const numericActivation: NumericActivation =
          activation.name === 'prelu' ? { name: 'prelu', slopes: share(slopes!, i, n, count) } : activation
        return {
          alpha,
          ...(biasValues === undefined ? {} : { bias: share(biasValues, i, n, count) }),
          activation: numericActivation,
          ...(output === 'float16' || output === 'bfloat16' ? { roundedTo: output } : {}),
          ...(quantized === undefined ? {} : { quantized }),
        }
      })
      return { matrices: await prepare(record), epilogues }
    },
  }
}

/** What a matrix takes besides its elements: objects, and the views that they hold. */
const matrixOverheadBytes = 512

/** Bytes of an element of a prepared matrix. */
function bytesInMemory(dtype: DType): number {
  return dtype === 'float64' || dtype === 'int32' || dtype === 'int64' ? 8 : 4
}

function bytesInOneForm({ weights }: WeightStore): number {
  return weights.reduce(
    (sum, { dtype, byteLength }) => sum + (byteLength / bytesPerElement[dtype]) * bytesInMemory(dtype),
    0,
  )
}

/** The part of a vector that belongs to matrix `index` of `count`: all of it, where it does not tell them apart. */
function share(vector: Float64Array, index: number, n: number, count: number): Float64Array {
  return vector.length === count * n && vector.length !== n ? vector.subarray(index * n, (index + 1) * n) : vector
}
