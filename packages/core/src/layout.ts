/**
 * How the tensors of a product make up its rows. Every product is a list of rows: row r of C, shape [n], is a row of A,
 * shape [k], times one of the matrices of B, shape [k, n]. A layout says where the elements of these rows lie in the
 * tensors that are committed.
 */
export type Layout = MatmulLayout | ConvolutionLayout

/**
 * op(A)·op(B) in batches. The batch shapes broadcast against each other by NumPy's rules (aligned right, 1 repeats).
 * A is committed as [aBatch × m, k], C as [batch × m, n].
 */
export interface MatmulLayout {
  readonly kind: 'matmul'
  readonly m: number
  readonly k: number
  readonly n: number
  readonly aBatch: readonly number[]
  readonly bBatch: readonly number[]
}

/**
 * A convolution over one to three dimensions, seen as the product of patches and filters: k = channels of a group ×
 * kernel, n = filters of a group, one row for each output position and group. What a patch reads outside the input is 0,
 * which for a quantised input is its zero point.
 *
 * Channels first: A is committed as [batch × inChannels × input…, last dimension], C likewise, a patch is ordered
 * (channel, kernel…), and each group's filters lie in memory as [n, k]. Channels last: A is committed as
 * [batch × input…, inChannels], C likewise, a patch is ordered (kernel…, channel), and the filters lie as [k, n].
 */
export interface ConvolutionLayout {
  readonly kind: 'convolution'
  readonly channelsLast: boolean
  readonly batch: number
  readonly groups: number
  readonly inChannels: number
  readonly outChannels: number
  readonly input: readonly number[]
  readonly output: readonly number[]
  readonly kernel: readonly number[]
  readonly strides: readonly number[]
  readonly dilations: readonly number[]
  /** Elements of padding before the input, for each dimension. */
  readonly padding: readonly number[]
}

/** Looks up a row of a tensor. */
export type RowLookup = (row: number) => Float64Array

/** A layout, resolved. Row numbers of tensors are those of the committed tensors. */
export interface Geometry {
  /** Rows of the product. */
  readonly rows: number
  readonly k: number
  readonly n: number
  /** Matrices of op(B), [k, n] each. */
  readonly matrices: number
  /** Shapes of the tensors as they are committed. */
  readonly a: TensorSize
  readonly c: TensorSize
  /** Number of the matrix by which row `r` is made. */
  matrixOf(r: number): number
  /** Rows of the tensor A in which row `r` of A lies. */
  aRows(r: number): readonly number[]
  /** Rows of the tensor C in which row `r` of C lies. */
  cRows(r: number): readonly number[]
  /**
   * Row `r` of A, shape [k]; may be what `lookup` returned.
   *
   * @param padding - What a patch reads outside the input: the number that stands for 0 there.
   */
  readA(r: number, lookup: RowLookup, padding?: number): Float64Array
  /** Row `r` of C, shape [n]; may be what `lookup` returned. */
  readC(r: number, lookup: RowLookup): Float64Array
}

export interface TensorSize {
  readonly rows: number
  readonly cols: number
}

/** @throws {RangeError} If the sizes contradict each other. */
export function geometryOf(layout: Layout): Geometry {
  return layout.kind === 'matmul' ? matmul(layout) : convolution(layout)
}

/** C's batch shape: the two batch shapes broadcast. @throws {RangeError} If they do not broadcast. */
export function batchShape(layout: MatmulLayout): number[] {
  const { aBatch, bBatch } = layout
  const rank = Math.max(aBatch.length, bBatch.length)
  return Array.from({ length: rank }, (_, i) => {
    const a = aBatch[i - rank + aBatch.length] ?? 1
    const b = bBatch[i - rank + bBatch.length] ?? 1
    if (a !== b && a !== 1 && b !== 1) {
      throw new RangeError(`batch shapes [${aBatch}] and [${bBatch}] do not broadcast`)
    }
    return a === 1 ? b : a
  })
}

const count = (shape: readonly number[]): number => shape.reduce((product, size) => product * size, 1)

function matmul(layout: MatmulLayout): Geometry {
  const { m, k, n, aBatch, bBatch } = layout
  const shape = batchShape(layout)
  const rows = count(shape) * m

  function operands(r: number): { a: number; b: number } {
    let rest = Math.floor(r / m)
    let a = 0
    let b = 0
    let aStride = 1
    let bStride = 1
    for (let fromRight = 1; fromRight <= shape.length; fromRight++) {
      const index = rest % shape[shape.length - fromRight]!
      rest = Math.floor(rest / shape[shape.length - fromRight]!)
      const aSize = aBatch[aBatch.length - fromRight] ?? 1
      const bSize = bBatch[bBatch.length - fromRight] ?? 1
      if (aSize !== 1) a += index * aStride
      if (bSize !== 1) b += index * bStride
      aStride *= aSize
      bStride *= bSize
    }
    return { a: a * m + (r % m), b }
  }

  return {
    rows,
    k,
    n,
    matrices: count(bBatch),
    a: { rows: count(aBatch) * m, cols: k },
    c: { rows, cols: n },
    matrixOf: (r) => operands(r).b,
    aRows: (r) => [operands(r).a],
    cRows: (r) => [r],
    readA: (r, lookup) => lookup(operands(r).a),
    readC: (r, lookup) => lookup(r),
  }
}

