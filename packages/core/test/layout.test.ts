import { describe, expect, test } from 'vitest'
import { type ConvolutionLayout, geometryOf, type Layout, type RowLookup } from '../src/layout.ts'
import { testRandom } from './numerics/random.ts'

const count = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1)

function indices(shape: readonly number[]): number[][] {
  return shape.reduce<number[][]>(
    (all, size) => all.flatMap((index) => Array.from({ length: size }, (_, i) => [...index, i])),
    [[]],
  )
}

const flat = (index: readonly number[], shape: readonly number[]) => index.reduce((sum, i, d) => sum * shape[d]! + i, 0)

function lookup(data: Float64Array, { rows, cols }: { rows: number; cols: number }): RowLookup {
  expect(rows * cols).toBe(data.length)
  return (row) => {
    if (!(row >= 0 && row < rows)) throw new RangeError(`row ${row} of ${rows}`)
    return data.subarray(row * cols, (row + 1) * cols)
  }
}

/** The definition, with no patches and no products. */
function convolve(layout: ConvolutionLayout, x: Float64Array, w: Float64Array): Float64Array {
  const { batch, groups, inChannels, outChannels, input, output, kernel, strides, dilations, padding } = layout
  const xShape = layout.channelsLast ? [batch, ...input, inChannels] : [batch, inChannels, ...input]
  const yShape = layout.channelsLast ? [batch, ...output, outChannels] : [batch, outChannels, ...output]
  const groupIn = inChannels / groups
  const groupOut = outChannels / groups
  const wShape = layout.channelsLast ? [...kernel, groupIn, outChannels] : [outChannels, groupIn, ...kernel]
  const place = (sample: number, channel: number, at: readonly number[]) =>
    layout.channelsLast ? [sample, ...at, channel] : [sample, channel, ...at]
  const y = new Float64Array(count(yShape))
  for (let sample = 0; sample < batch; sample++) {
    for (let m = 0; m < outChannels; m++) {
      for (const at of indices(output)) {
        let sum = 0
        for (let c = 0; c < groupIn; c++) {
          for (const tap of indices(kernel)) {
            const from = at.map((o, d) => o * strides[d]! - padding[d]! + tap[d]! * dilations[d]!)
            if (from.some((i, d) => i < 0 || i >= input[d]!)) continue
            const channel = Math.floor(m / groupOut) * groupIn + c
            const weight = layout.channelsLast ? [...tap, c, m] : [m, c, ...tap]
            sum += x[flat(place(sample, channel, from), xShape)]! * w[flat(weight, wShape)]!
          }
        }
        y[flat(place(sample, m, at), yShape)] = sum
      }
    }
  }
  return y
}

/** C by the geometry: every row of A times its matrix. */
function byGeometry(layout: Layout, a: Float64Array, b: Float64Array, c: Float64Array, transposed: boolean): number {
  const geometry = geometryOf(layout)
  const { rows, k, n } = geometry
  const lookA = lookup(a, geometry.a)
  const lookC = lookup(c, geometry.c)
  let largest = 0
  for (let r = 0; r < rows; r++) {
    const opened = new Set(geometry.aRows(r))
    const aRow = geometry.readA(r, (row) => {
      expect(opened.has(row)).toBe(true)
      return lookA(row)
    })
    const openedC = new Set(geometry.cRows(r))
    const cRow = geometry.readC(r, (row) => {
      expect(openedC.has(row)).toBe(true)
      return lookC(row)
    })
    const matrix = b.subarray(geometry.matrixOf(r) * k * n, (geometry.matrixOf(r) + 1) * k * n)
    for (let j = 0; j < n; j++) {
      let sum = 0
      for (let t = 0; t < k; t++) sum += aRow[t]! * matrix[transposed ? j * k + t : t * n + j]!
      largest = Math.max(largest, Math.abs(sum - cRow[j]!))
    }
  }
  return largest
}

const base = { kind: 'convolution', batch: 2, groups: 1 } as const
const outputOf = (layout: Omit<ConvolutionLayout, 'output'>, after = layout.padding): number[] =>
  layout.input.map((size, d) => {
    const span = (layout.kernel[d]! - 1) * layout.dilations[d]! + 1
    return Math.floor((size + layout.padding[d]! + after[d]! - span) / layout.strides[d]!) + 1
  })

