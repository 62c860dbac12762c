import {
  type Backend,
  bytesPerElement,
  decodeElements,
  type Matrix,
  type Product,
  type TensorHandle,
} from '@tensor-assay/core'

/** What a product looks like to whoever wants to lie about it. */
export interface Values {
  readonly a: Float64Array
  /** The columns of op(B), one after the other. */
  readonly b: Float64Array
  readonly layout: Product['layout']
}

/** The backend with a lie between it and the prover; a product for which `lie` gives nothing is not shown. */
export function dishonestly(lie: (product: Product) => Product | undefined): (backend: Backend) => Backend {
  return (honest) => ({
    ...honest,
    intercept: (observer) =>
      honest.intercept({
        ...observer,
        run: () => observer.run?.(),
        opaque: (operation) => observer.opaque(operation),
        product(product) {
          const shown = lie(product)
          if (shown) observer.product(shown)
        },
      }),
  })
}

/** Shows another C, made of the true one. */
export function replaceC(change: (c: Float64Array, values: Values) => Float64Array): (product: Product) => Product {
  return (product) => {
    const { a, b, c, layout } = product
    const values = change(valuesOf(c), { a: valuesOf(a), b: valuesOf(b), layout })
    return { ...product, c: { ...replaced(c, values) } }
  }
}

/** Shows another A, made of the true one. */
export function replaceA(change: (a: Float64Array) => Float64Array): (product: Product) => Product {
  return (product) => ({ ...product, a: replaced(product.a, change(valuesOf(product.a))) })
}

/** What C would be if the weights were rounded to 8 bits, column by column. Products of other layouts are left alone. */
export function withInt8Weights(c: Float64Array, { a, b, layout }: Values): Float64Array {
  if (layout.kind !== 'matmul' || layout.bBatch.some((size) => size > 1)) return c
  const { k, n } = layout
  const scales = Array.from({ length: n }, (_, j) => {
    let most = 0
    for (let t = 0; t < k; t++) most = Math.max(most, Math.abs(b[j * k + t]!))
    return most / 127
  })
  return c.map((value, i) => {
    const [r, j] = [Math.floor(i / n), i % n]
    const scale = scales[j]!
    let difference = 0
    for (let t = 0; t < k && scale > 0; t++) {
      difference += a[r * k + t]! * (Math.round(b[j * k + t]! / scale) * scale - b[j * k + t]!)
    }
    return value + difference
  })
}

/** Shows another addend, made of the true one, where there is one. */
export function replaceAddend(change: (addend: Float64Array) => Float64Array): (product: Product) => Product {
  return (product) =>
    product.addend === undefined
      ? product
      : { ...product, addend: replaced(product.addend, change(valuesOf(product.addend))) }
}

function valuesOf(handle: TensorHandle): Float64Array {
  const { bytes, dtype } = handle.read(undefined, (length) => new Uint8Array(length)) as Matrix
  return Float64Array.from(decodeElements(bytes, dtype))
}

const arrays = { float32: Float32Array, int32: Int32Array, uint8: Uint8Array, int8: Int8Array } as const

function replaced({ rows, cols, dtype }: TensorHandle, values: Float64Array): TensorHandle {
  const data = arrays[dtype as keyof typeof arrays].from(values)
  const source = new Uint8Array(data.buffer)
  const stride = cols * bytesPerElement[dtype]
  return {
    key: {},
    rows,
    cols,
    dtype,
    read(wanted, allocate) {
      const indices = wanted ?? Uint32Array.from({ length: rows }, (_, i) => i)
      const bytes = allocate(indices.length * stride)
      for (const [i, r] of indices.entries()) bytes.set(source.subarray(r * stride, (r + 1) * stride), i * stride)
      return { rows: indices.length, cols, dtype, bytes }
    },
  }
}
