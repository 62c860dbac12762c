import type { Evidence, Finding, Verdict } from '@tensor-assay/core'
import { contrast } from './numbers.ts'
import { hanging, heading, type Line, printable } from './text.ts'

/** What keeps a verdict from being a pass, the worst first. */
export function reasonLines({ findings, findingCount }: Verdict, most: number, width: number): Line[] {
  if (findingCount === 0) return []
  const lines = heading(findingCount === 1 ? 'Why' : `Why: ${findingCount} findings, the worst first`, width)
  for (const finding of findings.slice(0, most)) {
    lines.push(...hanging('  ', `${finding.reason}${placeOf(finding)}`, width))
    lines.push(...hanging('    ', explanation(finding), width))
  }
  const left = findingCount - Math.min(most, findings.length)
  if (left > 0) lines.push(...hanging('  ', `and ${left} more`, width))
  return lines
}

/** Where a finding is, with a comma before it. */
export function placeOf({ sequence, operation }: Finding): string {
  if (sequence === undefined) return ''
  return `, operation ${sequence}${operation === undefined ? '' : ` (${printable(operation, 80)})`}`
}

/** A finding in plain words. */
export function explanation({ reason, message, evidence }: Finding): string {
  const sentence = evidence && values(reason, evidence)
  if (sentence !== undefined) return sentence
  const text = printable(message)
  if (evidence === undefined) return text
  const { row, root } = evidence
  if (root !== undefined) return `${text}: commitment ${printable(root, 16)}`
  return text.includes(`row ${row}`) ? text : `${text}: row ${row}`
}

/** What the prover says and what it should be, where the evidence has both. */
function values(reason: Finding['reason'], evidence: Evidence): string | undefined {
  const { row, column, claimed, recomputed, bound } = evidence
  // It is about another tensor than C.
  if (reason === 'relation-broken') return undefined
  if (column === undefined || claimed === undefined || recomputed === undefined) return undefined
  const { left, right, difference } = contrast(printable(claimed, 40), printable(recomputed, 40))
  const values = `Row ${row}, column ${column} of C: claimed ${left}, recomputed ${right}`
  if (difference === undefined || bound === undefined) return `${values}.`
  const explained = Number.isFinite(Number(bound)) ? Number(bound).toExponential(1) : printable(bound, 40)
  if (reason !== 'values-biased')
    return `${values}. They differ by ${difference}; rounding explains at most ${explained}.`
  return (
    `${values}, off by ${difference}. No value alone gives it away: over all entries the errors have a larger rms than ` +
    `the ${explained} that rounding explains.`
  )
}
