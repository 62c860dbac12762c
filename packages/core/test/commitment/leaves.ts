import fc from 'fast-check'
import { encodeFields } from '../../src/commitment/fields.ts'
import type { HashSuite } from '../../src/commitment/suite.ts'

/** Different leaf hashes. */
export function leaves(suite: HashSuite, count: number): Uint8Array[] {
  return Array.from({ length: count }, (_, i) => suite.hash(encodeFields('leaf', i)))
}

/** A number of leaves and at least one of them. */
export const subset = fc
  .integer({ min: 1, max: 70 })
  .chain((count) =>
    fc
      .uniqueArray(fc.nat(count - 1), { minLength: 1, maxLength: count })
      .map((indices) => ({ count, indices: Uint32Array.from(indices).sort() })),
  )
