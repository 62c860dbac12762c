import { createHash } from 'node:crypto'
import { type Backend, type Matrix, type Product, row } from '@tensor-assay/core'
import type { Control } from './subject.ts'

/**
 * Hashes every row of A and C by SHA-256 before the caller gets C: what commitments cost that do not wait.
 *
 * @param onHash - Told of each hash.
 */
export function hashing(backend: Backend, onHash: (digest: Buffer) => void = () => {}): Control {
  const memory = new Map<number, Uint8Array>()
  /** Old memory, because touching new pages would be charged to the hashing. */
  function allocate(bytes: number): Uint8Array {
    const buffer = memory.get(bytes) ?? new Uint8Array(bytes)
    memory.set(bytes, buffer)
    return buffer
  }
  function hashRows(handle: Product['a']): void {
    const matrix = handle.read(undefined, allocate)
    if (matrix instanceof Promise)
      throw new TypeError(`${backend.name} does not read at once, so nothing can be hashed`)
    for (let r = 0; r < matrix.rows; r++) onHash(hashOf(matrix, r))
  }
  return {
    name: 'hash at once',
    atLeast: 0,
    of: 'auditable',
    install() {
      const interception = backend.intercept({
        product({ a, c }) {
          hashRows(a)
          hashRows(c)
        },
        opaque: () => {},
      })
      return () => interception.restore()
    },
  }
}

function hashOf(matrix: Matrix, index: number): Buffer {
  return createHash('sha256').update(row(matrix, index)).digest()
}
