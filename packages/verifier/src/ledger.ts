import {
  cleanUpperBound,
  type Evidence,
  type Finding,
  type FindingReason,
  findingReasons,
  maxFindings,
  receiptMode,
  type Sampler,
  statuses,
  statusOf,
  type UnitShape,
  type Verdict,
} from '@tensor-assay/core'
import type { CheckedRows } from './check.ts'
import type { Policy } from './policy.ts'

/** Fractions of wrong rows for which a verdict states the probability that they would have been seen. */
const fractions = [0.01, 0.1, 0.5, 1]

/** Probability for which the visible error of a row is stated. */
export const statedPower = 0.99

/** Finding another content for a commitment takes 2¹²⁸ hashes, whatever the challenges are. */
const bindingBits = 128

const claims = { spot: 'fault', interactive: 'adversarial', receipt: 'cost' } as const

/** Adds up what a session shows and turns it into a verdict. */
export class Ledger {
  readonly coverage: { -readonly [K in keyof Verdict['coverage']]: Verdict['coverage'][K] }
  bytes = 0
  checkMs = 0
  /** Iterations of PBKDF2 that stand between a receipt's commitments and its challenges. */
  receiptIterations = 1
  private readonly policy: Policy
  private readonly findings: Finding[] = []
  private readonly reasons = new Set<FindingReason>()
  private findingCount = 0
  private readonly statistics = { rows: 0, entries: 0, vectors: 0, escalations: 0, guards: 0 }
  private informativeEntries = 0
  private largestRatio = 0
  private sumSquaredRatio = 0
  private visibleError: number | undefined
  /** Probability that no audited product shows what is wrong; the row of fractions, first in one, then in all. */
  private readonly leastOne = fractions.map(() => 1)
  /** Natural logarithms: the probabilities themselves may be too small for float64. */
  private readonly logMissAll = fractions.map(() => 0)
  private leastOneRow = 1

  constructor(policy: Policy, weightsKnown: number) {
    this.policy = policy
    this.coverage = {
      operations: 0,
      audited: 0,
      opaque: 0,
      skipped: 0,
      activationProducts: 0,
      linked: 0,
      inputsBound: 0,
      outputsBound: 0,
      weightsKnown,
      weightsUsed: 0,
    }
  }

  get failed(): boolean {
    return statusOf(this.reasons) === 'fail'
  }

  find(
    reason: FindingReason,
    message: string,
    at: { sequence?: number; operation?: string; evidence?: Evidence } = {},
  ): void {
    this.findingCount++
    this.reasons.add(reason)
    this.findings.push({ reason, message, ...at })
    // The worst are kept, in the order in which they were found.
    if (this.findings.length > maxFindings) {
      const severity = (finding: Finding) => statuses.indexOf(findingReasons[finding.reason])
      const mildest = Math.min(...this.findings.map(severity))
      this.findings.splice(
        this.findings.findLastIndex((finding) => severity(finding) === mildest),
        1,
      )
    }
  }

  checked(rows: CheckedRows): void {
    this.statistics.rows += rows.rows
    this.statistics.entries += rows.entries
    this.statistics.vectors += rows.vectors
    this.statistics.escalations += rows.escalations
    this.statistics.guards += rows.guards
    this.sumSquaredRatio += rows.sumSquaredRatio
    this.informativeEntries += rows.informativeEntries
    // A ratio to a bound of zero is infinite; the finding says what happened, the statistic stays a number.
    this.largestRatio = Math.max(this.largestRatio, Math.min(rows.largestRatio, Number.MAX_VALUE))
    if (rows.visibleError !== undefined && Number.isFinite(rows.visibleError)) {
      this.visibleError = Math.max(this.visibleError ?? 0, rows.visibleError)
    }
  }

  /** Takes a product of which rows were checked into the stated probabilities. */
  audited(sampler: Sampler, shape: UnitShape): void {
    this.coverage.audited++
    const p = (rows: number) => (rows === 0 ? 0 : sampler.detectionProbability(shape, { rows }))
    this.leastOneRow = Math.min(this.leastOneRow, p(1))
    for (const [i, fraction] of fractions.entries()) {
      const detected = p(Math.ceil(fraction * shape.rows))
      this.leastOne[i] = Math.min(this.leastOne[i]!, detected)
      this.logMissAll[i]! += Math.log1p(-detected)
    }
  }

  verdict(session: string, transcript: string): Verdict {
    const { informativeEntries } = this
    const { rows } = this.statistics
    if (rows === 0) this.find('nothing-sampled', 'not one row was checked, so nothing can be said')
    else if (rows < this.policy.minRows) {
      this.find('too-few-rows', `${rows} rows were checked, the policy asks for ${this.policy.minRows}`)
    }
    const severity = (finding: Finding) => -statuses.indexOf(findingReasons[finding.reason])
    const audited = this.coverage.audited > 0
    const { operationRate: auditRate, mode } = this.policy
    return {
      status: statusOf(this.reasons),
      mode,
      claim: claims[mode],
      session,
      transcript,
      findings: [...this.findings].sort((a, b) => severity(a) - severity(b)),
      findingCount: this.findingCount,
      coverage: this.coverage,
      statistics: {
        ...this.statistics,
        largestRatio: this.largestRatio,
        rmsRatio: Math.min(Math.sqrt(this.sumSquaredRatio / Math.max(1, informativeEntries)), Number.MAX_VALUE),
        bytes: this.bytes,
        checkMs: this.checkMs,
      },
      detection: {
        oneRow: audited ? this.leastOneRow * auditRate : 0,
        byFraction: fractions.map((fraction, i) => ({
          fraction,
          inOneOperation: audited ? this.leastOne[i]! * auditRate : 0,
          inEveryOperation: 0 - Math.expm1(this.logMissAll[i]!),
          ...(mode === receiptMode && { receiptBits: this.receiptBits(i) }),
        })),
        badRowsBelow95: cleanUpperBound(rows, 0.95),
        badRowsBelow99: cleanUpperBound(rows, 0.99),
        ...(this.visibleError === undefined ? {} : { visibleError: this.visibleError }),
        power: audited ? statedPower : 0,
      },
    }
  }

  /** Work of forging a receipt: attempts, until the challenges miss every wrong row, times the work of each. */
  private receiptBits(i: number): number {
    const attempts = -this.logMissAll[i]! / Math.LN2
    return Math.min(bindingBits, Math.log2(this.receiptIterations) + attempts)
  }
}
