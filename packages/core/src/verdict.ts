import * as v from 'valibot'

const count = v.pipe(v.number(), v.safeInteger(), v.minValue(0))
const finite = v.pipe(v.number(), v.finite())
const probability = v.pipe(v.number(), v.minValue(0), v.maxValue(1))

/** Best first; a verdict has the worst status that any of its findings asks for. */
export const statuses = ['pass', 'inconclusive', 'incomplete', 'fail'] as const
export type Status = (typeof statuses)[number]

/** Everything that keeps a verdict from being `pass`, with the status that it asks for. */
export const findingReasons = {
  // The prover's values or claims are wrong.
  'value-out-of-tolerance': 'fail',
  'value-not-finite': 'fail',
  'values-biased': 'fail',
  'commitment-mismatch': 'fail',
  'opening-malformed': 'fail',
  'opening-missing': 'fail',
  'record-malformed': 'fail',
  'sequence-broken': 'fail',
  'tensor-unknown': 'fail',
  'weight-unknown': 'fail',
  'weight-mismatch': 'fail',
  'policy-mismatch': 'fail',
  'activation-refused': 'fail',
  'profile-refused': 'fail',
  'input-mismatch': 'fail',
  'output-mismatch': 'fail',
  'operation-omitted': 'fail',
  'operation-unexpected': 'fail',
  'operation-mismatch': 'fail',
  'link-broken': 'fail',
  'relation-broken': 'fail',
  'count-mismatch': 'fail',
  'transcript-mismatch': 'fail',
  'protocol-violation': 'fail',
  'peer-untrusted': 'fail',
  // The audit did not get to its end.
  'channel-lost': 'incomplete',
  'deadline-exceeded': 'incomplete',
  aborted: 'incomplete',
  'peer-error': 'incomplete',
  'no-common-ground': 'incomplete',
  'challenge-unfair': 'incomplete',
  'verdict-untrusted': 'incomplete',
  'operation-skipped': 'incomplete',
  internal: 'incomplete',
  // The audit ended without saying enough.
  'nothing-sampled': 'inconclusive',
  'too-few-rows': 'inconclusive',
  'empty-product': 'inconclusive',
  'tolerance-guard': 'inconclusive',
  'weight-reshaped': 'inconclusive',
  'addend-unbound': 'inconclusive',
  // An optimiser may fold vectors together in ways that nobody can repeat.
  'vector-unknown': 'inconclusive',
  // A prover may lack the memory to keep what its tensors follow from.
  'relation-unanswered': 'inconclusive',
  'operation-opaque': 'inconclusive',
  'opening-too-large': 'inconclusive',
  'input-unbound': 'inconclusive',
  'output-unbound': 'inconclusive',
} as const satisfies Record<string, Status>

export type FindingReason = keyof typeof findingReasons

const evidence = v.strictObject({
  row: count,
  column: v.optional(count),
  /** As the prover opened it; text, because it may be NaN or infinite. */
  claimed: v.optional(v.string()),
  /** As float64 arithmetic gives it. */
  recomputed: v.optional(v.string()),
  /** Largest difference that rounding explains. */
  bound: v.optional(v.string()),
  /** Commitment that the opened row belongs to, hexadecimal. */
  root: v.optional(v.string()),
})

const finding = v.strictObject({
  reason: v.picklist(Object.keys(findingReasons) as [FindingReason, ...FindingReason[]]),
  message: v.string(),
  /** Sequence number of the operation. */
  sequence: v.optional(count),
  operation: v.optional(v.string()),
  evidence: v.optional(evidence),
})

const byFraction = v.strictObject({
  /** Fraction of the rows that are wrong. */
  fraction: probability,
  /** All of them in the audited operation where they are hardest to catch. */
  inOneOperation: probability,
  /** In every operation. */
  inEveryOperation: probability,
  /** In a receipt: binary logarithm of the hashes that forging it takes, if every operation has as many wrong rows. */
  receiptBits: v.optional(finite),
})

