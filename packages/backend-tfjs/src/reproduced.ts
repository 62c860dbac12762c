import type { Product } from '@tensor-assay/core'

/** Terms that `cpu` sums up before it rounds, as the profile `exact` has it. */
const blockTerms = 48

/**
 * Whether a product is computed in the order of the profile `exact`: matrices of float32 on `cpu`, in blocks of 48 terms.
 * Convolutions round after every term, and `wasm` sums as the processor likes.
 */
export function isReproduced({ layout, profile }: Product, backendName: string, backend: object): boolean {
  const { blockSize } = backend as { blockSize?: unknown }
  return backendName === 'cpu' && blockSize === blockTerms && layout.kind === 'matmul' && profile === 'float32'
}
