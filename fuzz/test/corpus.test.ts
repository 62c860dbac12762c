import { afterAll, expect, test } from 'vitest'
import { loadCorpus } from '../src/corpus.ts'
import { judge } from '../src/judge.ts'
import { installMeter } from '../src/meter.ts'
import { targetNamed, targetNames } from '../src/targets/index.ts'

const meter = installMeter()
afterAll(() => meter.remove())

test.each(targetNames)('%s keeps its promises for every saved input', async (name) => {
  const target = await targetNamed(name)
  const inputs = await loadCorpus(name)
  expect(inputs.length, 'saved inputs: npm run fuzz -- --save').toBeGreaterThan(0)
  for (const input of inputs) {
    const { problem } = await judge(target, input, meter)
    expect(problem, `input ${Buffer.from(input).toString('hex')}`).toBeUndefined()
  }
})
