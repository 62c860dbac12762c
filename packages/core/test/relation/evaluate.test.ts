import { describe, expect, test } from 'vitest'
import { evaluation } from '../../src/relation/evaluate.ts'
import type { Relation } from '../../src/relation/relation.ts'
import { sizeOf } from '../../src/relation/shapes.ts'

/** A tensor whose element at each place is that place. */
const counted = (shape: readonly number[]) => ({ shape, element: (index: number) => index })

function evaluate(relation: Relation, shape: readonly number[] = [2, 3, 4]) {
  const derived = evaluation(relation, { tensor: () => counted(shape), weight: () => (index) => 100 * (index + 1) })
  const out = { value: 0, error: 0 }
  const values = Array.from({ length: sizeOf(derived.shape) }, (_, index) => {
    derived.at(index, out)
    return out.value
  })
  return { shape: derived.shape, values }
}

const tensor: Relation[number] = { op: 'tensor', operation: 0, tensor: 'c' }
const all = Array.from({ length: 24 }, (_, i) => i)
const at = (i: number, j: number, k: number) => 12 * i + 4 * j + k

describe('views', () => {
  test('reshaping leaves the order of the elements', () => {
    const relation: Relation = [tensor, { op: 'reshape', x: 0, shape: [6, null] }]
    expect(evaluate(relation)).toEqual({ shape: [6, 4], values: all })
  })

  test('transposing permutes the axes', () => {
    const { shape, values } = evaluate([tensor, { op: 'transpose', x: 0, permutation: [2, 0, 1] }])
    expect(shape).toEqual([4, 2, 3])
    for (let k = 0; k < 4; k++) {
      for (let i = 0; i < 2; i++) for (let j = 0; j < 3; j++) expect(values[6 * k + 3 * i + j]).toBe(at(i, j, k))
    }
  })

  test('slicing takes a part of an axis, or what is left of it', () => {
    const part = evaluate([tensor, { op: 'slice', x: 0, axis: 1, start: 1, end: 2 }])
    expect(part).toEqual({ shape: [2, 1, 4], values: [4, 5, 6, 7, 16, 17, 18, 19] })
    const rest = evaluate([tensor, { op: 'slice', x: 0, axis: 1, start: 1, end: null }])
    expect(rest).toEqual({ shape: [2, 2, 4], values: all.filter((i) => i % 12 >= 4) })
  })

  test('joining undoes slicing', () => {
    const parts: Relation = [
      tensor,
      { op: 'slice', x: 0, axis: 2, start: 0, end: 1 },
      { op: 'slice', x: 0, axis: 2, start: 1, end: null },
      { op: 'concat', of: [1, 2], axis: 2 },
    ]
    expect(evaluate(parts)).toEqual({ shape: [2, 3, 4], values: all })
  })

  test('a shape with a free size follows from the elements there are', () => {
    const relation: Relation = [{ ...tensor, shape: [null, 8] }]
    expect(evaluate(relation).shape).toEqual([3, 8])
  })
})

