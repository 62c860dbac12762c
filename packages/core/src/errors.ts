/**
 * Stable codes of everything that can go wrong in the world around an audit. A dishonest prover is never an error: that
 * is a verdict. A programmer's slip is a `TypeError` or `RangeError`.
 */
export type AssayErrorCode =
  | 'address-invalid' // the address cannot be parsed, or its scheme is not this transport's
  | 'address-unavailable' // nothing can be bound there
  | 'peer-unreachable' // nobody answers there
  | 'peer-untrusted' // TLS or identity check failed
  | 'identity-unusable' // a key file that cannot be read, or that others can
  | 'deadline-exceeded' // the peer did not answer in time
  | 'channel-closed' // used after close()
  | 'channel-lost' // the connection ended without a goodbye
  | 'message-too-large' // a declared size is over the limit
  | 'frame-malformed' // bytes that are not a frame of this protocol
  | 'message-malformed' // a frame whose content breaks the message's schema
  | 'message-unexpected' // a valid message at the wrong time
  | 'version-unsupported' // no common protocol version
  | 'mode-unknown'
  | 'suite-unknown'
  | 'sampler-unknown'
  | 'backend-unusable' // the tensor library cannot be intercepted as asked
  | 'weights-unreadable' // the file cannot be opened or is malformed
  | 'weights-truncated' // the file ends before the data it declares
  | 'model-malformed' // a model file that contradicts its format or itself
  | 'model-unsupported' // a model file that this version cannot read
  | 'receipt-malformed' // bytes that are not a receipt
  | 'manifest-malformed' // a manifest file that breaks its schema
  | 'weight-missing' // a named tensor is not in the store
  | 'calibration-malformed' // a calibration file that is not one, or would loosen a verifier
  | 'dtype-unsupported'
  | 'peer-error' // the peer reported an error of its own
  | 'aborted' // the caller's AbortSignal fired
  | 'internal' // a defect of ours

const marker: unique symbol = Symbol.for('tensor-assay.error') as never

export interface AssayErrorOptions {
  readonly cause?: unknown
}

/**
 * The world failed: a closed channel, a malformed file, a missed deadline.
 *
 * @example
 * ```ts
 * try {
 *   await tcp().dial('tcp://auditor:11234')
 * } catch (error) {
 *   if (AssayError.isInstance(error) && error.code === 'peer-unreachable') retryLater()
 *   else throw error
 * }
 * ```
 */
export class AssayError extends Error {
  override readonly name = 'AssayError'
  readonly code: AssayErrorCode

  constructor(code: AssayErrorCode, message: string, options: AssayErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause })
    this.code = code
    Object.defineProperty(this, marker, { value: true })
  }

  /** True for an AssayError of any installed copy of this package, where `instanceof` would depend on which copy. */
  static isInstance(value: unknown): value is AssayError {
    return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[marker] === true
  }
}
