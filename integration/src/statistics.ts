// The statistical claims at length: honest audits never fail, and wrong rows are caught at the claimed rate.
//
//   npm run statistics -- --audits 10000 --seed 0
import { parseArgs } from 'node:util'
import { badRows, otherClaims } from '../support/experiments.ts'
import { type HonestAudits, honestAudits } from '../support/honest-audits.ts'
import { claimsTooLittle, claimsTooMuch, contradiction, measure, type Rate } from '../support/rates.ts'
import { tfBackends } from '../support/tensorflow.ts'

const { values } = parseArgs({
  options: { audits: { type: 'string', default: '10000' }, seed: { type: 'string', default: '0' } },
})
const audits = count('audits', values.audits, 1)
const seed = count('seed', values.seed, 0)
let problems = 0

for (const backend of tfBackends) {
  console.log(`honest products on tfjs ${backend}, ${audits} audits …`)
  report(await honestAudits(backend, { audits, first: seed }))
}
console.log(
  `\nwrong rows, ${audits} audits each; measured: interval that misses the truth with probability ${contradiction}`,
)
for (const experiment of [...badRows, ...otherClaims]) {
  const rate = await measure(experiment, audits, seed)
  const isWrong = claimsTooMuch(rate) || claimsTooLittle(rate)
  if (isWrong) problems++
  console.log(`${isWrong ? 'WRONG' : 'ok   '} ${experiment.name}: ${describe(rate)}`)
}
process.exitCode = problems === 0 ? 0 : 1

function report({ passed, empty, untelling, others, wrong, largestRatio }: HonestAudits): void {
  problems += wrong.length
  const rest = Object.entries(others).map(([reason, times]) => `, ${times} ${reason}`)
  console.log(
    `${wrong.length === 0 ? 'ok   ' : 'WRONG'} ${passed} passed, ${empty} empty and ${untelling} untelling and inconclusive${rest.join('')}`,
  )
  console.log(`      largest error ${largestRatio.toFixed(2)} ν, of 4 accepted at once`)
  for (const { seed: at, product, verdict } of wrong.slice(0, 10)) {
    console.log(`      seed ${at}: ${product}: ${verdict.status}: ${verdict.findings[0]?.message}`)
  }
}

function describe({ audits: of, caught, claimed, measured: { low, high } }: Rate): string {
  return `claimed ${claimed.toFixed(4)}, caught ${caught} of ${of}, so ${low.toFixed(4)} to ${high.toFixed(4)}`
}

function count(name: string, text: string, least: number): number {
  const value = Number(text)
  if (Number.isInteger(value) && value >= least) return value
  throw new RangeError(`--${name} must be an integer >= ${least}, got ${text}`)
}
