/** How some engine adds Σ a_t·b_t in float32: a of shape [k], the column at `offset` of `columns`. */
export interface Engine {
  readonly name: string
  dot(a: Float64Array, columns: Float32Array, offset: number): number
}

const { fround } = Math

function pairwise(a: Float64Array, columns: Float32Array, offset: number, first: number, end: number): number {
  if (end - first <= 8) {
    let sum = 0
    for (let t = first; t < end; t++) sum = fround(sum + fround(a[t]! * columns[offset + t]!))
    return sum
  }
  const middle = (first + end) >>> 1
  return fround(pairwise(a, columns, offset, first, middle) + pairwise(a, columns, offset, middle, end))
}

/** Contiguous slices, one for each worker, whose sums are added in turn. */
function split(parts: number): Engine {
  return {
    name: `split-k ${parts}`,
    dot(a, columns, offset) {
      const size = Math.ceil(a.length / parts)
      let total = 0
      for (let first = 0; first < a.length; first += size) {
        let sum = 0
        const end = Math.min(first + size, a.length)
        for (let t = first; t < end; t++) sum = fround(sum + fround(a[t]! * columns[offset + t]!))
        total = fround(total + sum)
      }
      return total
    },
  }
}

function interleaved(lanes: number): Engine {
  const sums = new Float32Array(lanes)
  return {
    name: `${lanes} lanes`,
    dot(a, columns, offset) {
      sums.fill(0)
      for (let t = 0, lane = 0; t < a.length; t++) {
        sums[lane]! += fround(a[t]! * columns[offset + t]!)
        lane = lane + 1 === lanes ? 0 : lane + 1
      }
      let total = 0
      for (const sum of sums) total = fround(total + sum)
      return total
    },
  }
}

/** Written apart from the emulation under test, and with orders that it does not have. */
export const engines: readonly Engine[] = [
  {
    name: 'sequential',
    dot(a, columns, offset) {
      let sum = 0
      for (let t = 0; t < a.length; t++) sum = fround(sum + fround(a[t]! * columns[offset + t]!))
      return sum
    },
  },
  {
    name: 'reverse',
    dot(a, columns, offset) {
      let sum = 0
      for (let t = a.length - 1; t >= 0; t--) sum = fround(sum + fround(a[t]! * columns[offset + t]!))
      return sum
    },
  },
  {
    // The product is exact in float64, so one rounding is left; that it is rounded twice matters once in 2²⁹ times.
    name: 'FMA',
    dot(a, columns, offset) {
      let sum = 0
      for (let t = 0; t < a.length; t++) sum = fround(sum + a[t]! * columns[offset + t]!)
      return sum
    },
  },
  { name: 'pairwise', dot: (a, columns, offset) => pairwise(a, columns, offset, 0, a.length) },
  interleaved(8),
  interleaved(16),
  interleaved(32),
  split(2),
  split(7),
  {
    name: 'blocks of 48',
    dot(a, columns, offset) {
      let total = 0
      for (let first = 0; first < a.length; first += 48) {
        let sum = 0
        const end = Math.min(first + 48, a.length)
        for (let t = first; t < end; t++) sum = fround(sum + fround(a[t]! * columns[offset + t]!))
        total = fround(total + sum)
      }
      return total
    },
  },
]
