import { hexToBytes } from '@noble/hashes/utils.js'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { deriveSeed } from '../../src/random/seed.ts'
import { grid } from '../../src/sampling/grid.ts'
import { samplerNamed } from '../../src/sampling/registry.ts'
import { rows } from '../../src/sampling/rows.ts'
import type { Sampler, UnitShape } from '../../src/sampling/sampler.ts'
import vectors from '../vectors/sampling.json' with { type: 'json' }

const seed = new Uint8Array(32).fill(5)
const weight = (m: number, n = 100): UnitShape => ({ rows: m, k: 8, n, right: 'weight' })
const activation = (m: number, n = 100): UnitShape => ({ rows: m, k: 8, n, right: 'activation' })

describe('frozen plans', () => {
  test.each(vectors)('$sampler $parameters for $shape', ({ sampler, parameters, seed, shape, plan }) => {
    const made = samplerNamed(sampler, parameters as Record<string, number>)
    const { rows, columns } = made.plan(hexToBytes(seed), shape as UnitShape)
    expect([...rows]).toEqual(plan.rows)
    expect(columns && [...columns]).toEqual(plan.columns)
  })
})

describe('rows', () => {
  test('draws atLeast or rate, whichever is more, and the last row', () => {
    expect(rows().plan(seed, weight(400)).rows).toHaveLength(5)
    expect(rows().plan(seed, weight(40_000)).rows).toHaveLength(41)
    expect(rows({ atLeast: 7, rate: 0 }).plan(seed, weight(40_000)).rows).toHaveLength(8)
    for (const m of [1, 2, 5, 6, 400]) expect(rows().plan(seed, weight(m)).rows.at(-1)).toBe(m - 1)
  })

  test('takes every row of a small product', () => {
    for (const m of [1, 2, 3, 4, 5]) expect(rows().plan(seed, weight(m)).rows).toHaveLength(m)
    expect([...rows().plan(seed, weight(3)).rows]).toEqual([0, 1, 2])
  })

  test('draws columns for activations only, at most all of them', () => {
    expect(rows().plan(seed, weight(400))).not.toHaveProperty('columns')
    expect(rows().plan(seed, activation(400)).columns).toHaveLength(16)
    expect([...rows().plan(seed, activation(400, 3)).columns!]).toEqual([0, 1, 2])
  })

  test('rows do not depend on whether columns are drawn', () => {
    expect(rows().plan(seed, activation(400)).rows).toEqual(rows().plan(seed, weight(400)).rows)
  })

  test('claims no less than the protocol does: 1 − (1 − f)^r', () => {
    const arbitrary = fc.record({
      m: fc.integer({ min: 1, max: 3000 }),
      bad: fc.nat(3000),
      atLeast: fc.integer({ min: 1, max: 40 }),
    })
    fc.assert(
      fc.property(arbitrary, ({ m, bad, atLeast }) => {
        const wrong = Math.min(m, bad)
        const claimed = rows({ atLeast, rate: 0 }).detectionProbability(weight(m), { rows: wrong })
        expect(claimed).toBeGreaterThanOrEqual(1 - (1 - wrong / m) ** Math.min(m, atLeast) - 1e-12)
      }),
      { seed: 11 },
    )
  })

  test('is certain of what fills the product, or leaves fewer rows than are drawn', () => {
    expect(rows().detectionProbability(weight(1), { rows: 1 })).toBe(1)
    expect(rows().detectionProbability(weight(4000), { rows: 4000 })).toBe(1)
    expect(rows().detectionProbability(weight(4000), { rows: 3996 })).toBe(1)
    expect(rows().detectionProbability(weight(4000), { rows: 3995 })).toBeLessThan(1)
  })
})

describe('grid', () => {
  test('draws both rates, rounded up, and at least atLeast', () => {
    const plan = grid().plan(seed, weight(4000, 4000))
    expect([plan.rows.length, plan.columns?.length]).toEqual([4, 40])
    // The rates alone give none here.
    const small = grid().plan(seed, weight(10, 10))
    expect([small.rows.length, small.columns?.length]).toEqual([1, 1])
    const more = grid({ atLeast: 8 }).plan(seed, weight(5, 10))
    expect([more.rows.length, more.columns?.length]).toEqual([5, 8])
  })
})

/** Fraction of seeded plans that touch K leading rows wrong in w leading columns: the worst place for both samplers. */
function simulated(sampler: Sampler, shape: UnitShape, bad: { rows: number; columns: number }, plans: number): number {
  let noticed = 0
  for (let i = 0; i < plans; i++) {
    const plan = sampler.plan(deriveSeed(seed, 'simulation', i), shape)
    const hitsRow = plan.rows.some((row) => row < bad.rows)
    if (hitsRow && (plan.columns?.some((column) => column < bad.columns) ?? true)) noticed++
  }
  return noticed / plans
}

