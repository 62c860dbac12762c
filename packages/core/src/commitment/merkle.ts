import type { HashSuite } from './suite.ts'

export const digestBytes = 32

/**
 * A Merkle tree in the shape of RFC 9162: a node is H(0x01 ‖ left ‖ right), and a node without a sibling is promoted as
 * it is. Leaf hashes are the caller's, who keeps them from colliding with nodes: {@link encodeFields} never starts with
 * 0x01, because every domain tag is longer than that.
 */
export interface MerkleTree {
  readonly leafCount: number
  /** 32 bytes; H of nothing for a tree without leaves. */
  readonly root: Uint8Array
  /** Every hash, 32 bytes each, level by level from the leaves to the root. */
  readonly nodes: Uint8Array
}

/**
 * Builds a tree over leaf hashes.
 *
 * @param leafHashes - 32 bytes for each leaf. Copied.
 * @throws {RangeError} If `leafHashes` is not a whole number of hashes.
 * @see RFC 9162, section 2.1.1.
 */
export function buildTree(suite: HashSuite, leafHashes: Uint8Array): MerkleTree {
  const steps = buildTreeSteps(suite, leafHashes)
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}

/** Nodes between two steps, a few milliseconds of work. */
const nodesPerStep = 2048

/** {@link buildTree}, interruptible. */
export function* buildTreeSteps(suite: HashSuite, leafHashes: Uint8Array): Generator<undefined, MerkleTree> {
  const leafCount = leafHashes.length / digestBytes
  if (!Number.isInteger(leafCount)) {
    throw new RangeError(`leaf hashes must be a multiple of ${digestBytes} bytes, got ${leafHashes.length}`)
  }
  if (leafCount === 0) return { leafCount, root: emptyRoot(suite), nodes: new Uint8Array(0) }
  const sizes = levelSizes(leafCount)
  const nodes = new Uint8Array(digestBytes * sizes.reduce((sum, size) => sum + size, 0))
  nodes.set(leafHashes)
  const pair = nodePair()
  let read = 0
  let write = leafCount
  const hashAt = (node: number, count: number) => nodes.subarray(node * digestBytes, (node + count) * digestBytes)
  for (const size of sizes.slice(0, -1)) {
    const end = read + size
    for (; read < end; read += 2, write++) {
      const isPromoted = read + 1 === end
      nodes.set(isPromoted ? hashAt(read, 1) : hashPair(suite, pair, hashAt(read, 2)), write * digestBytes)
      if (write % nodesPerStep === 0) yield
    }
    read = end
  }
  return { leafCount, root: hashAt(write - 1, 1).slice(), nodes }
}

/** Root of a tree without leaves. */
export function emptyRoot(suite: HashSuite): Uint8Array {
  return suite.hash(new Uint8Array(0))
}

/** Number of hashes on each level, from the leaves to the root. */
export function levelSizes(leafCount: number): number[] {
  const sizes = [leafCount]
  for (let size = leafCount; size > 1; ) {
    size = Math.ceil(size / 2)
    sizes.push(size)
  }
  return sizes
}

/** Scratch for {@link hashPair}. */
export function nodePair(): Uint8Array {
  const pair = new Uint8Array(1 + 2 * digestBytes)
  pair[0] = 0x01
  return pair
}

/** The node over two hashes, which lie one behind the other in `children`. */
export function hashPair(suite: HashSuite, pair: Uint8Array, children: Uint8Array): Uint8Array {
  pair.set(children, 1)
  return suite.hash(pair)
}
