import { bytesToHex } from '@noble/hashes/utils.js'
import {
  AssayError,
  bytesPerElement,
  type PreparedMatrix,
  type ProductRecord,
  prepareMatrix,
  rowCounts,
  toFloat64,
  type WeightStore,
} from '@tensor-assay/core'

/** What a product's check needs of the public weights. */
export interface ProductWeights {
  /** One for each matrix of op(B); none where B is an activation. */
  readonly matrices: readonly PreparedMatrix[]
  readonly bias?: Float64Array
  readonly slopes?: Float64Array
}

export interface PreparedWeights {
  of(record: ProductRecord): Promise<ProductWeights>
}

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

  function prepare(digest: Uint8Array, { k, n }: { k: number; n: number }, count: number, transposed: boolean) {
    const key = `${bytesToHex(digest)}:${k}x${n}:${transposed}`
    return remembered(matrices, key, async () => {
      const { dtype, read } = weight(digest)
      const bytes = await read()
      const size = k * n * bytesPerElement[dtype]
      return Array.from({ length: count }, (_, i) =>
        prepareMatrix({ bytes: bytes.subarray(i * size, (i + 1) * size), dtype, k, n, transposed }),
      )
    })
  }

  function vector(digest: Uint8Array): Promise<Float64Array> {
    return remembered(vectors, bytesToHex(digest), async () => {
      const { dtype, read } = weight(digest)
      return toFloat64(await read(), dtype)
    })
  }

  return {
    async of({ b, bias, activation, layout }) {
      const count = rowCounts(layout).matrices
      return {
        matrices: b.kind === 'weight' ? await prepare(b.digest, layout, count, b.transposed) : [],
        ...(bias === undefined ? {} : { bias: await vector(bias.digest) }),
        ...(activation.name === 'prelu' ? { slopes: await vector(activation.slopes.digest) } : {}),
      }
    },
  }
}
