// Measures what an audit costs. Exits non-zero if a control does not show what it must, or a session checks nothing.
import { writeFile } from 'node:fs/promises'
import { parseArgs } from 'node:util'
import { machine } from './machine.ts'
import { seededRandom } from './measure.ts'
import { numericsSuite } from './numerics.ts'
import { onnxSuite } from './onnx.ts'
import { renderMachine, renderSection, type Section, type Suite } from './report.ts'
import { tfjsSuite } from './tfjs.ts'
import { transportsSuite } from './transports.ts'

const suites: readonly Suite[] = [tfjsSuite, onnxSuite, numericsSuite, transportsSuite]

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    only: { type: 'string', default: '' },
    json: { type: 'string' },
    seed: { type: 'string', default: String(Date.now() % 2 ** 31) },
  },
})
const { quick, only, json } = values
const seed = Number(values.seed)
if (!Number.isSafeInteger(seed)) throw new RangeError(`expected --seed to be an integer, got ${values.seed}`)

const where = machine()
const versions = Object.assign({}, ...suites.map((suite) => suite.versions)) as Record<string, string>
const sections: (Section & { suite: string })[] = []
console.log(renderMachine(where, versions))
console.log(
  'The prover runs in this process, the verifier in one of its own, over TCP, so that its checks take no turn of the',
)
console.log(`prover's event loop. Order of the arms drawn from seed ${seed}.`)

for (const suite of suites) {
  const found = suite.run({
    quick,
    wants: (title) => title.includes(only),
    random: seededRandom(seed),
    onProgress: (what) => process.stderr.isTTY && process.stderr.write(`\r\x1b[K${what}`),
  })
  for await (const section of found) {
    if (process.stderr.isTTY) process.stderr.write('\r\x1b[K')
    console.log(renderSection(section))
    sections.push({ suite: suite.name, ...section })
  }
}

const failures = sections.flatMap((section) => section.failures.map((failure) => `${section.title}: ${failure}`))
if (sections.length === 0) failures.push(`nothing was measured: no section has ${JSON.stringify(only)} in its title`)
if (json !== undefined) {
  const measured = sections.map(({ suite, title, data }) => ({ suite, title, data }))
  await writeFile(
    json,
    `${JSON.stringify({ machine: where, versions, quick, seed, failures, sections: measured }, null, 2)}\n`,
  )
}
console.log(failures.length === 0 ? '\nevery control shows what it must' : `\n${failures.join('\n')}`)
process.exitCode = failures.length === 0 ? 0 : 1
