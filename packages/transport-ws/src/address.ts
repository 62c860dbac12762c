import { AssayError } from '@tensor-assay/core'

/** Where to dial or listen. */
export interface Address {
  readonly scheme: 'ws' | 'wss'
  /** With the brackets of an IPv6 address. */
  readonly host: string
  readonly port: number
  /** Begins with a slash. */
  readonly path: string
}

/**
 * Parses `ws://host:port/path` or `wss://host:port/path`. Without a port it is 80 or 443, without a path `/`.
 *
 * @throws {AssayError} `address-invalid`.
 */
export function parseAddress(address: string): Address {
  // The URL parser would repair what is left out or written otherwise.
  const scheme = /^(wss?):\/\/[^/?#\s\\]+(\/[^\s\\]*)?$/.exec(address)?.[1] as Address['scheme'] | undefined
  if (scheme === undefined) throw invalid(address, 'expected ws://host:port/path or wss://host:port/path')
  let url: URL
  try {
    url = new URL(address)
  } catch {
    throw invalid(address, 'the host or the port cannot be parsed')
  }
  if (url.username !== '' || url.password !== '') throw invalid(address, 'a token belongs into ws({ token })')
  if (address.includes('?') || address.includes('#')) throw invalid(address, 'a path has no query and no fragment')
  const port = url.port === '' ? { ws: 80, wss: 443 }[scheme] : Number(url.port)
  return { scheme, host: url.hostname, port, path: url.pathname }
}

export function formatAddress({ scheme, host, port, path }: Address): string {
  return `${scheme}://${host}:${port}${path === '/' ? '' : path}`
}

/** The address to connect to: one that means every interface when listening means this machine when dialing. */
export function dialable(address: Address): Address {
  const loopback: Record<string, string> = { '0.0.0.0': '127.0.0.1', '[::]': '[::1]' }
  return { ...address, host: loopback[address.host] ?? address.host }
}

/** @throws {AssayError} `address-invalid` if nobody can be dialed there. */
export function requireDialable(address: Address): void {
  if (address.port !== 0) return
  throw invalid(formatAddress(address), 'port 0 is only for listening')
}

function invalid(address: string, problem: string): AssayError {
  return new AssayError('address-invalid', `${JSON.stringify(address)} is not an address of this transport: ${problem}`)
}
