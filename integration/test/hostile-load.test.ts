import { expect, test } from 'vitest'
import { besiege, residentBound } from '../support/besieged.ts'

// Its long form: npm run hostile-load -- --minutes 60
test('with a thousand hostile connections open, honest sessions end in their verdicts, in bounded memory', {
  timeout: 240_000,
}, async () => {
  const sessions = 2
  const siege = await besiege({ connections: 1200, sessions, steps: 4, sessionSeconds: 4 })
  expect(Math.min(...siege.open)).toBeGreaterThanOrEqual(1000)
  expect(siege.verdicts.map(({ status, findings }) => ({ status, findings }))).toEqual(
    Array.from({ length: sessions }, () => ({ status: 'pass', findings: [] })),
  )
  // One honest session more came before the crowd, and nobody else has passed.
  const last = siege.reports.at(-1)!
  expect(last.statuses.pass).toBeLessThanOrEqual(sessions + 1)
  expect(Math.max(...siege.reports.map(({ mostResidentBytes }) => mostResidentBytes))).toBeLessThan(
    residentBound(siege.before.residentBytes),
  )
  // The memory of all channels was used up, so that it was the bound that held.
  expect(last.reasons['channel-lost']).toBeGreaterThan(0)
})
