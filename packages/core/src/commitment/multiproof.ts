import { digestBytes, emptyRoot, hashPair, levelSizes, type MerkleTree, nodePair } from './merkle.ts'
import type { HashSuite } from './suite.ts'

/**
 * The hashes that lead from some leaves to the root: level by level from the leaves, left to right on a level, the
 * sibling of every known node whose sibling is not itself known. Each hash appears once, however many leaves need it.
 *
 * @param indices - Leaf numbers, ascending, without repetition.
 * @returns The hashes one after the other, 32 bytes each.
 * @throws {RangeError} If `indices` is not ascending or leaves the tree.
 */
export function multiproof(tree: MerkleTree, indices: Uint32Array): Uint8Array {
  if (!isAscending(indices, tree.leafCount)) {
    throw new RangeError(`leaf indices must ascend below ${tree.leafCount}, got [${indices}]`)
  }
  const siblings: Uint8Array[] = []
  let start = 0
  let known = indices
  for (const size of levelSizes(tree.leafCount)) {
    for (let i = 0; i < known.length; i++) {
      const sibling = siblingOf(known[i]!)
      if (known[i + 1] === sibling) i++
      else if (sibling < size) {
        // A known left sibling was met one step earlier, so a right node that arrives here lacks its left one.
        const offset = (start + sibling) * digestBytes
        siblings.push(tree.nodes.subarray(offset, offset + digestBytes))
      }
    }
    start += size
    known = parents(known)
  }
  const proof = new Uint8Array(siblings.length * digestBytes)
  for (const [i, hash] of siblings.entries()) proof.set(hash, i * digestBytes)
  return proof
}

/**
 * The root to which a proof leads, or undefined if the proof does not have the one form that {@link multiproof} gives it.
 * Every argument but the suite may be hostile; a commitment must bind `leafCount`, because trees of different sizes have
 * paths in common.
 *
 * @param indices - Leaf numbers; none only if the tree has no leaf.
 * @param leafHashes - 32 bytes for each index, in the order of `indices`.
 * @param proof - What {@link multiproof} returned.
 */
export function rootFromMultiproof(
  suite: HashSuite,
  leafCount: number,
  indices: Uint32Array,
  leafHashes: Uint8Array,
  proof: Uint8Array,
): Uint8Array | undefined {
  if (!Number.isInteger(leafCount) || leafCount < 0 || leafCount > 2 ** 32) return undefined
  if (!isAscending(indices, leafCount) || leafHashes.length !== indices.length * digestBytes) return undefined
  if (indices.length === 0) return leafCount === 0 && proof.length === 0 ? emptyRoot(suite) : undefined

  const pair = nodePair()
  const children = new Uint8Array(2 * digestBytes)
  let known = indices
  let hashes = leafHashes
  let used = 0
  for (const size of levelSizes(leafCount).slice(0, -1)) {
    const above = parents(known)
    const hashesAbove = new Uint8Array(above.length * digestBytes)
    let out = 0
    for (let i = 0; i < known.length; i++, out += digestBytes) {
      const node = known[i]!
      const sibling = siblingOf(node)
      const hash = hashes.subarray(i * digestBytes, (i + 1) * digestBytes)
      if (sibling >= size) {
        hashesAbove.set(hash, out)
        continue
      }
      const isLeft = sibling > node
      children.set(hash, isLeft ? 0 : digestBytes)
      if (known[i + 1] === sibling) {
        i++
        children.set(hashes.subarray(i * digestBytes, (i + 1) * digestBytes), digestBytes)
      } else {
        if (used + digestBytes > proof.length) return undefined
        children.set(proof.subarray(used, used + digestBytes), isLeft ? digestBytes : 0)
        used += digestBytes
      }
      hashesAbove.set(hashPair(suite, pair, children), out)
    }
    known = above
    hashes = hashesAbove
  }
  return used === proof.length ? hashes : undefined
}

function isAscending(indices: Uint32Array, limit: number): boolean {
  let previous = -1
  for (const index of indices) {
    if (index <= previous || index >= limit) return false
    previous = index
  }
  return true
}

function siblingOf(node: number): number {
  return node % 2 === 0 ? node + 1 : node - 1
}

function parents(nodes: Uint32Array): Uint32Array {
  const above = new Uint32Array(nodes.length)
  let count = 0
  for (const node of nodes) {
    const parent = Math.floor(node / 2)
    if (count === 0 || above[count - 1] !== parent) above[count++] = parent
  }
  return above.subarray(0, count)
}
