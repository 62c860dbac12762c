import { expect, test } from 'vitest'
import { batchAt, honestEngines, noCount, runBatch } from '../numerics/honest-run.ts'

// `npm run honest-entries` does the same for as long as one likes.
test('ten million entries of honest engines, real and emulated, are not rejected', { timeout: 300_000 }, async () => {
  const engines = honestEngines()
  const counts = new Map(engines.map(({ name }) => [name, noCount()]))
  const failures: string[] = []
  let entries = 0
  for (let index = 0; entries < 1e7; index++) {
    const batch = batchAt(engines, index, 8)
    const count = counts.get(batch.engine.name)!
    failures.push(...(await runBatch(batch, count)))
    entries = [...counts.values()].reduce((sum, { entries: seen }) => sum + seen, 0)
  }
  expect(failures).toEqual([])
  for (const [name, count] of counts) expect(count.entries, name).toBeGreaterThan(1e5)
})
