import { createSecureContext, type SecureContext, type TLSSocket } from 'node:tls'

type Pem = string | Uint8Array

/** Certificates of this side, and what is asked of the other's. TLS 1.3 throughout. */
export interface TlsOptions {
  /** Private key, PEM. A listener needs one; a dialer where the listener requests certificates. */
  readonly key?: Pem
  /** Certificate that goes with the key, and any intermediate ones after it, PEM. */
  readonly cert?: Pem
  /** Authorities to trust, PEM. Default: the ones that Node trusts. */
  readonly ca?: Pem | readonly Pem[]
  /** Whether a listener asks dialers for a certificate. Default false, or true with `fingerprints`. */
  readonly requestCert?: boolean
  /**
   * Whether a peer whose certificate no trusted authority vouches for, or whose certificate names another host, is
   * refused. Default true. With false the connection is encrypted, but with whom is unknown.
   */
  readonly rejectUnauthorized?: boolean
  /**
   * SHA-256 fingerprints, in hexadecimal with or without colons, of the only certificates that the peer may have. They
   * replace authorities, host names and expiry, so that self-signed certificates can be used on both sides.
   */
  readonly fingerprints?: readonly string[]
}

/** Options in the form in which connections need them. */
export interface Credentials {
  readonly context: SecureContext
  readonly key: Pem | undefined
  readonly cert: Pem | undefined
  readonly ca: Pem | readonly Pem[] | undefined
  readonly requestCert: boolean
  readonly rejectUnauthorized: boolean
  readonly fingerprints: readonly string[] | undefined
}
