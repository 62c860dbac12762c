import { maxFindings, rows } from '@tensor-assay/core'
import { describe, expect, test } from 'vitest'
import type { CheckedRows } from '../src/check.ts'
import { interactive, receipt } from '../src/index.ts'
import { Ledger } from '../src/ledger.ts'

const checked = (count: number, changes: Partial<CheckedRows> = {}): CheckedRows => ({
  rows: count,
  entries: 10 * count,
  vectors: 2 * count,
  largestRatio: 1,
  sumSquaredRatio: count,
  informativeEntries: 10 * count,
  escalations: 0,
  guards: 0,
  partialRows: 0,
  drowned: false,
  findings: [],
  ...changes,
})
const shape = (count: number) => ({ rows: count, k: 64, n: 64, right: 'weight' }) as const
const reasons = (ledger: Ledger) => ledger.verdict('', '').findings.map(({ reason }) => reason)

describe('a verdict that passes', () => {
  test('needs rows that were checked', () => {
    expect(reasons(new Ledger(interactive(), 0))).toEqual(['nothing-sampled'])
    const ledger = new Ledger(interactive(), 0)
    ledger.checked(checked(1))
    expect(ledger.verdict('', '').status).toBe('pass')
  })

  test('needs as many as the policy asks for', () => {
    for (const [count, expected] of [
      [3, ['too-few-rows']],
      [4, []],
      [5, []],
    ] as const) {
      const ledger = new Ledger(interactive({ minRows: 4 }), 0)
      ledger.checked(checked(count))
      expect(reasons(ledger)).toEqual(expected)
    }
  })
})

describe('findings', () => {
  test('are all counted, and the worst are listed, however many milder ones there are', () => {
    const ledger = new Ledger(interactive(), 0)
    ledger.checked(checked(1))
    for (let i = 0; i < 100; i++) ledger.find('operation-opaque', `mild ${i}`)
    ledger.find('value-out-of-tolerance', 'bad')
    for (let i = 0; i < 100; i++) ledger.find('operation-opaque', `mild ${i}`)
    const { status, findings, findingCount } = ledger.verdict('', '')
    expect({ status, findingCount, listed: findings.length }).toEqual({
      status: 'fail',
      findingCount: 201,
      listed: maxFindings,
    })
    expect(findings[0]).toMatchObject({ reason: 'value-out-of-tolerance', message: 'bad' })
  })

  test('that are not listed any more still make the status', () => {
    const ledger = new Ledger(interactive(), 0)
    ledger.checked(checked(1))
    for (let i = 0; i < 100; i++) ledger.find('channel-lost', `lost ${i}`)
    ledger.find('tolerance-guard', 'of a row')
    expect(ledger.verdict('', '').status).toBe('incomplete')
    for (let i = 0; i < 40; i++) ledger.find('value-out-of-tolerance', 'bad')
    expect(ledger.verdict('', '').status).toBe('fail')
    expect(ledger.isBeyondDoubt).toBe(true)
  })

  test('that are mild leave something in doubt, however many there are', () => {
    const ledger = new Ledger(interactive(), 0)
    for (let i = 0; i < 100; i++) ledger.find('operation-opaque', `mild ${i}`)
    expect(ledger.isBeyondDoubt).toBe(false)
  })
})

describe('what is claimed', () => {
  const sampler = rows({ atLeast: 4, rate: 0 })

  test('is nothing where nothing was audited', () => {
    const ledger = new Ledger(interactive({ sampler }), 0)
    ledger.declared(shape(40))
    const { detection } = ledger.verdict('', '')
    expect(detection).toMatchObject({ oneRow: 0, power: 0, badRowsBelow95: 1 })
    for (const { inOneOperation, inEveryOperation } of detection.byFraction) {
      expect([inOneOperation, inEveryOperation]).toEqual([0, 0])
    }
  })

  test('of one operation holds for the one in which it is hardest, whatever comes after it', () => {
    for (const order of [
      [10, 1000, 20],
      [1000, 10, 20],
      [10, 20, 1000],
    ]) {
      const ledger = new Ledger(interactive({ sampler }), 0)
      for (const count of order) {
        ledger.declared(shape(count))
        ledger.audited(shape(count))
      }
      const { oneRow, byFraction } = ledger.verdict('', '').detection
      expect(oneRow).toBeCloseTo(sampler.detectionProbability(shape(1000), { rows: 1 }), 12)
      const half = sampler.detectionProbability(shape(1000), { rows: 500 })
      expect(byFraction.find(({ fraction }) => fraction === 0.5)!.inOneOperation).toBeCloseTo(half, 2)
    }
  })

  test('counts the rate at which operations are audited', () => {
    const detection = (operationRate: number) => {
      const ledger = new Ledger(interactive({ sampler, operationRate }), 0)
      ledger.declared(shape(40))
      ledger.audited(shape(40))
      return ledger.verdict('', '').detection
    }
    expect(detection(0.25).oneRow).toBeCloseTo(detection(1).oneRow / 4, 12)
    for (const [i, { inOneOperation }] of detection(0.25).byFraction.entries()) {
      expect(inOneOperation).toBeCloseTo(detection(1).byFraction[i]!.inOneOperation / 4, 12)
    }
  })

  test('of a receipt is the work of an attempt times the attempts, and never more than the hash holds', () => {
    const policy = receipt({ sampler, iterations: 1024 })
    const ledger = new Ledger(policy, 0)
    ledger.receiptIterations = 1024
    const bits = () =>
      ledger.verdict('', '').detection.byFraction.find(({ fraction }) => fraction === 0.5)!.receiptBits!
    expect(bits()).toBeCloseTo(10, 12)
    ledger.audited(shape(1000))
    // Four of 999 rows, half of which are wrong.
    expect(bits()).toBeGreaterThan(10 + 4 - 0.1)
    for (let i = 0; i < 40; i++) ledger.audited(shape(1000))
    expect(bits()).toBe(128)
  })
})

test('a ratio that is infinite, or an error that nobody sees, leaves the statistics numbers', () => {
  const ledger = new Ledger(interactive(), 0)
  ledger.checked(checked(1, { largestRatio: Number.POSITIVE_INFINITY, visibleError: Number.NaN }))
  const { statistics, detection } = ledger.verdict('', '')
  expect(statistics.largestRatio).toBe(Number.MAX_VALUE)
  expect(detection.visibleError).toBeUndefined()
})
