import { bytesToHex, hexToBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { nativeSha256, portableSha256 } from '../../src/commitment/digest.ts'
import { concatBytes } from '../../src/commitment/fields.ts'
import { leafRowsOf, leavesOf, rowsOfLeaves, rowsToOpen } from '../../src/commitment/leaves.ts'
import { loadSuite, sha256, suiteOf } from '../../src/commitment/suite.ts'
import {
  type CommitInput,
  commitTensor,
  commitTensorInSteps,
  openTensor,
  saltBytes,
  verifyOpening,
} from '../../src/commitment/tensor.ts'
import { type DType, dtypes } from '../../src/dtype.ts'
import { type Matrix, row, rowBytes } from '../../src/matrix.ts'
import vectors from '../vectors/commitment.json' with { type: 'json' }

const session = hexToBytes(vectors.session)
const saltKey = hexToBytes(vectors.saltKey)

function matrixOf(rows: number, cols: number, dtype: DType): Matrix {
  const bytes = new Uint8Array(rows * rowBytes({ cols, dtype }))
  for (let i = 0; i < bytes.length; i++) bytes[i] = i * 31 + 7
  return { rows, cols, dtype, bytes }
}

const rowsOf = (matrix: Matrix, indices: Uint32Array) => concatBytes(Array.from(indices, (i) => row(matrix, i)))

function opened(suite = sha256, input: CommitInput, indices: Uint32Array) {
  const committed = commitTensor(suite, input)
  const leaves = leavesOf(indices, input.leafRows)
  const opening = openTensor(committed, leaves)
  const whole = rowsOfLeaves(leaves, input.leafRows, input.matrix.rows)
  return { ...committed, ...opening, session: input.session, indices: whole, rowBytes: rowsOf(input.matrix, whole) }
}

describe('commitTensor', () => {
  const suites = [
    sha256,
    suiteOf('sha256', portableSha256),
    suiteOf('sha256', { ...(nativeSha256() ?? portableSha256), joinBytes: 0 }),
  ]

  test.each(vectors.tensors)('agrees with the frozen vector $rows×$cols $dtype, for every implementation', (vector) => {
    const { tensor, rows, cols, dtype } = vector
    const matrix = matrixOf(rows, cols, dtype as DType)
    for (const suite of suites) {
      const committed = commitTensor(suite, { session, tensor, matrix, saltKey, leafRows: 1 })
      expect(bytesToHex(committed.tree.root)).toBe(vector.treeRoot)
      expect(bytesToHex(committed.root)).toBe(vector.root)
      const { salts, proof } = openTensor(committed, Uint32Array.from(vector.opened))
      expect(bytesToHex(salts)).toBe(vector.salts)
      expect(bytesToHex(proof)).toBe(vector.proof)
    }
  })

  test('in steps gives the same commitment, and pauses on the way', async () => {
    for (const [rows, cols] of [
      [3000, 1000],
      [40_000, 1],
      [7, 7],
    ] as const) {
      const input = { session, tensor: 1, matrix: matrixOf(rows, cols, 'float32'), saltKey, leafRows: 1 }
      let pauses = 0
      const committed = await commitTensorInSteps(sha256, input, async () => {
        pauses++
      })
      const atOnce = commitTensor(sha256, input)
      expect(committed.root).toEqual(atOnce.root)
      expect(Buffer.compare(committed.tree.nodes, atOnce.tree.nodes)).toBe(0)
      expect(Buffer.compare(committed.salts, atOnce.salts)).toBe(0)
      expect(pauses > 2).toBe(rows > 7)
    }
  })

  test('in steps rejects with what the pause throws', async () => {
    const input = { session, tensor: 1, matrix: matrixOf(3000, 1000, 'float32'), saltKey, leafRows: 1 }
    const aborted = new Error('aborted')
    await expect(commitTensorInSteps(sha256, input, () => Promise.reject(aborted))).rejects.toBe(aborted)
  })

  test('keeps nothing of the data', () => {
    const matrix = matrixOf(4, 4, 'float32')
    const committed = commitTensor(sha256, { session, tensor: 1, matrix, saltKey, leafRows: 1 })
    const before = structuredClone(committed)
    matrix.bytes.fill(0)
    expect(committed).toEqual(before)
  })

  test('hides equal rows behind different leaves, and equal tensors behind different roots', () => {
    const matrix = { rows: 4, cols: 2, dtype: 'float32', bytes: new Uint8Array(32) } as const
    const committed = commitTensor(sha256, { session, tensor: 1, matrix, saltKey, leafRows: 1 })
    const leaves = Array.from({ length: 4 }, (_, i) => bytesToHex(committed.tree.nodes.subarray(32 * i, 32 * i + 32)))
    expect(new Set(leaves).size).toBe(4)
    const variants = [
      { session, tensor: 1, saltKey },
      { session, tensor: 2, saltKey },
      { session: session.with(0, 1), tensor: 1, saltKey },
      { session, tensor: 1, saltKey: saltKey.with(0, 99) },
    ].map((place) => commitTensor(sha256, { ...place, matrix, leafRows: 1 }))
    expect(new Set(variants.map(({ root }) => bytesToHex(root))).size).toBe(4)
    const salts = variants.flatMap((variant) =>
      [0, 16, 32, 48].map((at) => bytesToHex(variant.salts.slice(at, at + 16))),
    )
    expect(new Set(salts).size).toBe(16)
  })

  test('refuses a matrix of the wrong length and a short salt key', () => {
    const matrix = { ...matrixOf(2, 2, 'float32'), rows: 3 }
    expect(() => commitTensor(sha256, { session, tensor: 1, matrix, saltKey, leafRows: 1 })).toThrow(
      /3×2 has 24 bytes, got 16/,
    )
    expect(() =>
      commitTensor(sha256, {
        session,
        tensor: 1,
        matrix: matrixOf(1, 1, 'int8'),
        saltKey: new Uint8Array(16),
        leafRows: 1,
      }),
    ).toThrow(RangeError)
  })
})

describe('verifyOpening', () => {
  test('accepts every honest opening', () => {
    const arbitrary = fc
      .record({ rows: fc.integer({ min: 1, max: 40 }), cols: fc.nat(5), dtype: fc.constantFrom(...dtypes) })
      .chain((shape) =>
        fc.record({
          shape: fc.constant(shape),
          tensor: fc.maxSafeNat(),
          leafRows: fc.integer({ min: 1, max: 12 }),
          suite: fc.constantFrom('sha256', 'blake3').map(loadSuite),
          indices: fc
            .uniqueArray(fc.nat(shape.rows - 1), { minLength: 1 })
            .map((list) => Uint32Array.from(list).sort()),
        }),
      )
    fc.assert(
      fc.property(arbitrary, ({ shape: { rows, cols, dtype }, tensor, leafRows, suite, indices }) => {
        const input = { session, tensor, matrix: matrixOf(rows, cols, dtype), saltKey, leafRows }
        expect(verifyOpening(suite, opened(suite, input, indices))).toBe(true)
      }),
      { seed: 5 },
    )
  })

  test('accepts the empty opening of a tensor without rows, and of no other', () => {
    const none = new Uint32Array(0)
    expect(
      verifyOpening(
        sha256,
        opened(sha256, { session, tensor: 0, matrix: matrixOf(0, 3, 'int8'), saltKey, leafRows: 1 }, none),
      ),
    ).toBe(true)
    const nothing = { indices: none, rowBytes: new Uint8Array(0), salts: new Uint8Array(0), proof: new Uint8Array(0) }
    const some = opened(
      sha256,
      { session, tensor: 0, matrix: matrixOf(5, 3, 'int8'), saltKey, leafRows: 1 },
      Uint32Array.of(1),
    )
    expect(verifyOpening(sha256, { ...some, ...nothing })).toBe(false)
  })

  const matrix = matrixOf(11, 6, 'float32')
  const input = { session, tensor: 3, matrix, saltKey, leafRows: 1 }
  const indices = Uint32Array.of(0, 4, 9)
  const good = opened(sha256, input, indices)
  const stride = rowBytes(matrix)
  const swapped = concatBytes([good.rowBytes.subarray(stride, 2 * stride), row(matrix, 0), row(matrix, 9)])

  const bad: Record<string, Partial<typeof good>> = {
    'another session': { session: session.with(0, session[0]! ^ 1) },
    'another tensor': { tensor: 4 },
    'a tensor number that is none': { tensor: -1 },
    'another element type of the same size': { dtype: 'int32' },
    'an element type that is none': { dtype: 'constructor' as DType },
    'one row more': { rows: 12 },
    'one row fewer': { rows: 10 },
    'no rows': { rows: 0 },
    'NaN rows': { rows: Number.NaN },
    'as many bytes in another shape': { rows: 22, cols: 3 },
    'another number of columns': { cols: 5 },
    'a negative number of columns': { cols: -6 },
    'more columns than numbers can count': {
      cols: 2 ** 53 - 1,
      dtype: 'float64',
      indices: new Uint32Array(0),
      rowBytes: new Uint8Array(0),
      salts: new Uint8Array(0),
    },
    'another root': { root: good.root.with(31, good.root[31]! ^ 1) },
    'a root cut short': { root: good.root.subarray(0, 31) },
    'no root': { root: new Uint8Array(0) },
    'the tree root in place of the commitment': { root: good.tree.root },
    'other rows than challenged': { indices: Uint32Array.of(0, 4, 10) },
    'indices shifted by one': { indices: Uint32Array.of(1, 5, 10) },
    'a row twice': { indices: Uint32Array.of(0, 0, 9) },
    'rows in another order': { indices: Uint32Array.of(4, 0, 9), rowBytes: swapped },
    'a row out of range': { indices: Uint32Array.of(0, 4, 11) },
    'rows swapped': { rowBytes: swapped },
    'a row missing': { rowBytes: good.rowBytes.subarray(stride) },
    'a byte too many': { rowBytes: concatBytes([good.rowBytes, new Uint8Array(1)]) },
    'salts swapped': {
      salts: concatBytes([
        good.salts.subarray(saltBytes, 2 * saltBytes),
        good.salts.subarray(0, saltBytes),
        good.salts.subarray(2 * saltBytes),
      ]),
    },
    'a salt missing': { salts: good.salts.subarray(saltBytes) },
    'a byte of salt too many': { salts: concatBytes([good.salts, new Uint8Array(1)]) },
    'a hash of the proof missing': { proof: good.proof.subarray(32) },
    'a hash too many': { proof: concatBytes([good.proof, new Uint8Array(32)]) },
  }

  test('accepts the opening that the bad ones are made from', () => {
    expect(verifyOpening(sha256, good)).toBe(true)
  })

  test.each(Object.entries(bad))('refuses %s', (_, change) => {
    expect(verifyOpening(sha256, { ...good, ...change })).toBe(false)
  })

  describe('of leaves of several rows', () => {
    // 11 rows in leaves of 4, 4 and 3.
    const wide = opened(sha256, { ...input, leafRows: 4 }, Uint32Array.of(5, 10))
    const rowOf = (i: number) => row(matrix, i)

    test('refuses rows that are others of the same leaves', () => {
      const twice = Uint32Array.from(wide.indices, (index) => (index === 5 ? 4 : index))
      expect(verifyOpening(sha256, wide)).toBe(true)
      expect(verifyOpening(sha256, { ...wide, indices: twice })).toBe(false)
    })

    test('accepts whole leaves, of which the last may be short', () => {
      expect(wide.indices).toEqual(Uint32Array.of(4, 5, 6, 7, 8, 9, 10))
      expect(verifyOpening(sha256, wide)).toBe(true)
    })

    test.each<[string, Partial<typeof wide>]>([
      ['a row of a leaf missing', { indices: wide.indices.subarray(1), rowBytes: wide.rowBytes.subarray(stride) }],
      [
        'a row beyond the tensor',
        { indices: Uint32Array.of(...wide.indices, 11), rowBytes: concatBytes([wide.rowBytes, rowOf(0)]) },
      ],
      ['rows of another leaf', { indices: wide.indices.map((i) => i - 4) }],
      ['another number of rows in a leaf', { leafRows: 1 }],
      ['rows swapped within a leaf', { rowBytes: concatBytes([rowOf(5), rowOf(4), ...[6, 7, 8, 9, 10].map(rowOf)]) }],
      ['a salt for each row', { salts: new Uint8Array(wide.indices.length * saltBytes) }],
    ])('refuses %s', (_, change) => {
      expect(verifyOpening(sha256, { ...wide, ...change })).toBe(false)
    })

    test('both sides open the same rows', () => {
      expect(leafRowsOf({ cols: 256, dtype: 'float32' })).toBe(4)
      expect(leafRowsOf({ cols: 0, dtype: 'float32' })).toBe(4096)
      expect(leafRowsOf({ cols: 5000, dtype: 'float32' })).toBe(1)
      expect(rowsToOpen(Uint32Array.of(1, 9), { rows: 10, cols: 256, dtype: 'float32' })).toEqual(
        Uint32Array.of(0, 1, 2, 3, 8, 9),
      )
    })
  })

  test('refuses every flipped bit of rows, salts and proof', () => {
    for (const part of ['rowBytes', 'salts', 'proof'] as const) {
      for (let i = 0; i < good[part].length; i++) {
        const changed = good[part].with(i, good[part][i]! ^ (1 << (i % 8)))
        expect(verifyOpening(sha256, { ...good, [part]: changed })).toBe(false)
      }
    }
  })

  test('refuses another suite', () => {
    expect(verifyOpening(loadSuite('blake3'), good)).toBe(false)
  })

  test('refuses a node presented as a row', () => {
    // Two nodes of the level above the leaves, which are 65 bytes of preimage each, as two rows of 65 bytes.
    const four = commitTensor(sha256, { session, tensor: 3, matrix: matrixOf(4, 65, 'uint8'), saltKey, leafRows: 1 })
    const node = (i: number) => concatBytes([Uint8Array.of(0x01), four.tree.nodes.subarray(64 * i, 64 * i + 64)])
    const asRows = { rows: 2, indices: Uint32Array.of(0, 1), rowBytes: concatBytes([node(0), node(1)]) }
    const forged = { ...four, ...asRows, session, salts: new Uint8Array(2 * saltBytes), proof: new Uint8Array(0) }
    expect(verifyOpening(sha256, forged)).toBe(false)
  })

  test('binds the number of rows where the paths alone would not', () => {
    const first = opened(sha256, input, Uint32Array.of(0))
    expect(verifyOpening(sha256, first)).toBe(true)
    expect(verifyOpening(sha256, { ...first, rows: 12 })).toBe(false)
  })

  test('refuses an opening spliced in from another tensor or session', () => {
    for (const other of [
      { ...input, tensor: 4 },
      { ...input, session: session.toReversed() },
    ]) {
      const { salts, proof, rowBytes } = opened(sha256, other, indices)
      expect(verifyOpening(sha256, { ...good, salts, proof, rowBytes })).toBe(false)
    }
  })
})
