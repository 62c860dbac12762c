import type { Elements } from './decode.ts'
import type { PreparedMatrix } from './prepared.ts'

/** A random vector and what the verifier's own B makes of it. */
export interface FreivaldsVector {
  /** Shape [n], uniform on [−1, 1]; drawn after the prover was bound to its rows, and used for one challenge. */
  readonly x: Float64Array
  /** B·x, shape [k]. */
  readonly Bx: Float64Array
}

/**
 * B·x for every `x`, in float64 and one pass over B: as much work as recomputing one row of C for each.
 *
 * @param xs - Vectors of shape [n].
 * @throws {RangeError} If columns of `matrix` are missing, or a vector does not have n elements.
 */
export function projectMatrix(matrix: PreparedMatrix, xs: readonly Float64Array[]): FreivaldsVector[] {
  const { k, n, columns } = matrix
  if (matrix.known !== undefined) throw new RangeError(`only ${matrix.known.length} of ${n} columns of B are known`)
  for (const x of xs) {
    if (x.length !== n) throw new RangeError(`expected vectors of ${n} elements, got ${x.length}`)
  }
  const vectors = xs.map((x) => ({ x, Bx: new Float64Array(k) }))
  for (let j = 0; j < n; j += 4) {
    // The four columns stay in cache from one vector to the next.
    for (const { x, Bx } of vectors) {
      if (j + 4 <= n) addFourColumns(Bx, columns, j * k, x[j]!, x[j + 1]!, x[j + 2]!, x[j + 3]!)
      else for (let last = j; last < n; last++) addColumn(Bx, columns, last * k, x[last]!)
    }
  }
  return vectors
}

function addFourColumns(
  out: Float64Array,
  columns: Elements,
  offset: number,
  x0: number,
  x1: number,
  x2: number,
  x3: number,
): void {
  const k = out.length
  const offset1 = offset + k
  const offset2 = offset1 + k
  const offset3 = offset2 + k
  for (let t = 0; t < k; t++) {
    out[t]! +=
      x0 * columns[offset + t]! + x1 * columns[offset1 + t]! + (x2 * columns[offset2 + t]! + x3 * columns[offset3 + t]!)
  }
}

function addColumn(out: Float64Array, columns: Elements, offset: number, x: number): void {
  for (let t = 0; t < out.length; t++) out[t]! += x * columns[offset + t]!
}
