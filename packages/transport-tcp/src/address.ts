import { isIP, isIPv6 } from 'node:net'
import { AssayError } from '@tensor-assay/core'

/** Where to dial or listen. */
export type Address = NetworkAddress | UnixAddress

export interface NetworkAddress {
  readonly scheme: 'tcp' | 'tls'
  /** Without the brackets of an IPv6 address. */
  readonly host: string
  readonly port: number
}

export interface UnixAddress {
  readonly scheme: 'unix'
  readonly path: string
}

/** `sun_path` without its terminating zero: 108 bytes on Linux, 104 elsewhere. Longer paths would be cut silently. */
const maxPathBytes = process.platform === 'linux' ? 107 : 103

/**
 * Parses `tcp://host:port`, `tls://host:port` or `unix:/path`.
 *
 * @throws {AssayError} `address-invalid`.
 */
export function parseAddress(address: string): Address {
  const network = /^(tcp|tls):\/\/(?:\[([^\]]+)\]|([^\s:/?#@[\]]+)):(\d{1,5})$/.exec(address)
  if (network !== null) {
    const [, scheme, v6, name] = network
    const port = Number(network[4])
    if (port > 65_535) throw invalid(address, 'the port is over 65535')
    if (v6 !== undefined && !isIPv6(v6)) throw invalid(address, `${v6} is not an IPv6 address`)
    return { scheme: scheme as 'tcp' | 'tls', host: (v6 ?? name)!, port }
  }
  if (address.startsWith('unix:')) {
    const path = address.slice('unix:'.length)
    if (!path.startsWith('/') || path.includes('\0')) throw invalid(address, 'the path must be absolute')
    const bytes = Buffer.byteLength(path)
    if (bytes > maxPathBytes) throw invalid(address, `the path has ${bytes} bytes, the system allows ${maxPathBytes}`)
    return { scheme: 'unix', path }
  }
  throw invalid(address, 'expected tcp://host:port, tls://host:port or unix:/path, with IPv6 addresses in brackets')
}

export function formatAddress(address: Address): string {
  if (address.scheme === 'unix') return `unix:${address.path}`
  const host = isIP(address.host) === 6 ? `[${address.host}]` : address.host
  return `${address.scheme}://${host}:${address.port}`
}

/** The address to connect to: one that means every interface when listening means this machine when dialing. */
export function dialable(address: NetworkAddress): NetworkAddress {
  const loopback: Record<string, string> = { '0.0.0.0': '127.0.0.1', '::': '::1' }
  return { ...address, host: loopback[address.host] ?? address.host }
}

function invalid(address: string, problem: string): AssayError {
  return new AssayError('address-invalid', `${JSON.stringify(address)} is not an address of this transport: ${problem}`)
}
