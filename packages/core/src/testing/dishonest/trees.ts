import { fieldParts } from '../../commitment/fields.ts'
import type { HashSuite } from '../../commitment/suite.ts'
import type { CommittedTensor } from '../../commitment/tensor.ts'

const hashBytes = 32

/** The hashes of one level of a tree. */
export type Level = readonly Uint8Array[]

/** Leaf hashes of a tensor that was committed to. */
export function leafHashesOf({ tree }: CommittedTensor): Level {
  return Array.from({ length: tree.leafCount }, (_, i) => tree.nodes.slice(i * hashBytes, (i + 1) * hashBytes))
}

/** What becomes of an odd last node: promoted as it is, or hashed with itself. */
export type OddNodes = 'promoted' | 'duplicated'

/** The levels of a tree, leaves first. */
export function levelsOf(suite: HashSuite, leaves: Level, odd: OddNodes): Level[] {
  const levels = [leaves]
  for (let level = leaves; level.length > 1; ) {
    const above: Uint8Array[] = []
    for (let i = 0; i < level.length; i += 2) {
      const left = level[i]!
      const right = level[i + 1] ?? (odd === 'duplicated' ? left : undefined)
      above.push(right === undefined ? left : suite.hash(Uint8Array.of(1), left, right))
    }
    levels.push(above)
    level = above
  }
  return levels
}

/** The commitment to a tensor by the root of any tree over any number of leaves. */
export function rootOf(
  suite: HashSuite,
  session: Uint8Array,
  { tensor, cols, dtype }: CommittedTensor,
  rows: number,
  treeRoot: Uint8Array,
): Uint8Array {
  return suite.hash(...fieldParts('tensor', session, tensor, rows, cols, dtype, treeRoot))
}

/** The siblings on the way from some nodes of the first level to the root, in the order of a multiproof. */
export function siblingsOf(levels: readonly Level[], indices: Uint32Array, odd: OddNodes): Uint8Array {
  const siblings: Uint8Array[] = []
  let known = [...indices]
  for (const level of levels.slice(0, -1)) {
    for (const node of known) {
      const sibling = node % 2 === 0 ? node + 1 : node - 1
      const hash = level[sibling] ?? (odd === 'duplicated' ? level[node] : undefined)
      if (!known.includes(sibling) && hash !== undefined) siblings.push(hash)
    }
    known = [...new Set(known.map((node) => Math.floor(node / 2)))]
  }
  const proof = new Uint8Array(siblings.length * hashBytes)
  for (const [i, hash] of siblings.entries()) proof.set(hash, i * hashBytes)
  return proof
}
