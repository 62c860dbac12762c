/** What a registered audit is told by the environment. */
export interface Settings {
  /** Address of the verifier. */
  readonly verifier: string
  /** Path of a key file. */
  readonly identity: string | undefined
  /** Fingerprints of which the verifier must have one; any verifier will do unless given. */
  readonly verifiers: readonly string[] | undefined
}

type Environment = Readonly<Record<string, string | undefined>>

/**
 * Whether the program must not run unaudited.
 *
 * @throws {TypeError} If the variable says neither yes nor no: whoever set it may count on it.
 */
export function isRequired({ ASSAY_REQUIRED: required = '' }: Environment): boolean {
  if (required === '' || required === '0') return false
  if (required === '1') return true
  throw new TypeError(`ASSAY_REQUIRED must be 1 or 0, got ${JSON.stringify(required)}`)
}

/** @throws {TypeError} If there is no address. */
export function settingsOf({ ASSAY_VERIFIER, ASSAY_IDENTITY, ASSAY_VERIFIERS }: Environment): Settings {
  if (!ASSAY_VERIFIER) throw new TypeError('ASSAY_VERIFIER is not set: the address, such as tcp://auditor:11234')
  return {
    verifier: ASSAY_VERIFIER,
    identity: ASSAY_IDENTITY || undefined,
    // An empty list is not taken for no list: it would let in every verifier.
    verifiers: ASSAY_VERIFIERS?.split(',').map((fingerprint) => fingerprint.trim()),
  }
}