function convolution(layout: ConvolutionLayout): Geometry {
  const { batch, groups, inChannels, outChannels, input, output, kernel, channelsLast } = layout
  checkConvolution(layout)
  const groupChannels = inChannels / groups
  const n = outChannels / groups
  const taps = count(kernel)
  const positions = count(output)
  const k = groupChannels * taps
  const places = channelsLast ? channelsLastPlaces : channelsFirstPlaces
  const inPlaces = places(batch, inChannels, input)
  const outPlaces = places(batch, outChannels, output)

  /** Where in the input each tap of the patch at output position `position` lies, as a flat index; −1 in the padding. */
  function patch(position: number): Int32Array {
    const start = unflatten(position, output)
    return Int32Array.from({ length: taps }, (_, tap) => {
      const offset = unflatten(tap, kernel)
      let flat = 0
      for (const [d, size] of input.entries()) {
        const at = start[d]! * layout.strides[d]! - layout.padding[d]! + offset[d]! * layout.dilations[d]!
        if (at < 0 || at >= size) return -1
        flat = flat * size + at
      }
      return flat
    })
  }

  function split(r: number): { sample: number; position: number; group: number } {
    const group = r % groups
    const rest = Math.floor(r / groups)
    return { sample: Math.floor(rest / positions), position: rest % positions, group }
  }

  return {
    rows: batch * positions * groups,
    k,
    n,
    matrices: groups,
    a: inPlaces.size,
    c: outPlaces.size,
    matrixOf: (r) => r % groups,
    aRows(r) {
      const { sample, position, group } = split(r)
      const rows = new Set<number>()
      for (const at of patch(position)) {
        if (at < 0) continue
        for (let channel = 0; channel < groupChannels; channel++) {
          rows.add(inPlaces.row(sample, group * groupChannels + channel, at))
        }
      }
      return [...rows]
    },
    cRows(r) {
      const { sample, position, group } = split(r)
      const rows = new Set<number>()
      for (let filter = 0; filter < n; filter++) rows.add(outPlaces.row(sample, group * n + filter, position))
      return [...rows]
    },
    readA(r, lookup, padding = 0) {
      const { sample, position, group } = split(r)
      const out = new Float64Array(k).fill(padding)
      for (const [tap, at] of patch(position).entries()) {
        if (at < 0) continue
        for (let i = 0; i < groupChannels; i++) {
          const channel = group * groupChannels + i
          const value = lookup(inPlaces.row(sample, channel, at))[inPlaces.column(channel, at)]!
          out[channelsLast ? tap * groupChannels + i : i * taps + tap] = value
        }
      }
      return out
    },
    readC(r, lookup) {
      const { sample, position, group } = split(r)
      return Float64Array.from({ length: n }, (_, filter) => {
        const channel = group * n + filter
        return lookup(outPlaces.row(sample, channel, position))[outPlaces.column(channel, position)]!
      })
    },
  }
}

/** Where an element of a tensor of samples, channels and positions lies once it is cut into rows. */
interface Places {
  readonly size: TensorSize
  row(sample: number, channel: number, position: number): number
  column(channel: number, position: number): number
}

function channelsLastPlaces(batch: number, channels: number, space: readonly number[]): Places {
  const positions = count(space)
  return {
    size: { rows: batch * positions, cols: channels },
    row: (sample, _channel, position) => sample * positions + position,
    column: (channel) => channel,
  }
}

function channelsFirstPlaces(batch: number, channels: number, space: readonly number[]): Places {
  const width = space.at(-1)!
  const lines = count(space.slice(0, -1))
  return {
    size: { rows: batch * channels * lines, cols: width },
    row: (sample, channel, position) => (sample * channels + channel) * lines + Math.floor(position / width),
    column: (_channel, position) => position % width,
  }
}

/** The index in each dimension of element `flat`. */
function unflatten(flat: number, shape: readonly number[]): number[] {
  const index = new Array<number>(shape.length)
  let rest = flat
  for (let d = shape.length - 1; d >= 0; d--) {
    index[d] = rest % shape[d]!
    rest = Math.floor(rest / shape[d]!)
  }
  return index
}

function checkConvolution(layout: ConvolutionLayout): void {
  const { groups, inChannels, outChannels, input } = layout
  if (groups < 1 || inChannels % groups !== 0 || outChannels % groups !== 0) {
    throw new RangeError(`${inChannels} input and ${outChannels} output channels do not split into ${groups} groups`)
  }
  for (const name of ['output', 'kernel', 'strides', 'dilations', 'padding'] as const) {
    if (layout[name].length !== input.length) {
      throw new RangeError(`${name} [${layout[name]}] does not have the dimensions of input [${input}]`)
    }
  }
  if (input.length < 1 || input.length > 3) throw new RangeError(`expected 1 to 3 dimensions, got [${input}]`)
}
