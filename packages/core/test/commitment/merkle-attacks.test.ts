import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes } from '../../src/commitment/fields.ts'
import { buildTree, digestBytes } from '../../src/commitment/merkle.ts'
import { multiproof, rootFromMultiproof } from '../../src/commitment/multiproof.ts'
import { sha256 } from '../../src/commitment/suite.ts'
import { leaves, subset } from './leaves.ts'

/** An honest proof, with what a dishonest prover changes in it. */
interface Attempt {
  readonly count: number
  readonly indices: readonly number[]
  readonly opened: readonly Uint8Array[]
  readonly proof: Uint8Array
}

const hashes = leaves(sha256, 11)
const tree = buildTree(sha256, concatBytes(hashes))

function honest(indices: readonly number[]): Attempt {
  const proof = multiproof(tree, Uint32Array.from(indices))
  return { count: hashes.length, indices, opened: indices.map((i) => hashes[i]!), proof }
}

function rootOf({ count, indices, opened, proof }: Attempt): Uint8Array | undefined {
  return rootFromMultiproof(sha256, count, Uint32Array.from(indices), concatBytes(opened), proof)
}

/** The hashes of a proof in another order. */
function reorder(proof: Uint8Array, order: readonly number[]): Uint8Array {
  return concatBytes(order.map((i) => proof.subarray(i * digestBytes, (i + 1) * digestBytes)))
}

const base = honest([2, 5, 10])

test('the honest proof passes', () => {
  expect(rootOf(base)).toEqual(tree.root)
})

describe('proofs of another form are refused outright', () => {
  const malformed: Record<string, Attempt> = {
    'one hash missing': { ...base, proof: base.proof.subarray(digestBytes) },
    'no hash at all': { ...base, proof: new Uint8Array(0) },
    'one hash too many': { ...base, proof: concatBytes([base.proof, new Uint8Array(digestBytes)]) },
    'half a hash too many': { ...base, proof: concatBytes([base.proof, new Uint8Array(16)]) },
    'half a hash missing': { ...base, proof: base.proof.subarray(16) },
    'indices in another order': { ...base, indices: [5, 2, 10] },
    'an index twice': { ...base, indices: [2, 2, 10] },
    'an index out of range': { ...base, indices: [2, 5, 11] },
    'fewer leaves than indices': { ...base, opened: base.opened.slice(1) },
    'more leaves than indices': { ...base, indices: [2, 5] },
    'no leaf of a tree that has some': { ...base, indices: [], opened: [], proof: new Uint8Array(0) },
    'no leaf, but the root as proof': { ...base, indices: [], opened: [], proof: tree.root },
    'a leaf of an empty tree': { ...base, count: 0 },
    'a negative leaf count': { ...base, count: -1 },
    'a fractional leaf count': { ...base, count: 11.5 },
    'NaN leaves': { ...base, count: Number.NaN },
    'a leaf count beyond 32 bits': { ...base, count: 2 ** 32 + 1 },
    'more leaves than the proof is for': { ...base, count: 2 ** 32 },
  }
  test.each(Object.entries(malformed))('%s', (_, attempt) => {
    expect(rootOf(attempt)).toBeUndefined()
  })
})

describe('proofs of something else lead elsewhere', () => {
  const forged: Record<string, Attempt> = {
    'two opened leaves swapped': { ...base, opened: [hashes[5]!, hashes[2]!, hashes[10]!] },
    'a sibling opened in place of the leaf': { ...base, opened: [hashes[3]!, hashes[5]!, hashes[10]!] },
    'the index of the sibling': { ...base, indices: [3, 5, 10] },
    'siblings swapped': {
      ...base,
      proof: reorder(base.proof, [1, 0, 2, 3, 4].slice(0, base.proof.length / digestBytes)),
    },
    'all indices shifted by one': { ...base, indices: [1, 4, 9] },
  }
  test.each(Object.entries(forged))('%s', (_, attempt) => {
    expect(rootOf(attempt)).not.toEqual(tree.root)
  })

  test('a leaf count of which the paths are longer or shorter', () => {
    for (const count of [1, 2, 8, 17, 100]) expect(rootOf({ ...honest([0]), count })).not.toEqual(tree.root)
    for (const count of [10, 12]) expect(rootOf({ ...honest([10]), count })).not.toEqual(tree.root)
  })

  test('every single bit of leaves and proof counts', () => {
    fc.assert(
      fc.property(subset, fc.nat(), fc.nat(7), ({ count, indices }, position, bit) => {
        const own = leaves(sha256, count)
        const { root, ...rest } = buildTree(sha256, concatBytes(own))
        const proof = multiproof({ root, ...rest }, indices)
        const all = concatBytes([...[...indices].map((i) => own[i]!), proof])
        all[position % all.length]! ^= 1 << bit
        const opened = all.subarray(0, indices.length * digestBytes)
        expect(rootFromMultiproof(sha256, count, indices, opened, all.subarray(opened.length))).not.toEqual(root)
      }),
      { seed: 4 },
    )
  })
})

describe('other trees have other roots', () => {
  const rootOver = (...list: readonly Uint8Array[]) => buildTree(sha256, concatBytes(list)).root

  test('the odd leaf duplicated', () => {
    const [a, b, c] = hashes as [Uint8Array, Uint8Array, Uint8Array]
    expect(rootOver(a, b, c)).not.toEqual(rootOver(a, b, c, c))
  })

  test('padded with zero hashes, or with the hash of nothing', () => {
    for (const filler of [new Uint8Array(digestBytes), sha256.hash()]) {
      expect(rootOver(...hashes, filler)).not.toEqual(tree.root)
    }
    expect(rootOver()).not.toEqual(rootOver(new Uint8Array(digestBytes)))
  })

  test('leaves in another order', () => {
    expect(rootOver(...hashes.toReversed())).not.toEqual(tree.root)
  })
})

describe('what the tree leaves to its caller', () => {
  test('a leaf count with the same paths gives the same root, so a commitment must name the count', () => {
    expect(rootOf({ ...honest([0]), count: 12 })).toEqual(tree.root)
  })

  test('nodes can stand as leaves of a smaller tree, so leaf hashes must not be able to be nodes', () => {
    const nodes = Array.from({ length: 6 }, (_, i) => tree.nodes.slice((11 + i) * digestBytes, (12 + i) * digestBytes))
    expect(buildTree(sha256, concatBytes(nodes)).root).toEqual(tree.root)
  })
})
