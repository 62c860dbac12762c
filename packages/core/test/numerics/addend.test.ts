import { describe, expect, it } from 'vitest'
import { checkEntry, type EntryCheck, entryResult } from '../../src/numerics/entry.ts'
import { identityEpilogue } from '../../src/numerics/epilogue.ts'
import { profiles } from '../../src/numerics/profile.ts'
import { checkRow } from '../../src/numerics/row.ts'
import { engines } from './engines.ts'
import { gaussian, type RowProblem, stagnating } from './families.ts'
import { testRandom } from './random.ts'

const { fround } = Math
const [k, n] = [300, 40]

/** Where an engine puts what is added: ONNX Runtime's convolutions start from it, or add it to the finished sum. */
const orders = {
  'added to the sum, bias first': (sum: (start: number) => number, bias: number, addend: number) =>
    fround(fround(sum(0) + bias) + addend),
  'added to the sum, bias last': (sum: (start: number) => number, bias: number, addend: number) =>
    fround(fround(sum(0) + addend) + bias),
  'as the start of the sum': (sum: (start: number) => number, bias: number, addend: number) =>
    fround(sum(addend) + bias),
}

function sequential({ a, columns }: RowProblem, column: number) {
  return (start: number) => {
    let sum = start
    for (let t = 0; t < k; t++) sum = fround(sum + fround(a[t]! * columns[column * k + t]!))
    return sum
  }
}

function problem(family: typeof gaussian, seed: number, size: number) {
  const random = testRandom(seed)
  const row = family.make(random, k, n)
  const vector = () => Float64Array.from({ length: n }, () => fround(size * random.normal()))
  const [bias, addend] = [vector(), vector()]
  const opened: EntryCheck & { addend: Float64Array } = {
    a: row.a,
    b: row.b,
    profile: profiles.float32,
    epilogue: { ...identityEpilogue, bias },
    addend,
  }
  return { row, bias, addend, opened }
}

describe.each(Object.entries(orders))('a tensor that is %s', (_, order) => {
  it.each([
    ['of the size of the product', gaussian, 10],
    ['far larger than the product', gaussian, 1e4],
    ['far smaller than the product', gaussian, 1e-4],
    ['beside a sum that stagnates', stagnating, 10],
  ] as const)('%s, is accepted', (_, family, size) => {
    for (let seed = 0; seed < 20; seed++) {
      const { row, bias, addend, opened } = problem(family, seed, size)
      const c = Float64Array.from({ length: n }, (_, j) => order(sequential(row, j), bias[j]!, addend[j]!))
      expect(checkRow({ ...opened, c }).outcome).toBe('accept')
    }
  })
})

describe('an addend that is not the one that was added', () => {
  const { row, bias, addend, opened } = problem(gaussian, 1, 10)
  const engine = engines[0]!
  const c = addend.map((value, j) => fround(fround(engine.dot(row.a, row.columns, j * k) + bias[j]!) + value))

  it('is noticed where it is left out', () => {
    const { addend: _left, ...without } = opened
    expect(checkRow({ ...opened, c }).outcome).toBe('accept')
    expect(checkRow({ ...without, c }).outcome).toBe('reject')
  })

  it.each([1e-3, 1e-4])('is noticed where it is off by %s of itself', (error) => {
    expect(checkRow({ ...opened, addend: addend.map((value) => value * (1 + error)), c }).outcome).toBe('reject')
  })

  it('is noticed in one column', () => {
    const changed = addend.with(17, addend[17]! + 1)
    expect(checkRow({ ...opened, addend: changed, c }).failures.map(({ column }) => column)).toEqual([17])
  })
})

describe('an addend', () => {
  const { opened } = problem(gaussian, 2, 1)

  it('has an element for each column', () => {
    const c = new Float64Array(n)
    expect(() => checkRow({ ...opened, addend: new Float64Array(n - 1), c })).toThrow(RangeError)
  })

  it('that is not finite guards', () => {
    const result = entryResult()
    checkEntry({ ...opened, addend: opened.addend.fill(Number.NaN) }, 0, 0, result)
    expect(result).toMatchObject({ outcome: 'guard', reason: 'operand-not-finite' })
  })

  it('that cancels the product is inconclusive, and no room for a wrong C', () => {
    const huge = problem(gaussian, 3, 1)
    const exact = checkRow({ ...huge.opened, c: new Float64Array(n) })
    expect(exact.outcome).toBe('reject')
    const large = { ...huge.opened, a: huge.opened.a.map((value) => 1e6 * value) }
    const sums = Float64Array.from({ length: n }, (_, j) => {
      let sum = 0
      for (let t = 0; t < k; t++) sum += large.a[t]! * huge.row.columns[j * k + t]!
      return sum
    })
    const addend = sums.map((sum, j) => fround(-sum - huge.bias[j]!))
    expect(checkRow({ ...large, addend, c: new Float64Array(n) })).toMatchObject({ guard: 'cancellation' })
  })

  it.each(['int32', 'int8'] as const)('has no rule among %s sums', (name) => {
    const integers = { ...opened, profile: profiles[name], a: opened.a.map(Math.round) }
    expect(checkRow({ ...integers, c: new Float64Array(n) }).guard).toBe('activation-unsupported')
  })
})