describe('steps over several elements', () => {
  test('vectors repeat along leading axes, numbers everywhere', () => {
    const relation: Relation = [
      tensor,
      { op: 'weight', digest: '0'.repeat(64), shape: [3, 1] },
      { op: 'number', value: 0.5 },
      { op: 'add', x: 0, y: 1 },
      { op: 'multiply', x: 2, y: 3 },
    ]
    const { shape, values } = evaluate(relation)
    expect(shape).toEqual([2, 3, 4])
    expect(values).toEqual(all.map((i) => (i + 100 * (1 + (Math.floor(i / 4) % 3))) / 2))
  })

  test.each([
    [{ axes: [1], keepDims: true }, [2, 1, 4]],
    [{ axes: [1], keepDims: false }, [2, 4]],
    [{ axes: [0, 2], keepDims: true }, [1, 3, 1]],
    [{ axes: [2, 0], keepDims: false }, [3]],
  ] as const)('sums, means and maxima over %j', (options, shape) => {
    const reduced = { ...options, axes: [...options.axes] as number[], x: 0 }
    const sums = evaluate([tensor, { op: 'sum', ...reduced }])
    expect(sums.shape).toEqual(shape)
    const lines = new Map<number, number[]>()
    for (const i of all) {
      const place = [Math.floor(i / 12), Math.floor(i / 4) % 3, i % 4]
      const others = place.filter((_, axis) => !reduced.axes.includes(axis))
      const key = others.reduce((key, index) => 10 * key + index, 0)
      lines.set(key, [...(lines.get(key) ?? []), i])
    }
    const inOrder = [...lines].sort(([a], [b]) => a - b).map(([, line]) => line)
    const total = (line: number[]) => line.reduce((a, b) => a + b, 0)
    expect(sums.values).toEqual(inOrder.map(total))
    expect(evaluate([tensor, { op: 'mean', ...reduced }]).values).toEqual(
      inOrder.map((line) => total(line) / line.length),
    )
    expect(evaluate([tensor, { op: 'max', ...reduced }]).values).toEqual(inOrder.map((line) => Math.max(...line)))
  })

  test('softmax along an axis that is not the last', () => {
    const { values } = evaluate([tensor, { op: 'softmax', x: 0, axis: 0 }])
    const low = 1 / (1 + Math.exp(12))
    for (const i of all) expect(values[i]).toBeCloseTo(i < 12 ? low : 1 - low, 12)
  })

  test('normalisation over the last two axes', () => {
    const { values } = evaluate([tensor, { op: 'normalize', x: 0, axis: 1, epsilon: 0, centred: true }])
    const deviation = Math.sqrt((12 ** 2 - 1) / 12)
    for (const i of all) expect(values[i]).toBeCloseTo(((i % 12) - 5.5) / deviation, 12)
  })

  test('what several steps read has one value', () => {
    let reads = 0
    const relation: Relation = [
      tensor,
      { op: 'square', x: 0 },
      { op: 'add', x: 1, y: 1 },
      { op: 'multiply', x: 2, y: 1 },
    ]
    const element = (index: number) => {
      reads++
      return index
    }
    const derived = evaluation(relation, { tensor: () => ({ shape: [5], element }), weight: () => () => 0 })
    const out = { value: 0, error: 0 }
    derived.at(3, out)
    expect(out.value).toBe(162)
    expect(reads).toBe(1)
  })
})

test('what does not fit is refused', () => {
  const refused: readonly (readonly [Relation, RegExp])[] = [
    [[{ ...tensor, shape: [5, null] }], /24 elements do not have the shape \[5,\?\]/],
    [[tensor, { op: 'reshape', x: 0, shape: [7] }], /do not have the shape/],
    [[tensor, { op: 'transpose', x: 0, permutation: [0, 1] }], /does not permute/],
    [[tensor, { op: 'transpose', x: 0, permutation: [0, 1, 1] }], /does not permute/],
    [[tensor, { op: 'slice', x: 0, axis: 1, start: 4, end: null }], /has no elements from 4/],
    [[tensor, { op: 'softmax', x: 0, axis: 3 }], /has no axis 3/],
    [[tensor, { op: 'sum', x: 0, axes: [5], keepDims: true }], /has no axis 5/],
    [[tensor, { ...tensor, shape: [24] }, { op: 'add', x: 0, y: 1 }], /do not broadcast/],
    [[tensor, { ...tensor, shape: [24] }, { op: 'concat', of: [0, 1], axis: 0 }], /do not join/],
  ]
  for (const [relation, problem] of refused) expect(() => evaluate(relation)).toThrow(problem)
})

test('a line of more elements than anybody adds is refused before it is read', () => {
  const relation: Relation = [tensor, { op: 'mean', x: 0, axes: [0], keepDims: false }]
  expect(() => evaluate(relation, [2 ** 21, 1])).toThrow(/expected at most 1048576 elements/)
})
