import {
  type Calibration,
  calibratedProfile,
  loadSuite,
  type Mode,
  type ProfileName,
  profiles,
  receiptMode,
  rows,
  type Sampler,
} from '@tensor-assay/core'

/** What a verifier demands of a session and how hard it looks. */
export interface Policy {
  /** `receipt` for files, see `verifyReceipt`; the others for sessions. */
  readonly mode: Mode | typeof receiptMode
  readonly suite: 'sha256' | 'blake3'
  /** Which rows of a product are opened. */
  readonly sampler: Sampler
  /**
   * Fraction of the products that are audited, drawn unpredictably in `interactive` mode. In `spot` mode whole steps are
   * drawn, and the first one always is read: to state a small product costs more than to read some rows of it.
   */
  readonly operationRate: number
  /** Freivalds vectors per product; 0 leaves a row to its entries. */
  readonly vectors: number
  /** Entries recomputed exactly in each opened row. */
  readonly entries: number
  /** Arithmetic that a prover may declare. */
  readonly profiles: readonly ProfileName[]
  /**
   * Tighter limits for the very engine that is expected, at most one for each profile: see `calibrate`. They see more, and
   * another engine of the same profile may fail them.
   */
  readonly calibration: readonly Calibration[]
  /** Whether B may be something else than a known weight, and a tensor be added to A·B. */
  readonly acceptActivations: boolean
  /** Whether an operation may round A to 8 bits in blocks before it multiplies, without a manifest that says so. */
  readonly acceptRounding: boolean
  /** Iterations of PBKDF2 that a receipt must have, at least. */
  readonly iterations: number
  /** Fewest rows checked in a session that passes. */
  readonly minRows: number
  /** Operations committed to and not yet opened, at most. */
  readonly window: number
  /** Operations in a session, at most. */
  readonly maxOperations: number
  /** Time for the hello, milliseconds. */
  readonly handshakeTimeoutMs: number
  /** Time from a challenge to its opening, milliseconds. A prover in a long synchronous product cannot answer. */
  readonly openingTimeoutMs: number
  /** Time without any message, milliseconds. */
  readonly idleTimeoutMs: number
}

const defaults: Policy = {
  mode: 'interactive',
  suite: 'sha256',
  sampler: rows(),
  operationRate: 1,
  vectors: 2,
  entries: 64,
  profiles: ['float32', 'int32', 'int8'],
  calibration: [],
  acceptActivations: false,
  acceptRounding: false,
  iterations: 2 ** 20,
  minRows: 1,
  window: 64,
  maxOperations: 1_000_000,
  handshakeTimeoutMs: 10_000,
  openingTimeoutMs: 600_000,
  idleTimeoutMs: 600_000,
}

/** Commit, challenge, open: holds against a prover that lies. */
export function interactive(options: Partial<Omit<Policy, 'mode'>> = {}): Policy {
  return checked({ ...defaults, ...options, mode: 'interactive' })
}

/** Sampled rows as the products run, bound to nothing: finds faults at next to no cost, not liars. */
export function spot(options: Partial<Omit<Policy, 'mode'>> = {}): Policy {
  return checked({ ...defaults, vectors: 0, sampler: rows({ atLeast: 1 }), ...options, mode: 'spot' })
}

/** Offline: a file whose challenges come from its own commitments; forging it takes work, which the verdict states. */
export function receipt(options: Partial<Omit<Policy, 'mode' | 'operationRate'>> = {}): Policy {
  return checked({ ...defaults, sampler: rows({ atLeast: 64 }), ...options, operationRate: 1, mode: receiptMode })
}

function checked(policy: Policy): Policy {
  const { operationRate, vectors, entries, window } = policy
  // Policies may come out of files, past the type checker.
  loadSuite(policy.suite)
  if (!(operationRate > 0 && operationRate <= 1)) {
    throw new RangeError(`operationRate must be above 0 and at most 1, got ${operationRate}`)
  }
  for (const [name, value] of Object.entries({ vectors, entries })) {
    if (!Number.isInteger(value) || value < 0) throw new RangeError(`${name} must be an integer >= 0, got ${value}`)
  }
  if (!Number.isInteger(window) || window < 1) throw new RangeError(`window must be an integer >= 1, got ${window}`)
  const calibrated = policy.calibration.map(({ profile }) => profile)
  if (new Set(calibrated).size < calibrated.length) throw new RangeError(`calibrated twice: ${calibrated.join(', ')}`)
  // Throws where limits are looser than the built-in ones.
  for (const calibration of policy.calibration) calibratedProfile(profiles[calibration.profile], calibration)
  if (vectors === 0 && entries === 0) throw new RangeError('vectors and entries are both 0: nothing would be checked')
  return policy
}
