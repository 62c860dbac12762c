import { bytesToHex } from '@noble/hashes/utils.js'
import { deriveSeed, type FreivaldsVector, type PreparedMatrix, projectMatrix, randomStream } from '@tensor-assay/core'

/** Memory for projections, bytes. */
const maxBytes = 64 * 1024 * 1024

/**
 * Freivalds vectors and what they make of a matrix. Projecting costs as much as recomputing a row for each vector, so
 * products by the same weight share them, if all of them were committed to before the vectors were drawn.
 */
export class Projections {
  /** Weak: a matrix that nobody else holds any more is not kept for its vectors. */
  private known = new WeakMap<PreparedMatrix, { readonly key: string; readonly vectors: FreivaldsVector[] }>()
  private bytes = 0

  /**
   * @param seed - Drawn after every product that shares it was committed to.
   * @param label - Tells the matrices of one seed apart.
   * @param count - Number of vectors.
   */
  of(seed: Uint8Array, label: string, matrix: PreparedMatrix, count: number): FreivaldsVector[] {
    const key = `${bytesToHex(seed)}:${label}:${count}`
    const known = this.known.get(matrix)
    if (known?.key === key) return known.vectors
    const stream = randomStream(deriveSeed(seed, 'vectors', label))
    const xs = Array.from({ length: count }, () => {
      const x = new Float64Array(matrix.n)
      stream.fillSignedUnit(x)
      return x
    })
    const vectors = projectMatrix(matrix, xs)
    const size = 8 * count * (matrix.n + matrix.k)
    if (this.bytes + size > maxBytes) {
      this.known = new WeakMap()
      this.bytes = 0
    }
    // An earlier challenge's vectors are of no more use.
    if (known === undefined) this.bytes += size
    this.known.set(matrix, { key, vectors })
    return vectors
  }
}
