import { describe, expect, test } from 'vitest'
import { buildTree } from '../../src/commitment/merkle.ts'
import { multiproof } from '../../src/commitment/multiproof.ts'
import { sha256 } from '../../src/commitment/suite.ts'
import { type Level, levelsOf, siblingsOf } from '../../src/testing/dishonest/trees.ts'

const hashes = (count: number): Level => Array.from({ length: count }, (_, i) => sha256.hash(Uint8Array.of(0x61, i)))

const joined = (level: Level) => Uint8Array.from(level.flatMap((hash) => [...hash]))

/** The root to which siblings lead where an odd last node is hashed with itself. */
function climb(count: number, index: number, leaf: Uint8Array, siblings: Uint8Array): Uint8Array {
  let hash = leaf
  let node = index
  for (let size = count, used = 0; size > 1; size = Math.ceil(size / 2), used += 32) {
    const sibling = siblings.subarray(used, used + 32)
    hash = node % 2 === 0 ? sha256.hash(Uint8Array.of(1), hash, sibling) : sha256.hash(Uint8Array.of(1), sibling, hash)
    node = Math.floor(node / 2)
  }
  return hash
}

// Forged trees must be refused for what is forged in them, and not because they are made badly.
describe.each([1, 2, 3, 5, 8, 33])('a tree of %i leaves by the attacker’s hand', (count) => {
  const leaves = hashes(count)

  test('is the real one where odd nodes are promoted', () => {
    const levels = levelsOf(sha256, leaves, 'promoted')
    const tree = buildTree(sha256, joined(leaves))
    expect(levels.at(-1)![0]).toEqual(tree.root)
    for (const indices of [[0], [count - 1], [0, count - 1], leaves.map((_, i) => i)]) {
      const asked = Uint32Array.from(new Set(indices))
      expect(siblingsOf(levels, asked, 'promoted')).toEqual(multiproof(tree, asked))
    }
  })

  test('leads to its root where odd nodes are duplicated', () => {
    const levels = levelsOf(sha256, leaves, 'duplicated')
    for (const [index, leaf] of leaves.entries()) {
      expect(climb(count, index, leaf, siblingsOf(levels, Uint32Array.of(index), 'duplicated'))).toEqual(
        levels.at(-1)![0],
      )
    }
  })
})

test('a duplicated last leaf does not show in a root that duplicates odd nodes', () => {
  const leaves = hashes(5)
  const root = (level: Level) => levelsOf(sha256, level, 'duplicated').at(-1)![0]
  expect(root([...leaves, leaves[4]!])).toEqual(root(leaves))
})