export const verdictSchema = v.strictObject({
  status: v.picklist(statuses),
  mode: v.picklist(['spot', 'interactive', 'receipt', 'none']),
  /**
   * `adversarial`: holds against a prover that adapts to everything before its commitment; `cost`: such a prover had to
   * try again and again, see `receiptBits`; `fault`: against accidents.
   */
  claim: v.picklist(['adversarial', 'cost', 'fault', 'none']),
  /** Hexadecimal. */
  session: v.string(),
  /** Hash of everything both sides said up to the close, hexadecimal. */
  transcript: v.string(),
  /** Fingerprints of the identities that signed the session; absent for a side without one. */
  prover: v.optional(v.string()),
  verifier: v.optional(v.string()),
  /** At most {@link maxFindings}, the worst first; `findingCount` counts all. */
  findings: v.array(finding),
  findingCount: count,
  coverage: v.strictObject({
    /** Operations that the prover declared. What it did not declare is unknown without a manifest. */
    operations: count,
    /** Share of the steps that were read at all, in `spot` mode; absent where all of them were. */
    stepRate: v.optional(v.pipe(v.number(), v.gtValue(0), v.maxValue(1))),
    /** Steps whose operations were held against a manifest; absent without one. */
    manifestSteps: v.optional(count),
    /** Tensors that a manifest wants to be those of another operation, and that were. */
    manifestLinks: v.optional(count),
    /**
     * Tensors between products that a manifest derives from others, and whose sampled elements are what it says. Absent
     * where it derives none.
     */
    relations: v.optional(count),
    /** Elements of them that were compared. */
    relationElements: v.optional(count),
    /** Products of which rows were checked that whoever did no work could not have stated. */
    audited: count,
    /**
     * Products of which rows were checked, and none shows that they were computed: C is what it would be if A·B were 0, or
     * nothing can be said of it. Absent for none.
     */
    untelling: v.optional(count),
    opaque: count,
    skipped: count,
    /** Products whose B is not a known weight. */
    activationProducts: count,
    /** Products to which a tensor is added that no manifest ties to another one: C is what it makes it. Absent for none. */
    freeAddends: v.optional(count),
    /** Audited products whose A is the C of an earlier product. */
    linked: count,
    /**
     * Tensors that products read and that are the C of no earlier one, nor derived by a manifest: what the run was given, and
     * what was computed between products, which nobody looks at. Absent in `spot` mode, where tensors cannot be told from each other.
     */
    foreignTensors: v.optional(count),
    inputsBound: count,
    outputsBound: count,
    weightsKnown: count,
    weightsUsed: count,
  }),
  statistics: v.strictObject({
    /** Rows that were checked and are not what they would be if A·B were 0. */
    rows: count,
    entries: count,
    vectors: count,
    /** Largest |error|/ν; honest engines stay below 4. */
    largestRatio: finite,
    rmsRatio: finite,
    escalations: count,
    guards: count,
    /** Bytes received from the prover. */
    bytes: count,
    /** Time spent checking, milliseconds. */
    checkMs: finite,
  }),
  detection: v.strictObject({
    /** One wrong row in the operation where it is hardest to catch. */
    oneRow: probability,
    byFraction: v.array(byFraction),
    /** Upper bound on the fraction of wrong rows after this many clean ones. */
    badRowsBelow95: probability,
    badRowsBelow99: probability,
    /**
     * Relative error of a row, ‖d‖₂/‖c‖₂, that is seen with `power` if the row is opened; the largest over all rows of
     * products by weights. Absent where of some of them only entries were recomputed: then the probabilities are for rows that are wrong in every entry.
     */
    visibleError: v.optional(finite),
    power: probability,
  }),
})

export type Verdict = Readonly<v.InferOutput<typeof verdictSchema>>
export type Finding = Readonly<v.InferOutput<typeof finding>>
export type Evidence = Readonly<v.InferOutput<typeof evidence>>

/** Findings that a verdict lists. */
export const maxFindings = 32

/** The worst status that the reasons ask for; `pass` for none. */
export function statusOf(reasons: Iterable<FindingReason>): Status {
  let worst = 0
  for (const reason of reasons) worst = Math.max(worst, statuses.indexOf(findingReasons[reason]))
  return statuses[worst]!
}

/** A verdict on nothing but `findings`: what a side says that never heard the other's. */
export function emptyVerdict(findings: readonly [Finding, ...Finding[]]): Verdict {
  return {
    status: statusOf(findings.map((f) => f.reason)),
    mode: 'none',
    claim: 'none',
    session: '',
    transcript: '',
    findings: [...findings],
    findingCount: findings.length,
    coverage: {
      operations: 0,
      audited: 0,
      opaque: 0,
      skipped: 0,
      activationProducts: 0,
      linked: 0,
      inputsBound: 0,
      outputsBound: 0,
      weightsKnown: 0,
      weightsUsed: 0,
    },
    statistics: {
      rows: 0,
      entries: 0,
      vectors: 0,
      largestRatio: 0,
      rmsRatio: 0,
      escalations: 0,
      guards: 0,
      bytes: 0,
      checkMs: 0,
    },
    detection: { oneRow: 0, byFraction: [], badRowsBelow95: 1, badRowsBelow99: 1, power: 0 },
  }
}
