// Measures which cheats are caught, and writes the tables of docs/numerics.md. Exits non-zero if an honest run is rejected
// or a cheat goes unseen that must be caught. With --quick nothing is written, and sizes are small.
import { parseArgs } from 'node:util'
import {
  allPositive,
  type Family,
  gaussian,
  heavyTailed,
  postRelu,
} from '../../packages/core/test/numerics/families.ts'
import { type Cheat, cheats, honest } from './cheats.ts'
import { document, markdownTable } from './document.ts'
import { onnxEngine } from './engines.ts'
import { powerOfAudits, powerOfRows } from './real-power.ts'
import { lowerBound, noPower, type Power, type Shape, type Subject, simulate } from './simulate.ts'
import { subjects } from './subjects.ts'

const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } })
const shapes: readonly Shape[] = values.quick
  ? [{ k: 256, n: 64, rows: 16, sessions: 1 }]
  : [
      { k: 256, n: 192, rows: 64, sessions: 4 },
      { k: 1024, n: 128, rows: 64, sessions: 2 },
      { k: 4096, n: 128, rows: 64, sessions: 1 },
      { k: 16384, n: 64, rows: 32, sessions: 1 },
    ]
const realShape = values.quick ? ([8, 256, 64] as const) : ([64, 4096, 256] as const)
/** Sessions of a cell in which some rows are caught and others are not. */
const mostSessions = values.quick ? 1 : 8
/** What a float32 engine must not get away with at k = 4096. */
const required = [
  'bfloat16 weights',
  'int8 weights per channel',
  'TF32 arithmetic',
  '1% of the terms dropped',
  'noise of 1e-3',
]

const failures: string[] = []
const alarms = { entries: 0, rows: 0, sessions: 0, caught: 0 }

/** Probability that 64 rows show a cheat, from the lower end of the 95% interval of what one row shows. */
function ofRows({ rows, rowsCaught }: Power): number {
  return 1 - (1 - lowerBound(rowsCaught, rows)) ** 64
}

function sum(a: Power, b: Power): Power {
  const total = noPower()
  for (const key of Object.keys(total) as (keyof Power)[]) total[key] = a[key] + b[key]
  return total
}

function measure(subject: Subject, family: Family, cheat: Cheat, shape: Shape): Power {
  let power = simulate(subject, family, cheat, shape, 1)
  const isUndecided = () => power.sessionsCaught > 0 && ofRows(power) <= 0.999
  for (let seed = 2; isUndecided() && power.sessions < mostSessions; seed++) {
    power = sum(power, simulate(subject, family, cheat, { ...shape, sessions: 1 }, seed))
  }
  return power
}

function percent(part: number, whole: number): string {
  if (whole === 0) return '–'
  if (part === 0 || part === whole) return part === 0 ? '0%' : '100%'
  const value = Math.min((100 * part) / whole, 99.9)
  return `${value.toFixed(value < 10 || value > 90 ? 1 : 0)}%`
}

/** Entry, row and session. */
function cell(power: Power): string {
  const session = ofRows(power) > 0.999 ? '> 0.999' : `${power.sessionsCaught} of ${power.sessions}`
  return `${percent(power.entriesCaught, power.entries)} · ${percent(power.rowsCaught, power.rows)} · ${session}`
}

/** Counts what must not happen. */
function judge(what: string, cheat: Cheat, power: Power, isRequired: boolean): void {
  if (cheat === honest) {
    alarms.entries += power.entries
    alarms.rows += power.rows
    alarms.sessions += power.sessions
    alarms.caught += power.entriesCaught + power.rowsCaught + power.sessionsCaught
    if (power.sessionsCaught > 0) failures.push(`${what}: an honest session is rejected`)
  } else if (isRequired && ofRows(power) <= 0.999) failures.push(`${what}: ${cheat.name} is caught too rarely`)
}