describe('the published detection probability is what simulation finds for the worst placement', () => {
  const plans = 4000
  const cases: [string, Sampler, UnitShape, { rows: number; columns: number }][] = [
    ['one entry of a small product', rows(), weight(20, 10), { rows: 1, columns: 1 }],
    ['one row', rows(), weight(20, 10), { rows: 1, columns: 10 }],
    ['a tenth of the rows', rows({ atLeast: 8 }), weight(200), { rows: 20, columns: 100 }],
    ['half of the rows', rows({ atLeast: 1, rate: 0 }), weight(100), { rows: 50, columns: 100 }],
    ['all rows but the last', rows({ atLeast: 1 }), weight(3), { rows: 2, columns: 100 }],
    ['a rate', rows({ rate: 0.05 }), weight(400), { rows: 12, columns: 1 }],
    ['one entry of an activation product', rows(), activation(20, 40), { rows: 1, columns: 1 }],
    ['columns of an activation product', rows({ columns: 5 }), activation(20, 40), { rows: 10, columns: 8 }],
    ['all rows of an activation product', rows({ columns: 5 }), activation(20, 40), { rows: 20, columns: 8 }],
    ['the grid, one entry', grid({ rowRate: 0.2, columnRate: 0.3 }), weight(20, 10), { rows: 1, columns: 1 }],
    ['the grid, whole rows', grid({ rowRate: 0.1 }), weight(40, 10), { rows: 10, columns: 10 }],
    ['the grid, some of both', grid({ rowRate: 0.1, columnRate: 0.1 }), activation(50, 60), { rows: 20, columns: 20 }],
  ]
  test.each(cases)('%s', (_, sampler, shape, bad) => {
    const published = sampler.detectionProbability(shape, bad)
    const error = 4.5 * Math.sqrt((published * (1 - published)) / plans)
    expect(Math.abs(simulated(sampler, shape, bad, plans) - published)).toBeLessThanOrEqual(error)
  })
})

describe('arguments', () => {
  test.each([
    [() => rows({ atLeast: 0 }), /atLeast must be an integer from 1 to 2\^32, got 0/],
    [() => rows({ atLeast: 1.5 }), /got 1.5/],
    [() => rows({ rate: -0.1 }), /rate must be a number from 0 to 1, got -0.1/],
    [() => rows({ rate: 1.01 }), /got 1.01/],
    [() => rows({ rate: Number.NaN }), /got NaN/],
    [() => rows({ rate: '0.5' as unknown as number }), /rate must be a number/],
    [() => rows({ columns: Number.POSITIVE_INFINITY }), /got Infinity/],
    [() => rows({ colums: 3 } as object), /takes the parameters atLeast, rate, columns, got 'colums'/],
    [() => grid({ rowRate: 2 }), /rowRate must be a number from 0 to 1, got 2/],
    [() => grid({ columnRate: -1 }), /got -1/],
    [() => grid({ atLeast: 2 ** 33 }), /got 8589934592/],
    [() => grid({ rate: 0.1 } as object), /got 'rate'/],
    [() => rows().plan(seed, weight(-1)), /rows of a product must be an integer from 0 to 2\^32, got -1/],
    [() => grid().plan(seed, weight(3, 0.5)), /n of a product .* got 0.5/],
    [() => rows().plan(new Uint8Array(16), weight(3)), /got 16/],
    [() => rows().detectionProbability(weight(3), { rows: 4 }), /at most 3 corrupted rows .* got 4/],
    [() => rows().detectionProbability(weight(3), { rows: -1 }), /got -1/],
    [() => grid().detectionProbability(weight(3, 5), { rows: 1, columns: 6 }), /at most 5 entries each, got 1 of 6/],
    [() => grid().detectionProbability(weight(3, 5), { rows: 1, columns: Number.NaN }), /got 1 of NaN/],
  ])('%s is refused', (act, message) => {
    expect(act).toThrow(RangeError)
    expect(act).toThrow(message)
  })

  test('an omitted option and an undefined one are the default', () => {
    const options = { atLeast: undefined } as unknown as { atLeast: number }
    expect(rows(options).parameters).toEqual({ atLeast: 4, rate: 0.001, columns: 16 })
    expect(grid().parameters).toEqual({ rowRate: 0.001, columnRate: 0.01, atLeast: 1 })
  })
})
