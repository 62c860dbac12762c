import { expect, test } from 'vitest'
import type { Comparison, Spread } from '../src/measure.ts'
import type { ArmResult } from '../src/overhead.ts'
import { overheadSection } from '../src/overhead-section.ts'
import { renderMachine, renderSection } from '../src/report.ts'

const around = (median: number): Spread => ({ lower: median - 1, median, upper: median + 1 })
const over = (median: number, outcome: Comparison['outcome']) => {
  const comparison: Comparison = {
    relative: { lower: median, median, upper: median },
    interval: [median - 0.01, median + 0.01],
    confidence: 0.96,
    outcome,
  }
  return { call: comparison, drained: comparison, cpu: comparison }
}
const times = { callMs: around(40), drainedMs: around(50), cpuMs: around(60) }
const session = { firstCallMs: around(45), rowsPerRun: 5, bytesPerRun: 2048, checkMsPerRun: 4 }
const arms: ArmResult[] = [
  { name: 'plain', role: 'baseline', ...times },
  { name: 'plain again', role: 'null', ...times, over: over(0.001, 'within noise') },
  { name: 'interactive', role: 'mode', ...times, over: over(0.05, 'slower'), session },
  { name: 'multiply twice', role: 'control', ...times, over: over(-0.5, 'faster') },
]
const parts = { copying: 0.5, identifying: 4, hashing: 6, opening: 0.1, sending: 0.2 }
const result = { productsPerRun: 1, effort: { rounds: 12, calls: 5, batch: 10 }, arms, failures: ['it went wrong'] }

test('a section says what was measured, against what, and what is wrong with it', () => {
  const section = overheadSection('a product', result, parts)
  const text = renderSection(section)
  const line = (start: string) => text.split('\n').find((candidate) => candidate.startsWith(start))
  expect(line('plain again')).toContain('+0.1% [−0.9, +1.1] noise')
  expect(line('interactive  ')).toContain('+5.0% [+4.0, +6.0] ')
  expect(line('interactive  ')).not.toContain('noise')
  expect(line('control: multiply twice')).toContain('−50.0%')
  expect(line('FAILED: it went wrong')).toBeDefined()
  expect(text).toContain('96% interval')
  // 5% of 40 ms, of which copying explains 0.5 ms.
  expect(line('the rest of a call')).toMatch(/1\.500 +3\.75%/)
  expect(line('hashing')).toMatch(/6\.000 +15\.00%/)
  expect(text).toMatch(/interactive +45\.0 \[44\.0, 46\.0\] +5\.0 +2\.0 KiB +4\.00 +10\.00%/)
  expect(JSON.parse(JSON.stringify(section.data))).toEqual({ ...result, parts })
})

test('columns are aligned', () => {
  const rows = renderSection({
    title: 't',
    tables: [{ columns: ['', 'x'], rows: [['long name', '1']] }],
    notes: [],
    failures: [],
    data: 0,
  })
    .split('\n')
    .slice(-3)
  expect(rows).toEqual(['            x', 'long name   1', ''])
})

test('the machine is named, and said not to be idle where it is not', () => {
  const idle = { cpu: 'a cpu', cores: 2, system: 'linux', node: 'v20', load: 0.1 }
  expect(renderMachine(idle, { tfjs: '4.22.0' })).toBe('a cpu, 2 cores, linux, Node v20\ntfjs 4.22.0\n')
  expect(renderMachine({ ...idle, load: 1.5 }, {})).toContain('not idle: 1.5 processes')
})
