import {
  buildTree,
  commitTensor,
  dtypes,
  leafRowsOf,
  type Matrix,
  multiproof,
  openRows,
  rootFromMultiproof,
  rowBytes,
  rowsToOpen,
  sha256,
  verifyOpening,
} from '@tensor-assay/core'
import { join } from '../damage.ts'
import { promised, sameBytes, type Target } from '../target.ts'

const session = new Uint8Array(32).fill(5)
const saltKey = new Uint8Array(32).fill(6)

/** Tensors with leaves of one row and of several, even and odd numbers of them, and one without any row. */
const tensors = [
  [0, 3],
  [1, 1],
  [2, 300],
  [5, 64],
  [13, 7],
  [33, 2],
  [300, 1],
].map(([rows, cols], tensor) => {
  const dtype = dtypes[tensor % dtypes.length]!
  const bytes = Uint8Array.from({ length: rows! * rowBytes({ cols: cols!, dtype }) }, (_, i) => (i * 31 + tensor) & 255)
  const matrix: Matrix = { rows: rows!, cols: cols!, dtype, bytes }
  const place = { session, tensor, leafRows: leafRowsOf(matrix) }
  return { matrix, ...place, committed: commitTensor(sha256, { matrix, ...place, saltKey }) }
})

/**
 * Openings of committed tensors. Layout of an input: which tensor (1 byte), number of rows, of bytes of rows, of salts and
 * of the proof (2 bytes each, little-endian), the rows (2 bytes each), and then these bytes.
 */
export const opening: Target = {
  name: 'opening',
  maxInputBytes: 4096,
  allowedBytes: (length) => 65_536 + 128 * length,
  seeds: () =>
    tensors.flatMap(({ matrix, committed }, i) =>
      [[0], [matrix.rows - 1], Array.from({ length: matrix.rows }, (_, r) => r)]
        .filter((rows) => rows.every((row) => row >= 0 && row < matrix.rows))
        .map((rows) => {
          const indices = rowsToOpen(Uint32Array.from(rows), matrix)
          const { bytes, opening: proofs } = openRows(matrix, committed, indices)
          return encodeOpening(i, indices, [bytes, proofs.salts, proofs.proof])
        }),
    ),
  check(input) {
    const { tensor, indices, parts, end } = decodeOpening(input)
    if (end !== input.length) return false
    const { matrix, committed, leafRows } = tensors[tensor % tensors.length]!
    const [bytes, salts, proof] = parts
    const isBound = verifyOpening(sha256, {
      session,
      tensor: committed.tensor,
      rows: matrix.rows,
      cols: matrix.cols,
      dtype: matrix.dtype,
      leafRows,
      root: committed.root,
      indices,
      rowBytes: bytes,
      salts,
      proof,
    })
    if (!isBound) return false
    const honest = openRows(matrix, committed, indices)
    promised(sameBytes(bytes, honest.bytes), 'other rows than those that were committed to are taken for them')
    promised(sameBytes(salts, honest.opening.salts), 'other salts are taken')
    promised(sameBytes(proof, honest.opening.proof), 'the same rows have two proofs')
    return true
  },
}

function encodeOpening(tensor: number, indices: Uint32Array, parts: readonly Uint8Array[]): Uint8Array {
  const lengths = Uint16Array.of(indices.length, ...parts.map((part) => part.length))
  const rows = Uint16Array.from(indices)
  return join(Uint8Array.of(tensor), new Uint8Array(lengths.buffer), new Uint8Array(rows.buffer), ...parts)
}

function decodeOpening(input: Uint8Array) {
  const view = new DataView(input.buffer, input.byteOffset, input.byteLength)
  let offset = 1
  const uint16 = () => {
    const value = offset + 2 <= input.length ? view.getUint16(offset, true) : 0
    offset += 2
    return value
  }
  const [count, ...lengths] = Array.from({ length: 4 }, uint16)
  const indices = Uint32Array.from({ length: Math.min(count!, input.length) }, uint16)
  const take = (length: number) => {
    offset += length
    return input.subarray(offset - length, offset)
  }
  const [rows, salts, proof] = lengths.map(take)
  return { tensor: input[0] ?? 0, indices, parts: [rows!, salts!, proof!] as const, end: offset }
}

const leafCounts = [0, 1, 2, 3, 7, 8, 13]
const trees = leafCounts.map((count) => {
  const leaves = Uint8Array.from({ length: 32 * count }, (_, i) => (i * 7 + count) & 255)
  return { count, leaves, tree: buildTree(sha256, leaves) }
})

/**
 * Proofs of several leaves at once. Layout of an input: which tree (1 byte), its supposed number of leaves (1 byte), a
 * number of leaves (1 byte), their numbers (1 byte each), their hashes, and the proof.
 */
export const proof: Target = {
  name: 'multiproof',
  maxInputBytes: 1024,
  allowedBytes: (length) => 16_384 + 64 * length,
  seeds: () =>
    trees.flatMap(({ count, leaves, tree }, i) =>
      [[], [0], [count - 1], Array.from({ length: count }, (_, leaf) => leaf), [0, count - 1]]
        .filter((list) => list.every((leaf, at) => leaf >= 0 && leaf < count && (at === 0 || leaf > list[at - 1]!)))
        .filter((list) => list.length > 0 || count === 0)
        .map((list) => {
          const indices = Uint32Array.from(list)
          const hashes = list.map((leaf) => leaves.subarray(32 * leaf, 32 * leaf + 32))
          return join(Uint8Array.of(i, count, list.length, ...list), ...hashes, multiproof(tree, indices))
        }),
    ),
  check(input) {
    if (input.length < 3) return false
    const [which = 0, leafCount = 0, length = 0] = input
    const { count, leaves, tree } = trees[which % trees.length]!
    const indices = Uint32Array.from(input.subarray(3, 3 + length))
    const hashes = input.subarray(3 + length, 3 + 33 * length)
    const path = input.subarray(3 + 33 * length)
    const root = rootFromMultiproof(sha256, leafCount, indices, hashes, path)
    // Trees of different sizes have paths in common, so that the number of leaves has to be bound beside the root.
    if (root === undefined || leafCount !== count || !sameBytes(root, tree.root)) return false
    for (const [at, leaf] of indices.entries()) {
      const mine = hashes.subarray(32 * at, 32 * at + 32)
      promised(sameBytes(mine, leaves.subarray(32 * leaf, 32 * leaf + 32)), 'another leaf is taken for one of the tree')
    }
    promised(sameBytes(path, multiproof(tree, indices)), 'the same leaves have two proofs')
    return true
  },
}
