import type { Transport } from '@tensor-assay/core'
import { tcp } from '@tensor-assay/transport-tcp'
import { Complaint } from './complaint.ts'

export interface Tls {
  readonly key: Buffer
  readonly cert: Buffer
}

interface Scheme {
  readonly example: string
  readonly encrypted: boolean
  /** Whether others than this machine can be at the other end. */
  readonly remote: boolean
  load(options: TransportOptions): Promise<Transport>
}

export interface TransportOptions {
  readonly tls?: Tls
  /** Told of connections that became no session. */
  readonly onError: (error: Error, peer: string) => void
}

const overTcp = async (options: TransportOptions) => tcp(options)
/** Loaded where it is asked for: who listens on TCP needs no WebSockets. */
const overWs = async (options: TransportOptions) => (await import('@tensor-assay/transport-ws')).ws(options)

const schemes: Readonly<Record<string, Scheme>> = {
  tcp: { example: 'tcp://127.0.0.1:11234', encrypted: false, remote: true, load: overTcp },
  tls: { example: 'tls://0.0.0.0:11234', encrypted: true, remote: true, load: overTcp },
  unix: { example: 'unix:/run/assay.sock', encrypted: false, remote: false, load: overTcp },
  ws: { example: 'ws://127.0.0.1:11234/audit', encrypted: false, remote: true, load: overWs },
  wss: { example: 'wss://0.0.0.0:11234/audit', encrypted: true, remote: true, load: overWs },
}

/**
 * The transport of an address.
 *
 * @throws {Complaint} If its scheme is unknown, or there is no certificate where one is needed, or one where none is.
 */
export async function transportOf(address: string, options: TransportOptions): Promise<Transport> {
  const scheme = schemeOf(address)
  if (scheme.encrypted !== (options.tls !== undefined)) {
    throw new Complaint(
      scheme.encrypted
        ? `${address} needs a certificate: --tls-cert FILE --tls-key FILE`
        : `a certificate is for tls:// and wss://, got ${address}`,
    )
  }
  try {
    return await scheme.load(options)
  } catch (error) {
    // A key that does not fit its certificate, for example.
    if (error instanceof TypeError) throw new Complaint(error.message)
    throw error
  }
}

/** Whether what is said there can be read on the way: plain, and not only on this machine. */
export function isExposed(address: string): boolean {
  const { encrypted, remote } = schemeOf(address)
  const isLoopback = /^[a-z]+:\/\/(127\.[\d.]+|\[::1\]|localhost):/.test(address)
  return remote && !encrypted && !isLoopback
}

function schemeOf(address: string): Scheme {
  const [, name = ''] = /^([a-z]+):/.exec(address) ?? []
  const scheme = Object.hasOwn(schemes, name) ? schemes[name] : undefined
  if (scheme !== undefined) return scheme
  const examples = Object.values(schemes).map(({ example }) => example)
  throw new Complaint(`expected an address such as ${examples.join(', ')}, got '${address}'`)
}
