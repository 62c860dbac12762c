/**
 * Columns of the `count` claimed values of least magnitude, ascending. Rounding to 16 bits hides least there: it is
 * relative to the value, whereas wrong weights or arithmetic are wrong by as much in a small value as in a large one.
 * A prover cannot tell beforehand how small is small enough, and a value that it moves away from there is wrong.
 *
 * Values that are not numbers are left out, and zeros unless `zeros` are of interest: half of a rectified row is 0.
 *
 * @param columns - Column of each value; its position when absent.
 */
export function smallestColumns(
  values: Float64Array,
  columns: Uint32Array | undefined,
  count: number,
  zeros: boolean,
): Uint32Array {
  // The least so far, ascending: nearly every value is beyond the last of them.
  const sizes = new Float64Array(count)
  const places = new Uint32Array(count)
  let held = 0
  for (let i = 0; i < values.length; i++) {
    const size = Math.abs(values[i]!)
    if (!(held < count || size < sizes[held - 1]!) || Number.isNaN(size) || (size === 0 && !zeros)) continue
    let at = held < count ? held++ : count - 1
    for (; at > 0 && sizes[at - 1]! > size; at--) {
      sizes[at] = sizes[at - 1]!
      places[at] = places[at - 1]!
    }
    sizes[at] = size
    places[at] = columns === undefined ? i : columns[i]!
  }
  return places.subarray(0, held).sort()
}

/** The union of two ascending lists, ascending. */
export function union(a: Uint32Array, b: Uint32Array): Uint32Array {
  return Uint32Array.from(new Set([...a, ...b])).sort()
}
