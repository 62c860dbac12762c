// Runs honest engines through the checks until so many entries were seen, and exits non-zero if one was rejected. It may be
// interrupted: what was reached is kept in a file of its own, and the next run goes on from there.
//
//   --target 1e9        entries
//   --state <path>      where the counts are kept
//   --document          writes what was reached into docs/numerics.md, at the end
import { existsSync } from 'node:fs'
import { readFile, rename, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parseArgs } from 'node:util'
import { document, markdownTable } from './document.ts'
import { batchAt, type HonestCount, honestEngines, noCount, runBatch } from './honest-run.ts'

interface State {
  /** Batches done. */
  batches: number
  failures: string[]
  counts: Record<string, HonestCount>
}

const { values } = parseArgs({
  options: {
    target: { type: 'string', default: '1e9' },
    state: { type: 'string', default: join(tmpdir(), 'honest-entries.json') },
    document: { type: 'boolean', default: false },
  },
})
const target = Number(values.target)
if (!(target > 0)) throw new RangeError(`expected --target to be a number above 0, got ${values.target}`)

const engines = honestEngines()
const state: State = existsSync(values.state)
  ? JSON.parse(await readFile(values.state, 'utf8'))
  : { batches: 0, failures: [], counts: {} }
const saveEveryMs = 20_000

const total = (key: keyof HonestCount) => Object.values(state.counts).reduce((sum, count) => sum + count[key], 0)

async function save(): Promise<void> {
  const next = `${values.state}.next`
  await writeFile(next, JSON.stringify(state, null, 2))
  await rename(next, values.state)
  const seen = total('entries').toExponential(2)
  console.log(
    `${new Date().toISOString()} ${seen} entries, ${state.batches} batches, ${state.failures.length} rejected`,
  )
}

let isStopped = false
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => (isStopped = true))

let savedAt = performance.now()
while (!isStopped && total('entries') < target) {
  const batch = batchAt(engines, state.batches)
  const count = state.counts[batch.engine.name] ?? noCount()
  state.counts[batch.engine.name] = count
  const failures = await runBatch(batch, count)
  state.batches++
  state.failures.push(...failures.slice(0, 100))
  for (const failure of failures) console.error(`REJECTED: ${failure}`)
  if (performance.now() - savedAt < saveEveryMs) continue
  await save()
  savedAt = performance.now()
}
await save()

if (values.document) {
  const superscript = (digits: string) => digits.replaceAll(/\d/g, (digit) => '⁰¹²³⁴⁵⁶⁷⁸⁹'[Number(digit)]!)
  const scientific = (value: number) => {
    const [factor, power] = value.toExponential(2).split('e+')
    return value < 1e5 ? String(value) : `${factor}·10${superscript(power!)}`
  }
  const rows = engines.flatMap(({ name, profile }) => {
    const count = state.counts[name]
    if (count === undefined) return []
    const { entries, largestRatio, escalated, rejected, projected, tripped, inconclusive } = count
    const ratio = profile.sums === 'reproduced' ? '–' : largestRatio.toFixed(2)
    const counts = [escalated, projected, tripped, inconclusive, rejected].map(scientific)
    return [[name, profile.name, scientific(entries), ratio, ...counts]]
  })
  const columns = [
    'engine',
    'profile',
    'entries',
    'largest e/ν',
    'escalated',
    'rows by vectors',
    'recomputed',
    'inconclusive rows',
    'rejected',
  ]
  await document(
    'honest-entries',
    `${scientific(total('entries'))} entries, ${total('rejected')} rejected: of 9 kinds of data (Gaussian, post-ReLU, heavy-tailed, all positive, cancelling,
constant, stagnating, periodic, alternating), with sums of 1 to 16384 terms, most of them of 16 to 250. The structured kinds
are what is escalated, and rows that cancel are what is inconclusive.

${markdownTable(columns, rows)}`,
  )
}
process.exitCode = state.failures.length === 0 && total('rejected') === 0 ? 0 : 1
