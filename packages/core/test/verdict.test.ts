import { expect, test } from 'vitest'
import { type FindingReason, findingReasons, statuses, statusOf } from '../src/verdict.ts'

test('the worst of all findings makes the status, in whatever order they come', () => {
  expect(statusOf([])).toBe('pass')
  const one = (status: string) => Object.entries(findingReasons).find(([, of]) => of === status)![0] as FindingReason
  const [inconclusive, incomplete, fail] = [one('inconclusive'), one('incomplete'), one('fail')]
  expect(statusOf([inconclusive])).toBe('inconclusive')
  expect(statusOf([inconclusive, incomplete])).toBe('incomplete')
  expect(statusOf([incomplete, inconclusive])).toBe('incomplete')
  expect(statusOf([fail, incomplete, inconclusive])).toBe('fail')
  expect(statusOf([inconclusive, incomplete, fail])).toBe('fail')
})

test('every reason asks for something else than a pass', () => {
  for (const reason of Object.keys(findingReasons) as FindingReason[]) {
    expect(statusOf([reason])).not.toBe('pass')
    expect(statuses).toContain(statusOf([reason]))
  }
})
