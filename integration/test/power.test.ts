import { describe, expect, test } from 'vitest'
import { gaussian } from '../../packages/core/test/numerics/families.ts'
import { cheats, honest } from '../numerics/cheats.ts'
import { powerOfAudits } from '../numerics/real-power.ts'
import { lowerBound, simulate } from '../numerics/simulate.ts'
import { subjects } from '../numerics/subjects.ts'

// What `npm run power-table` measures at length.
const named = (name: string) => cheats.find((cheat) => cheat.name === name)!
const shape = { k: 128, n: 48, rows: 6, sessions: 1 }

describe('the power of simulated checks', () => {
  test.each(subjects.map((subject) => [subject.name, subject] as const))('%s', (_, subject) => {
    expect(simulate(subject, gaussian, honest, shape, 1)).toMatchObject({
      entriesCaught: 0,
      rowsCaught: 0,
      sessionsCaught: 0,
    })
    for (const cheat of [named('int4 weights per channel'), named('zeros'), named('1% of the terms dropped')]) {
      expect(simulate(subject, gaussian, cheat, shape, 1), cheat.name).toMatchObject({ rows: 6, rowsCaught: 6 })
    }
    const sparse = simulate(subject, gaussian, named('one entry of each row is 0'), shape, 1)
    expect(sparse).toMatchObject({ entries: 6, entriesCaught: 6, sessionsCaught: 1 })
  })
})

describe('the power of audits', () => {
  test.each(['cpu', 'wasm'] as const)('tfjs on %s', async (backend) => {
    expect(await powerOfAudits(backend, honest, [6, 64, 48], 1, 1)).toMatchObject({
      rows: 6,
      rowsCaught: 0,
      sessionsCaught: 0,
    })
    for (const cheat of [named('bfloat16 weights'), named('TF32 arithmetic'), named('zeros')]) {
      const power = await powerOfAudits(backend, cheat, [6, 64, 48], 1, 1)
      expect(power, cheat.name).toMatchObject({ rows: 6, rowsCaught: 6, sessionsCaught: 1 })
    }
  })
})

describe('the lower end of an interval', () => {
  test('is that of Clopper and Pearson', () => {
    expect(lowerBound(0, 10)).toBe(0)
    expect(lowerBound(64, 64)).toBeCloseTo(0.05 ** (1 / 64), 9)
    // qbeta(0.05, 8, 3)
    expect(lowerBound(8, 10)).toBeCloseTo(0.4931, 4)
    expect(lowerBound(1, 100)).toBeCloseTo(1 - 0.95 ** (1 / 100), 9)
  })
})
