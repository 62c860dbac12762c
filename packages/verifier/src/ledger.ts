import {
  cleanUpperBound,
  type Evidence,
  type Finding,
  type FindingReason,
  findingReasons,
  maxFindings,
  receiptMode,
  statuses,
  statusOf,
  type UnitShape,
  type Verdict,
} from '@tensor-assay/core'
import type { CheckedRows } from './check.ts'
import type { Policy } from './policy.ts'
import type { CheckedRelations } from './relations.ts'

/** Fractions of wrong rows for which a verdict states the probability that they would have been seen. */
const fractions = [0.01, 0.1, 0.5, 1]

/** Probability for which the visible error of a row is stated. */
export const statedPower = 0.99

/** Shapes of products whose probabilities are remembered. */
const maxShapes = 1000

interface Detection {
  readonly oneRow: number
  readonly byFraction: readonly number[]
}

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
  /** Rows of which only some entries were recomputed. */
  private partialRows = 0
  /** For each fraction: the smallest probability of any product, should it be audited. */
  private readonly leastOne = fractions.map(() => 1)
  /** For each fraction: ln of the probability that no audited product shows it, which itself may be too small. */
  private readonly logMissAll = fractions.map(() => 0)
  private leastOneRow = 1
  private readonly detections = new Map<string, Detection>()

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

  /** Whether so much is wrong that looking further would only cost the verifier time. */
  get isBeyondDoubt(): boolean {
    return this.findingCount >= maxFindings && this.failed
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
    this.partialRows += rows.partialRows
    // A ratio to a bound of zero is infinite; the finding says what happened, the statistic stays a number.
    this.largestRatio = Math.max(this.largestRatio, Math.min(rows.largestRatio, Number.MAX_VALUE))
    if (rows.visibleError !== undefined && Number.isFinite(rows.visibleError)) {
      this.visibleError = Math.max(this.visibleError ?? 0, rows.visibleError)
    }
  }

  /** Tensors that are what a manifest derives them from. */
  related({ relations, elements }: Pick<CheckedRelations, 'relations' | 'elements'>): void {
    this.coverage.relations = (this.coverage.relations ?? 0) + relations
    this.coverage.relationElements = (this.coverage.relationElements ?? 0) + elements
  }

  /** Takes a product into what is said of one operation: a prover may cheat in any of them, audited or not. */
  declared(shape: UnitShape): void {
    if (shape.rows * shape.k * shape.n === 0) return
    const { oneRow, byFraction } = this.detection(shape)
    this.leastOneRow = Math.min(this.leastOneRow, oneRow)
    for (const [i, detected] of byFraction.entries()) this.leastOne[i] = Math.min(this.leastOne[i]!, detected)
  }

  /** Takes a product of which rows were checked into what is said of all of them. */
  audited(shape: UnitShape): void {
    this.coverage.audited++
    for (const [i, detected] of this.detection(shape).byFraction.entries()) {
      this.logMissAll[i]! += Math.log1p(-detected)
    }
  }

  /** Counts a product of which rows were checked, and none shows that it was computed. */
  untelling(): void {
    this.coverage.untelling = (this.coverage.untelling ?? 0) + 1
  }

  /** Probabilities that the plan for a product of this shape touches a wrong row. */
  private detection(shape: UnitShape): Detection {
    const key = `${shape.rows}:${shape.k}:${shape.n}:${shape.right}`
    let known = this.detections.get(key)
    if (known === undefined) {
      const { sampler } = this.policy
      const p = (rows: number) => (rows === 0 ? 0 : sampler.detectionProbability(shape, { rows }))
      known = { oneRow: p(Math.min(1, shape.rows)), byFraction: fractions.map((f) => p(Math.ceil(f * shape.rows))) }
      if (this.detections.size >= maxShapes) this.detections.clear()
      this.detections.set(key, known)
    }
    return known
  }

  verdict(session: string, transcript: string): Verdict {
    const { informativeEntries } = this
    const { rows } = this.statistics
    // A plan may have one row that is always in it, such as the last: that one is no sample.
    const drawn = Math.max(0, rows - this.coverage.audited)
    const visibleError = this.partialRows > 0 ? undefined : this.visibleError
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
        badRowsBelow95: cleanUpperBound(drawn, 0.95),
        badRowsBelow99: cleanUpperBound(drawn, 0.99),
        ...(visibleError === undefined ? {} : { visibleError }),
        // Without vectors over whole rows nothing is stated of rows that are wrong in few places.
        power: audited && visibleError !== undefined ? statedPower : 0,
      },
    }
  }

  /** Work of forging a receipt: attempts, until the challenges miss every wrong row, times the work of each. */
  private receiptBits(i: number): number {
    const attempts = -this.logMissAll[i]! / Math.LN2
    return Math.min(bindingBits, Math.log2(this.receiptIterations) + attempts)
  }
}
