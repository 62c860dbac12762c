import { rows, type Sampler, samplerFactories } from '@tensor-assay/core'
import { interactive } from '@tensor-assay/verifier'
import { describe, expect, test } from 'vitest'
import { otherValues } from '../support/corruptions.ts'
import { badRows, oneBadRow, otherClaims } from '../support/experiments.ts'
import { claimsTooLittle, claimsTooMuch, type Experiment, measure, type Rate } from '../support/rates.ts'

// Seeded, so that every run draws the same; the interval misses the truth for one seed in a million. More audits:
// `npm run statistics`.

/** A claim that agrees with what is measured, and says something. */
function expectSoundClaim(rate: Rate): void {
  expect(rate).toSatisfy((found: Rate) => !claimsTooMuch(found), 'claims no more than was measured')
  expect(rate).toSatisfy((found: Rate) => !claimsTooLittle(found), 'is not caught where no wrong row was opened')
}

/** Whether vectors cover the opened rows. */
const isWhole = ({ policy }: Experiment) => policy.vectors > 0 && policy.sampler.name === 'rows'

describe('wrong rows are caught at the rate that the verdict claims', () => {
  test.each(badRows)('$name', async (experiment) => {
    const rate = await measure(experiment, 1000)
    expectSoundClaim(rate)
    // Where only entries are recomputed, nothing is stated of rows that are wrong in few places.
    if (isWhole(experiment)) expect(rate.claimed).toBeGreaterThan(0.95 * rate.ceiling)
    else expect(rate.claimed).toBe(0)
  })

  test.each(otherClaims)('$name', async (experiment) => {
    expectSoundClaim(await measure(experiment, 300))
  })
})

describe('the comparison sees a claim that is wrong', () => {
  const named = (drawn: number, stated: number): Sampler => ({
    ...rows({ atLeast: drawn }),
    name: 'boastful',
    parameters: {},
    detectionProbability: rows({ atLeast: stated }).detectionProbability,
  })
  const experiment = (sampler: Sampler) => ({
    ...oneBadRow('other values', otherValues),
    policy: interactive({ sampler }),
    samplers: { ...samplerFactories, boastful: () => sampler },
  })

  test('of 4 rows, stated as if they were 8', async () => {
    expect(claimsTooMuch(await measure(experiment(named(4, 8)), 500))).toBe(true)
  })

  test('of 8 rows, stated as if they were 4', async () => {
    expect(claimsTooLittle(await measure(experiment(named(8, 4)), 500))).toBe(true)
  })
})
