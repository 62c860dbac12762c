import { bytesToHex } from '@noble/hashes/utils.js'
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
  /**
   * @param output - Element type of C.
   * @throws {AssayError} `weight-missing`, `weight-malformed`.
   */
  of(record: ProductRecord, output: DType): Promise<ProductWeights>
}

type Vector = NonNullable<ProductRecord['bias']>

/** Reads each weight once and keeps it with its columns side by side, as inner products want it. */
export function preparedWeights(store: WeightStore): PreparedWeights {
  const matrices = new Map<string, Promise<PreparedMatrix[]>>()
  const vectors = new Map<string, Promise<Float64Array>>()

  function weight(digest: Uint8Array) {
    const found = store.find(bytesToHex(digest))
    if (found === undefined) throw new AssayError('weight-missing', `no weight has digest ${bytesToHex(digest)}`)
    return found
  }

  function remembered<T>(map: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
    let value = map.get(key)
    if (value === undefined) {
      value = make()
      map.set(key, value)
      // A file that could not be read may be readable the next time.
      value.catch(() => map.delete(key))
    }
    return value
  }

  async function prepare(record: ProductRecord): Promise<PreparedMatrix[]> {
    const { b, layout, zeroPoints } = record
    if (b.kind === 'activation') return []
    const { k, n, matrices: count } = geometryOf(layout)
    const zero = zeroPoints?.b
    const key = [bytesToHex(b.digest), k, n, count, b.transposed, zero && bytesToHex(zero.digest)].join(':')
    const zeroValues = zero && (await vector(zero))
    return remembered(matrices, key, async () => {
      const { dtype, read } = weight(b.digest)
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

  function vector({ digest }: Vector): Promise<Float64Array> {
    return remembered(vectors, bytesToHex(digest), async () => {
      const { dtype, read } = weight(digest)
      return toFloat64(await read(), dtype)
    })
  }

  return {
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

/** The part of a vector that belongs to matrix `index` of `count`: all of it, where it does not tell them apart. */
function share(vector: Float64Array, index: number, n: number, count: number): Float64Array {
  return vector.length === count * n && vector.length !== n ? vector.subarray(index * n, (index + 1) * n) : vector
}
