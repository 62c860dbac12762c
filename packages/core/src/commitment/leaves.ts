import type { DType } from '../dtype.ts'
import { rowBytes } from '../matrix.ts'

/**
 * Bytes that a leaf has at least, if the tensor has: hashing less costs more in calls than in bytes, and opening more costs
 * more on the wire than it saves.
 */
const leafBytes = 4096

/** Rows in one leaf of the commitment to a tensor; the last leaf may have fewer. Both sides compute it. */
export function leafRowsOf(shape: { readonly cols: number; readonly dtype: DType }): number {
  return Math.max(1, Math.floor(leafBytes / Math.max(1, rowBytes(shape))))
}

/** Leaves in which some rows lie, ascending. @param rows - Ascending. */
export function leavesOf(rows: Uint32Array, leafRows: number): Uint32Array {
  const leaves = new Set<number>()
  for (const row of rows) leaves.add(Math.floor(row / leafRows))
  return Uint32Array.from(leaves)
}

/** All rows of some leaves of a tensor of `rows` rows, ascending. @param leaves - Ascending. */
export function rowsOfLeaves(leaves: Uint32Array, leafRows: number, rows: number): Uint32Array {
  const all: number[] = []
  for (const leaf of leaves) {
    const end = Math.min((leaf + 1) * leafRows, rows)
    for (let row = leaf * leafRows; row < end; row++) all.push(row)
  }
  return Uint32Array.from(all)
}

/** The rows that are opened so that `rows` are: all those that share a leaf with one of them. */
export function rowsToOpen(
  rows: Uint32Array,
  tensor: { readonly rows: number; readonly cols: number; readonly dtype: DType },
): Uint32Array {
  const leafRows = leafRowsOf(tensor)
  return leafRows === 1 ? rows : rowsOfLeaves(leavesOf(rows, leafRows), leafRows, tensor.rows)
}
