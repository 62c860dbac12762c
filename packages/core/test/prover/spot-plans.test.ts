import { expect, test } from 'vitest'
import { spotPlans } from '../../src/prover/spot-plans.ts'
import { grid } from '../../src/sampling/grid.ts'
import type { SampledProduct } from '../../src/sampling/opened-rows.ts'
import type { Sampler } from '../../src/sampling/sampler.ts'

const matmul = (m: number, right: 'weight' | 'activation' = 'weight', hasAddend = false): SampledProduct => {
  return { layout: { kind: 'matmul', m, k: 8, n: 40, aBatch: [], bBatch: [] }, right, hasAddend }
}

/** Plans, and the plans of somebody who never draws ahead. */
function opened() {
  let draws = 0
  const sampler = grid({ rowRate: 0.1 })
  const counting: Sampler = {
    ...sampler,
    plan(seed, shape) {
      draws++
      return sampler.plan(seed, shape)
    },
  }
  const policy = {
    version: 1,
    mode: 'spot',
    suite: 'sha256',
    sampler: { name: 'grid', parameters: {} },
    nonce: new Uint8Array(32),
    window: 64,
    weights: new Uint8Array(0),
    spotSeed: new Uint8Array(32).fill(1),
  }
  const session = new Uint8Array(32).fill(2)
  const plans = spotPlans({ policy, session, sampler: counting })
  let sequence = 0
  return {
    plans,
    draws: () => draws,
    /** A run whose products come in the order in which they were foreseen, and then an operation without a plan. */
    run(products: readonly SampledProduct[], foreseen = products) {
      for (const [i, product] of foreseen.entries()) plans.foresee(sequence + i, product)
      for (const product of products) {
        const fresh = spotPlans({ policy, session, sampler }).take(sequence, product)
        expect(plans.take(sequence++, product)).toEqual(fresh)
      }
      sequence++
      const before = draws
      plans.drawAhead()
      return draws - before
    },
  }
}

const model = [matmul(100), matmul(100, 'activation'), matmul(30, 'weight', true)]

test('what a run asks for is drawn before it once two runs were the same, and then no more in it', () => {
  const plans = opened()
  expect(plans.run(model)).toBe(0)
  expect(plans.run(model)).toBe(3)
  for (let i = 0; i < 5; i++) {
    const before = plans.draws()
    expect(plans.run(model)).toBe(3)
    expect(plans.draws() - before).toBe(3)
  }
})

test('nothing is drawn ahead where runs take turns', () => {
  const plans = opened()
  const other = model.map(({ right, hasAddend }) => matmul(50, right, hasAddend ?? false))
  for (const products of [model, other, model, other, model]) expect(plans.run(products)).toBe(0)
})

test('what was drawn for another product is not taken for this one', () => {
  const plans = opened()
  plans.run(model)
  plans.run(model)
  plans.run(model)
  // Each differs from what is expected in one thing; `run` compares the rows with fresh ones.
  plans.run([matmul(99), matmul(100, 'weight'), matmul(30, 'weight', false)])
  plans.run(model, [matmul(99), matmul(100, 'weight'), matmul(30, 'weight', false)])
})

test('a plan is drawn once although it is asked for before the run and in it', () => {
  const plans = opened()
  plans.run(model)
  expect(plans.draws()).toBe(3)
})

test('so many plans are kept, and one that was forgotten is drawn again', () => {
  const { plans, ...counts } = opened()
  const product = matmul(10)
  const first = plans.foresee(0, product)
  for (let sequence = 1; sequence < 16_384; sequence++) plans.foresee(sequence, product)
  expect(counts.draws()).toBe(16_384)
  expect(plans.take(1, product)).toBeDefined()
  expect(counts.draws()).toBe(16_384)
  plans.foresee(16_384, product)
  plans.foresee(16_385, product)
  expect(plans.take(0, product)).toEqual(first)
  expect(counts.draws()).toBe(16_387)
})