const cases: readonly (readonly [string, Omit<ConvolutionLayout, 'output' | 'channelsLast'>])[] = [
  [
    'one dimension',
    { ...base, inChannels: 3, outChannels: 4, input: [9], kernel: [3], strides: [2], dilations: [1], padding: [1] },
  ],
  [
    'two dimensions, uneven everything',
    {
      ...base,
      inChannels: 2,
      outChannels: 3,
      input: [7, 5],
      kernel: [3, 2],
      strides: [2, 1],
      dilations: [1, 2],
      padding: [2, 1],
    },
  ],
  [
    'three dimensions',
    {
      ...base,
      inChannels: 2,
      outChannels: 2,
      input: [3, 4, 5],
      kernel: [2, 3, 2],
      strides: [1, 2, 1],
      dilations: [1, 1, 2],
      padding: [0, 1, 1],
    },
  ],
  [
    'a kernel of one',
    {
      ...base,
      inChannels: 4,
      outChannels: 4,
      input: [3, 3],
      kernel: [1, 1],
      strides: [1, 1],
      dilations: [1, 1],
      padding: [0, 0],
    },
  ],
]

describe('a convolution is the product of its patches and filters', () => {
  for (const channelsLast of [false, true]) {
    test.each(cases)(`channels ${channelsLast ? 'last' : 'first'}: %s`, (_, sizes) => {
      const layout = { ...sizes, channelsLast, output: outputOf({ ...sizes, channelsLast }) }
      check(layout)
    })
  }

  test.each([2, 4])('in %i groups', (groups) => {
    const sizes = {
      ...base,
      channelsLast: false,
      groups,
      inChannels: 4,
      outChannels: 8,
      input: [5, 4],
      kernel: [3, 3],
      strides: [1, 1],
      dilations: [1, 1],
      padding: [1, 1],
    }
    check({ ...sizes, output: outputOf(sizes) })
  })

  test('and of no others', () => {
    const [, sizes] = cases[1]!
    const layout = { ...sizes, channelsLast: false, output: outputOf({ ...sizes, channelsLast: false }) }
    const { normal } = testRandom(3)
    const x = Float64Array.from({ length: 2 * 2 * 35 }, normal)
    const w = Float64Array.from({ length: 3 * 2 * 6 }, normal)
    const y = convolve(layout, x, w)
    for (const change of [{ padding: [1, 2] }, { dilations: [2, 1] }] as const) {
      expect(byGeometry({ ...layout, ...change }, x, w, y, true)).toBeGreaterThan(0.1)
    }
  })

  test('what lies outside the input reads as the number that stands for 0', () => {
    const layout = {
      ...cases[3]![1],
      channelsLast: false,
      inChannels: 1,
      outChannels: 1,
      kernel: [3, 3],
      padding: [1, 1],
    }
    const geometry = geometryOf({ ...layout, output: [3, 3] })
    const ones = () => new Float64Array(3).fill(1)
    expect([...geometry.readA(0, ones, 7)]).toEqual([7, 7, 7, 7, 1, 1, 7, 1, 1])
    expect([...geometry.readA(4, ones, 7)]).toEqual(new Array(9).fill(1))
  })

  function check(layout: ConvolutionLayout): void {
    const { normal } = testRandom(1)
    const x = Float64Array.from({ length: layout.batch * layout.inChannels * count(layout.input) }, normal)
    const filters = (layout.outChannels * layout.inChannels * count(layout.kernel)) / layout.groups
    const w = Float64Array.from({ length: filters }, normal)
    const y = convolve(layout, x, w)
    expect(y.some((value) => value !== 0)).toBe(true)
    expect(byGeometry(layout, x, w, y, !layout.channelsLast)).toBeLessThan(1e-12)
  }
})

describe('sizes that contradict each other are refused', () => {
  const layout = {
    ...base,
    channelsLast: false,
    inChannels: 4,
    outChannels: 4,
    input: [5],
    output: [5],
    kernel: [3],
    strides: [1],
    dilations: [1],
    padding: [1],
  } satisfies ConvolutionLayout
  test.each([
    [{ groups: 3 }, 'do not split'],
    [{ groups: 0 }, 'do not split'],
    [{ kernel: [3, 3] }, 'kernel [3,3]'],
    [{ padding: [] }, 'padding []'],
  ] as const)('%o', (change, message) => {
    expect(() => geometryOf({ ...layout, ...change })).toThrow(message)
  })

  test('batches that do not broadcast', () => {
    expect(() => geometryOf({ kind: 'matmul', m: 1, k: 1, n: 1, aBatch: [2], bBatch: [3] })).toThrow('do not broadcast')
  })
})
