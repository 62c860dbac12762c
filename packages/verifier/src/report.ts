import type { Status, Verdict } from '@tensor-assay/core'
import { checkedLines, uncheckedLines } from './report/coverage.ts'
import { counted } from './report/numbers.ts'
import { oddsInShort, oddsLines } from './report/odds.ts'
import { explanation, placeOf, reasonLines } from './report/reasons.ts'
import { sessionLines } from './report/session.ts'
import { hanging, type Line, render, type Style } from './report/text.ts'

export interface DescribeOptions {
  /** Longest line, characters; 80, and never below 60. */
  readonly width?: number
  /** Whether to use ANSI colours; false. */
  readonly color?: boolean
  /** `full` unless given. `brief`: status, worst finding and one figure, in a few lines. */
  readonly detail?: 'full' | 'brief'
  /** Findings that are spelled out, the worst first; 8. The others are counted. */
  readonly findings?: number
}

/**
 * A verdict as text for people: what was found, with the numbers, what was checked and what was not, and with what
 * probability something wrong would have been seen. It claims what the verdict claims and no more: figures are rounded to
 * the side that promises less.
 *
 * What the other side wrote (names, messages) is shown without anything that a terminal would act upon. Whether signatures
 * are genuine was for those to decide who received them: the text repeats what the verdict says.
 *
 * @throws {RangeError} If `width` or `findings` is not a positive integer.
 *
 * @example
 * ```ts
 * const verdict = await verifier.accept(channel)
 * console.log(describeVerdict(verdict, { width: process.stdout.columns ?? 80, color: process.stdout.isTTY }))
 * ```
 */
export function describeVerdict(verdict: Verdict, options: DescribeOptions = {}): string {
  const { color = false, detail = 'full', findings = 8 } = options
  for (const [name, value] of Object.entries({ width: options.width ?? 80, findings })) {
    if (!Number.isInteger(value) || value < 1) throw new RangeError(`${name} must be an integer >= 1, got ${value}`)
  }
  const width = Math.max(60, options.width ?? 80)
  if (detail === 'brief') return render(briefLines(verdict, width), color)
  const sections = [
    [...statusLines(verdict, statusSentences[verdict.status], width), ...sessionLines(verdict, width)],
    reasonLines(verdict, findings, width),
    // Without a verifier's verdict there is nothing to account for.
    ...(verdict.claim === 'none'
      ? []
      : [checkedLines(verdict, width), uncheckedLines(verdict, width), oddsLines(verdict, width)]),
  ]
  const filled = sections.filter((lines) => lines.length > 0)
  return render(
    filled.flatMap((lines, i) => (i === 0 ? lines : [{ text: '' }, ...lines])),
    color,
  )
}

const statusSentences: Readonly<Record<Status, string>> = {
  pass: 'Everything that was declared was checked as the policy asks, and nothing was wrong.',
  fail: 'A value, a commitment or a claim of the prover is wrong.',
  incomplete: 'The audit did not get to its end, or the prover left operations out.',
  inconclusive: 'Nothing is wrong, and too little was seen to say more.',
}

const styles: Readonly<Record<Status, Style>> = {
  pass: 'good',
  fail: 'bad',
  incomplete: 'doubtful',
  inconclusive: 'doubtful',
}

function statusLines({ status }: Verdict, sentence: string, width: number): Line[] {
  const word = status.toUpperCase()
  const [first, ...rest] = hanging(`${word}  `, sentence, width)
  return [{ ...first!, styled: { length: word.length, style: styles[status] } }, ...rest]
}

function briefLines(verdict: Verdict, width: number): Line[] {
  const { findings, findingCount, coverage, statistics } = verdict
  const [worst] = findings
  const seen = `${counted(statistics.rows, 'row')} of ${counted(coverage.audited, 'product')} checked`
  // Once something is wrong, what it might have escaped is beside the point.
  const odds = verdict.status === 'fail' ? undefined : oddsInShort(verdict)
  const more = findingCount > 1 ? `, and ${findingCount - 1} more` : ''
  const [first, ...rest] =
    worst === undefined ? [seen] : [`${worst.reason}${placeOf(worst)}${more}`, explanation(worst), seen]
  const below = odds === undefined ? rest : [...rest, odds]
  return [...statusLines(verdict, first, width), ...below.flatMap((text) => hanging('  ', text, width))]
}
