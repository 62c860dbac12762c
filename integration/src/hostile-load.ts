// A verifier under a thousand hostile connections, at length: honest sessions pass, and its memory does not grow.
//
//   npm run hostile-load -- --minutes 60 --connections 1200
import { parseArgs } from 'node:util'
import { besiege, residentBound } from '../support/besieged.ts'

const { values } = parseArgs({
  options: { minutes: { type: 'string', default: '10' }, connections: { type: 'string', default: '1200' } },
})
const sessionSeconds = 10
const minutes = number('minutes', values.minutes)
const connections = number('connections', values.connections)
const began = performance.now()
const mib = (bytes: number) => `${Math.round(bytes / 2 ** 20)} MiB`

const { verdicts, before, reports, made } = await besiege({
  connections,
  sessions: Math.max(1, Math.round((60 * minutes) / sessionSeconds)),
  steps: 5,
  sessionSeconds,
  onSession({ status, findings }, { mostResidentBytes, mostChannels, statuses, reasons }) {
    const seconds = Math.round((performance.now() - began) / 1000)
    const others = Object.entries(reasons).map(([reason, times]) => `${times} ${reason}`)
    const ended = Object.entries(statuses).map(([name, times]) => `${times} ${name}`)
    const why = findings.map(({ message }) => message).join('; ')
    console.log(
      `${String(seconds).padStart(6)} s  honest: ${status}${why && ` (${why})`}; memory at most ${mib(mostResidentBytes)}; ${mostChannels} channels at most; verdicts so far: ${ended.join(', ')}; for ${others.join(', ')}`,
    )
  },
})
const bound = residentBound(before.residentBytes)
const most = Math.max(...reports.map(({ mostResidentBytes }) => mostResidentBytes))
const failed = verdicts.filter(({ status }) => status !== 'pass').length
console.log(
  `\n${verdicts.length} honest sessions, ${failed} of them without a pass; ${made} hostile connections; memory at most ${mib(most)}, of ${mib(bound)}`,
)
process.exitCode = failed === 0 && most < bound ? 0 : 1

function number(name: string, text: string): number {
  const value = Number(text)
  if (value > 0) return value
  throw new RangeError(`--${name} must be a number above 0, got ${text}`)
}
