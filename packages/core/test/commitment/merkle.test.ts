import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { concatBytes } from '../../src/commitment/fields.ts'
import { buildTree, digestBytes, levelSizes } from '../../src/commitment/merkle.ts'
import { multiproof, rootFromMultiproof } from '../../src/commitment/multiproof.ts'
import { loadSuite, sha256 } from '../../src/commitment/suite.ts'
import { leaves, subset } from './leaves.ts'

/** RFC 9162, section 2.1.1, word for word. */
function merkleTreeHash(hashes: readonly Uint8Array[]): Uint8Array {
  if (hashes.length === 0) return sha256.hash(new Uint8Array(0))
  if (hashes.length === 1) return hashes[0]!
  let k = 1
  while (2 * k < hashes.length) k *= 2
  return sha256.hash(Uint8Array.of(0x01), merkleTreeHash(hashes.slice(0, k)), merkleTreeHash(hashes.slice(k)))
}

describe('buildTree', () => {
  test('agrees with the vectors of Certificate Transparency', () => {
    const entries = ['', '00', '10', '2021', '3031', '40414243', '5051525354555657', '606162636465666768696a6b6c6d6e6f']
    const hashes = entries.map((hex) => sha256.hash(Uint8Array.of(0x00), hexToBytes(hex)))
    const roots = [
      'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855',
      '6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d',
      'fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125',
      'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77',
      'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7',
      '4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4',
      '76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef',
      'ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c',
      '5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328',
    ]
    for (const [count, root] of roots.entries()) {
      expect(bytesToHex(buildTree(sha256, concatBytes(hashes.slice(0, count))).root)).toBe(root)
    }
  })

  test('agrees with the recursive definition', () => {
    for (let count = 0; count <= 70; count++) {
      const hashes = leaves(sha256, count)
      expect(buildTree(sha256, concatBytes(hashes)).root).toEqual(merkleTreeHash(hashes))
    }
  })

  test('does not alias its input', () => {
    const [leaf] = leaves(sha256, 1)
    const tree = buildTree(sha256, leaf!)
    leaf!.fill(0)
    expect(tree.root).toEqual(leaves(sha256, 1)[0])
  })

  test('refuses half a hash', () => {
    expect(() => buildTree(sha256, new Uint8Array(33))).toThrow(/multiple of 32 bytes, got 33/)
  })

  test('handles a million leaves', () => {
    // In place of a hash, because only the shape matters here: a node is the exclusive or of its children.
    const hash = (node: Uint8Array = new Uint8Array(65)): Uint8Array => {
      const mixed = new Uint8Array(digestBytes)
      for (let i = 0; i < digestBytes; i++) mixed[i] = node[1 + i]! ^ node[33 + i]!
      return mixed
    }
    const suite = { ...sha256, hash }
    const count = 1_000_001
    const hashes = new Uint8Array(count * digestBytes)
    new DataView(hashes.buffer).setUint32((count - 1) * digestBytes, 0xdead_beef)
    const tree = buildTree(suite, hashes)
    expect(new DataView(tree.root.buffer).getUint32(0)).toBe(0xdead_beef)
    const indices = Uint32Array.of(0, 999_999, 1_000_000)
    const proof = multiproof(tree, indices)
    expect(proof.length / digestBytes).toBeLessThan(3 * levelSizes(count).length)
    const opened = concatBytes([...indices].map((i) => hashes.subarray(i * digestBytes, (i + 1) * digestBytes)))
    expect(rootFromMultiproof(suite, count, indices, opened, proof)).toEqual(tree.root)
  })
})

describe('multiproof', () => {
  test('leads from any leaves of any tree to its root, for every suite', () => {
    fc.assert(
      fc.property(fc.constantFrom('sha256', 'blake3'), subset, (id, { count, indices }) => {
        const suite = loadSuite(id)
        const hashes = leaves(suite, count)
        const tree = buildTree(suite, concatBytes(hashes))
        const proof = multiproof(tree, indices)
        const opened = concatBytes([...indices].map((i) => hashes[i]!))
        expect(rootFromMultiproof(suite, count, indices, opened, proof)).toEqual(tree.root)
      }),
      { seed: 3 },
    )
  })

  test('holds no hash that the verifier can compute, and none twice', () => {
    const tree = buildTree(sha256, concatBytes(leaves(sha256, 8)))
    expect(multiproof(tree, Uint32Array.from([0, 1, 2, 3, 4, 5, 6, 7]))).toHaveLength(0)
    expect(multiproof(tree, Uint32Array.from([0, 1]))).toHaveLength(2 * digestBytes)
    expect(multiproof(tree, Uint32Array.from([0, 7]))).toHaveLength(4 * digestBytes)
  })

  test.each([[[1, 0]], [[2, 2]], [[5]], [[0, 4, 5]]])('refuses to open %j of 5 leaves', (indices) => {
    const tree = buildTree(sha256, concatBytes(leaves(sha256, 5)))
    expect(() => multiproof(tree, Uint32Array.from(indices))).toThrow(RangeError)
  })
})
