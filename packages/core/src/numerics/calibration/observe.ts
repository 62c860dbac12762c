import type { Backend } from '../../backend.ts'
import type { Matrix } from '../../matrix.ts'
import type { Product } from '../../product.ts'

/** A product that ran: A as rows, B as its columns, shape [n, k], and C as rows. */
export interface ObservedProduct {
  readonly a: Matrix
  readonly columns: Matrix
  readonly c: Matrix
}

/**
 * The plain products C = A·B that a backend sees while `run` runs: one matrix each, without an epilogue. Others are left
 * out.
 *
 * @throws Whatever `run` throws, and what the backend says of reading a tensor.
 */
export async function observeProducts(backend: Backend, run: () => unknown): Promise<ObservedProduct[]> {
  const products: Promise<ObservedProduct>[] = []
  const interception = backend.intercept({
    product(product) {
      if (isPlain(product)) products.push(readAll(product))
    },
    opaque: () => {},
  })
  try {
    await run()
  } finally {
    interception.restore()
  }
  return Promise.all(products)
}

function isPlain({ layout, epilogue, zeroPoints }: Product): boolean {
  if (layout.kind !== 'matmul' || zeroPoints !== undefined) return false
  const matrices = [...layout.aBatch, ...layout.bBatch].every((size) => size === 1)
  const { alpha, bias, scales, activation } = epilogue
  return matrices && alpha === 1 && bias === undefined && scales === undefined && activation.name === 'linear'
}

/** Reads what must be read during the call at once, and waits for the rest. */
async function readAll({ a, b, c }: Product): Promise<ObservedProduct> {
  const allocate = (bytes: number) => new Uint8Array(bytes)
  const [left, columns, result] = await Promise.all([a, b, c].map((handle) => handle.read(undefined, allocate)))
  return { a: left!, columns: columns!, c: result! }
}
