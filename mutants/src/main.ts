// Puts one mistake after another into the verifier and has its tests run. Exits non-zero if one of them goes unnoticed.
import { execFile } from 'node:child_process'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { idOf } from './apply.ts'
import { mutants } from './list/index.ts'

const { values } = parseArgs({ options: { only: { type: 'string', default: '' }, list: { type: 'boolean' } } })

/** For the tests of one mutant: one that makes them hang is noticed as well. */
const timeoutMs = 600_000

const root = fileURLToPath(new URL('../..', import.meta.url))
const chosen = mutants.filter((mutant) => idOf(mutant).includes(values.only))
if (chosen.length === 0) throw new RangeError(`no mutant has ${JSON.stringify(values.only)} in its name`)

interface Outcome {
  /** `unclear`: the tests did not run, which proves nothing. */
  readonly kind: 'killed' | 'survived' | 'unclear'
  readonly by: string
}

/** Results of vitest, as far as they are looked at. */
interface Results {
  readonly numPassedTests: number
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly fullName: string }[]
  }[]
}

async function run(tests: readonly string[], mutant: string | undefined): Promise<Outcome> {
  const folder = await mkdtemp(join(tmpdir(), 'mutant-'))
  const file = join(folder, 'results.json')
  const cli = join(root, 'node_modules/vitest/vitest.mjs')
  const args = [cli, 'run', '--config', 'mutants/vitest.config.ts', '--reporter=json', `--outputFile=${file}`, ...tests]
  const env = { ...process.env, ...(mutant !== undefined && { MUTANT: mutant }) }
  try {
    const { late, said } = await new Promise<{ late: boolean; said: string }>((resolve) => {
      execFile(
        process.execPath,
        args,
        { cwd: root, env, timeout: timeoutMs, maxBuffer: 2 ** 28 },
        (error, out, err) => {
          resolve({ late: error?.killed === true, said: `${out}${err}`.slice(-2000) })
        },
      )
    })
    if (late) return { kind: 'killed', by: `no end within ${timeoutMs / 1000} s` }
    const text = await readFile(file, 'utf8').catch(() => undefined)
    if (text === undefined) return { kind: 'unclear', by: said }
    const results = JSON.parse(text) as Results
    const all = results.testResults.flatMap(({ assertionResults }) => assertionResults)
    const failed = all.find(({ status }) => status === 'failed')
    if (failed) return { kind: 'killed', by: failed.fullName }
    if (results.numPassedTests === 0) return { kind: 'unclear', by: 'not one test ran' }
    return { kind: 'survived', by: `${results.numPassedTests} tests passed` }
  } finally {
    await rm(folder, { recursive: true })
  }
}

if (values.list) {
  for (const mutant of chosen) console.log(`${idOf(mutant)}\n    ${mutant.why}`)
} else {
  const tests = [...new Set(chosen.flatMap((mutant) => mutant.tests))]
  const honest = await run(tests, undefined)
  if (honest.kind !== 'survived') throw new Error(`the tests fail as they are: ${honest.by}`)
  const counts = { killed: 0, survived: 0, unclear: 0 }
  for (const mutant of chosen) {
    const { kind, by } = await run(mutant.tests, idOf(mutant))
    counts[kind]++
    console.log(`${kind.padEnd(8)} ${idOf(mutant)}\n         ${by}`)
  }
  console.log(
    `\n${counts.killed} of ${chosen.length} mutants killed, ${counts.survived} survived, ${counts.unclear} unclear`,
  )
  process.exitCode = counts.killed === chosen.length ? 0 : 1
}
