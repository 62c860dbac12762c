import { isIP, type Socket } from 'node:net'
import { type ConnectionOptions, connect, createSecureContext, type SecureContextOptions, TLSSocket } from 'node:tls'
import { AssayError } from '../errors.ts'

type Pem = string | Buffer

/** Certificates of this side, and what is asked of the other's. TLS 1.3 throughout. */
export interface TlsOptions {
  /** Private key, PEM. A listener needs one; a dialer does where the listener asks for certificates. */
  readonly key?: Pem
  /** Certificate that goes with the key, and any intermediate ones after it, PEM. */
  readonly cert?: Pem
  /** Authorities to trust, PEM. Default: the ones that Node trusts. */
  readonly ca?: Pem | readonly Pem[]
  /** Whether a listener asks dialers for a certificate. Default false, or true with `fingerprints`. */
  readonly requestCert?: boolean
  /**
   * Whether a peer is refused whose certificate no trusted authority vouches for or, when dialing, names another host.
   * Default true. With false the connection is encrypted, but nobody knows with whom.
   */
  readonly rejectUnauthorized?: boolean
  /**
   * SHA-256 fingerprints, hexadecimal with or without colons, of the only certificates that the peer may have. They
   * replace authorities, host names and dates, so that both sides can use self-signed certificates.
   */
  readonly fingerprints?: readonly string[]
}

export type TlsServerOptions = SecureContextOptions & {
  readonly requestCert: boolean
  readonly rejectUnauthorized: boolean
}

/**
 * {@link TlsOptions}, checked once, for transports that have TLS: what they ask for, and whom they trust. What they say to
 * each other is theirs.
 */
export class TlsCredentials {
  readonly #options: TlsOptions
  readonly #pinned: ReadonlySet<string> | undefined

  /** @throws {TypeError} If a key, certificate or fingerprint cannot be used. */
  constructor(options: TlsOptions) {
    this.#options = options
    this.#pinned = options.fingerprints && new Set(options.fingerprints.map(normalFingerprint))
    const { key, cert, ca } = options
    if (key === undefined && cert === undefined && ca === undefined) return
    try {
      createSecureContext(this.#context())
    } catch (cause) {
      throw new TypeError(`the tls options key, cert and ca cannot be used: ${(cause as Error).message}`, { cause })
    }
  }

  /** A socket on its way to a secure connection. */
  connect({ host, port }: { readonly host: string; readonly port: number }): TLSSocket {
    const options: ConnectionOptions = {
      ...this.#context(),
      host,
      port,
      rejectUnauthorized: this.#pinned === undefined && this.#options.rejectUnauthorized !== false,
    }
    return connect(isIP(host) === 0 ? { ...options, servername: host } : options)
  }

  /**
   * What a TLS server is made with. It takes in whoever comes: {@link TlsCredentials.refusalOf} decides.
   *
   * @param howTo - What the caller of a transport has to do to have a certificate.
   * @throws {TypeError} If there is no key and certificate to show to those who dial.
   */
  serverOptions(howTo: string): TlsServerOptions {
    const { key, cert, requestCert = this.#pinned !== undefined } = this.#options
    if (key === undefined || cert === undefined) throw new TypeError(`listening needs a certificate: ${howTo}`)
    // Node would end an unauthorized connection without a word; transports tell the dialer why.
    return { ...this.#context(), requestCert, rejectUnauthorized: false }
  }

  /** Why the listener that was dialed is not trusted, where Node's own checks do not decide. */
  distrustOf(socket: Socket): AssayError | undefined {
    return this.#pinned && socket instanceof TLSSocket ? unlessPinned(socket, this.#pinned) : undefined
  }

  /** Why a dialer is refused. */
  refusalOf(socket: Socket): AssayError | undefined {
    const { requestCert = false, rejectUnauthorized = true } = this.#options
    if (!(socket instanceof TLSSocket)) return undefined
    if (this.#pinned !== undefined) return unlessPinned(socket, this.#pinned)
    if (!requestCert || !rejectUnauthorized || socket.authorized) return undefined
    const problem = certificateOf(socket) === undefined ? 'it showed none' : String(socket.authorizationError)
    return peerUntrusted(`its certificate is not accepted: ${problem}`)
  }

  #context(): SecureContextOptions {
    const { key, cert, ca } = this.#options
    return {
      minVersion: 'TLSv1.3',
      ...(key !== undefined && { key }),
      ...(cert !== undefined && { cert }),
      ...(ca !== undefined && { ca: typeof ca === 'string' || Buffer.isBuffer(ca) ? ca : [...ca] }),
    }
  }
}

/** Whether an error of a dialing TLS socket speaks of certificates or of TLS, and not of the network beneath. */
export function isTlsError({ code = '' }: NodeJS.ErrnoException): boolean {
  return code === 'EPROTO' || !/^(E[A-Z0-9]+|EAI_[A-Z]+)$/.test(code)
}

/** Why a peer is not let in, or not spoken to. */
export function peerUntrusted(problem: string, cause?: unknown): AssayError {
  return new AssayError('peer-untrusted', `the peer is not trusted: ${problem}`, { cause })
}

function unlessPinned(socket: TLSSocket, pinned: ReadonlySet<string>): AssayError | undefined {
  const fingerprint = certificateOf(socket)?.fingerprint256
  if (fingerprint === undefined) return peerUntrusted('it showed no certificate, and one of those pinned is required')
  if (pinned.has(normalFingerprint(fingerprint))) return undefined
  return peerUntrusted(`its certificate has the SHA-256 fingerprint ${fingerprint}, which is not pinned`)
}

function certificateOf(socket: TLSSocket) {
  return socket.getPeerX509Certificate()
}

function normalFingerprint(fingerprint: string): string {
  const digits = fingerprint.replaceAll(':', '').toLowerCase()
  if (/^[0-9a-f]{64}$/.test(digits)) return digits
  throw new TypeError(`a fingerprint is SHA-256, 64 hexadecimal digits, got ${JSON.stringify(fingerprint)}`)
}