/** Left out: nothing changes, or nothing but what the profile allows. An integer of 8 bits is a bfloat16, for example. */
const isHonest: Readonly<Record<string, readonly string[]>> = {
  tf32: ['TF32 arithmetic', 'float16 weights'],
  float16: ['float16 weights', 'TF32 arithmetic'],
  bfloat16: ['bfloat16 weights', 'bfloat16 arithmetic', 'TF32 arithmetic', 'float16 weights'],
  int8: ['bfloat16 weights', 'float16 weights', 'TF32 arithmetic', 'bfloat16 arithmetic'],
}

function subjectSection(subject: Subject): string {
  const skipped = isHonest[subject.profile.name] ?? []
  const rows = [honest, ...cheats.filter(({ name }) => !skipped.includes(name))].map((cheat) => {
    const cells = shapes.map((shape) => {
      const power = measure(subject, gaussian, cheat, shape)
      const isRequired = subject.name === 'float32' && shape.k === 4096 && required.includes(cheat.name)
      judge(`${subject.name}, k = ${shape.k}`, cheat, power, isRequired)
      return cell(power)
    })
    console.log([subject.name, cheat.name, ...cells].join(' | '))
    return [cheat.name, ...cells]
  })
  const columns = ['', ...shapes.map(({ k }) => `k = ${k}`)]
  return `### ${subject.name}\n\nEngine: ${subject.engine}.\n\n${markdownTable(columns, rows)}`
}

function familySection(): string {
  const [subject, shape] = [subjects[0]!, shapes[Math.min(2, shapes.length - 1)]!]
  const families = [postRelu, heavyTailed, allPositive]
  const rows = [honest, ...cheats].map((cheat) => {
    const cells = families.map((family) => {
      const power = measure(subject, family, cheat, shape)
      judge(`float32, ${family.name}`, cheat, power, false)
      return cell(power)
    })
    console.log(['families', cheat.name, ...cells].join(' | '))
    return [cheat.name, ...cells]
  })
  return markdownTable(['', ...families.map(({ name }) => name)], rows)
}

async function realSection(): Promise<string> {
  const sessions = values.quick ? 1 : 2
  const onnx = onnxEngine()
  const rows: string[][] = []
  for (const cheat of [honest, ...cheats]) {
    const powers = [
      await powerOfAudits('cpu', cheat, realShape, sessions, 1),
      await powerOfAudits('wasm', cheat, realShape, sessions, 2),
      await powerOfRows(onnx, cheat, realShape, sessions, 3),
    ]
    for (const power of powers) judge('real engines', cheat, power, !values.quick && required.includes(cheat.name))
    rows.push([cheat.name, ...powers.map(cell)])
    console.log(['real', ...rows.at(-1)!].join(' | '))
  }
  return markdownTable(['', 'TensorFlow.js cpu', 'TensorFlow.js wasm', 'ONNX Runtime CPU'], rows)
}

const sections = subjects.map(subjectSection)
const byFamily = familySection()
const real = await realSection()
const [m, k, n] = realShape
const text = `
Each cell: share of the wrong entries that are rejected when checked alone · share of the rows that are rejected, with 64
entries, the smallest of 16 bits and 2 vectors · a session of 64 such rows: \`> 0.999\` where the rows alone give that (by
the lower end of a one-sided 95% interval), else how many of the simulated sessions were caught by a row or by all errors
together. Simulated rows have ${shapes.map((s) => `${s.n} columns at k = ${s.k}`).join(', ')}; A and B are Gaussian.

False alarms in the rows named "honest" of all tables: ${alarms.caught} in ${alarms.entries} entries, ${alarms.rows} rows and ${alarms.sessions} sessions.

${sections.join('\n\n')}

### float32 on other data, k = ${shapes[Math.min(2, shapes.length - 1)]!.k}

${byFamily}

### Real engines, float32, A ${m}×${k}, B ${k}×${n}

TensorFlow.js through whole audits (a prover, a verifier with the default policy and 64 sampled rows, a transport in
memory), ONNX Runtime row by row; the libraries multiply what the cheat says.

${real}
`
if (!values.quick) await document('power-table', text)
for (const failure of failures) console.error(`FAILED: ${failure}`)
process.exitCode = failures.length === 0 ? 0 : 1
