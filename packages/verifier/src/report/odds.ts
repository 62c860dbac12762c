import type { Verdict } from '@tensor-assay/core'
import { fractionBound, probability, visible } from './numbers.ts'
import { hanging, heading, type Line } from './text.ts'

type Odds = Verdict['detection']['byFraction'][number]

/** With what probability wrong rows would have been opened, and what is seen of a row that is. */
export function oddsLines(verdict: Verdict, width: number): Line[] {
  const { detection, coverage } = verdict
  if (coverage.audited === 0) return []
  const lines = heading('Probability that a wrong row is among those opened', width)
  const bits = detection.byFraction.some(({ receiptBits }) => receiptBits !== undefined)
  const row = (...cells: readonly string[]) => lines.push({ text: tableRow(cells, bits).trimEnd() })
  row('  wrong', 'in one operation', 'in every one', 'to forge')
  row('  one row', probability(detection.oneRow), '', '')
  for (const odds of detection.byFraction) {
    row(
      `  ${odds.fraction === 1 ? 'all rows' : `${Number((100 * odds.fraction).toPrecision(3))}% of the rows`}`,
      probability(odds.inOneOperation),
      probability(odds.inEveryOperation),
      work(odds),
    )
  }
  for (const sentence of sentences(verdict, bits)) lines.push(...hanging('  ', sentence, width))
  return lines
}

/** The one figure, where there is room for one. */
export function oddsInShort({ detection, coverage, claim }: Verdict): string | undefined {
  const half = detection.byFraction.find(({ fraction }) => fraction === 0.5)
  if (half === undefined || coverage.audited === 0) return undefined
  if (claim === 'cost') return `half of the rows of every product wrong: ${work(half)} hashes to forge`
  const accidents = claim === 'fault' ? ' by accident' : ''
  const p = probability(half.inOneOperation)
  return `if half of the rows of a product were wrong${accidents}, one would be opened with probability ${p}`
}

function sentences(verdict: Verdict, bits: boolean): string[] {
  const { detection, statistics } = verdict
  const { visibleError, power } = detection
  const said = ['In one operation: the declared product where it is hardest to catch.']
  if (bits) {
    said.push('To forge: hashes until no challenge shows what is wrong, if every operation has as many wrong rows.')
  }
  if (visibleError !== undefined) {
    const size = visible(visibleError)
    said.push(
      `A row checked in full is seen to be wrong with probability ${power} if its error is ${size} of its size.`,
    )
  }
  if (statistics.vectors === 0 && verdict.status !== 'fail') {
    said.push('Where only entries of a row were recomputed, what is wrong between them goes unseen.')
  }
  if (isClean(verdict)) {
    const [at95, at99] = [detection.badRowsBelow95, detection.badRowsBelow99].map(fractionBound)
    const condition = { fault: ', if errors are accidents', cost: ', if it is the first attempt' }
    const { claim, coverage } = verdict
    // One row of each product may be in every plan.
    const drawn = Math.max(0, statistics.rows - coverage.audited)
    const only = claim === 'fault' || claim === 'cost' ? condition[claim] : ''
    const rows = drawn === 1 ? 'One clean row drawn at random' : `${drawn} clean rows drawn at random`
    said.push(
      `${rows}: at most ${at95} of the rows of the audited operations are wrong with 95% confidence, ${at99} with 99%${only}.`,
    )
  }
  return said
}

/** Whether every row that was opened was found to be right, which a bound on the wrong ones needs. */
function isClean({ status, statistics, coverage, claim }: Verdict): boolean {
  return status !== 'fail' && claim !== 'none' && statistics.rows > coverage.audited && statistics.guards === 0
}

function work({ receiptBits }: Odds): string {
  return receiptBits === undefined ? '' : `2^${Math.floor(receiptBits)}`
}

function tableRow([label = '', one = '', every = '', forge = '']: readonly string[], bits: boolean): string {
  return `${label.padEnd(17)}${one.padStart(17)}${every.padStart(14)}${bits ? forge.padStart(10) : ''}`
}
