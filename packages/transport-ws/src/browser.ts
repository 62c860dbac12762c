/**
 * Channels over `ws://` and `wss://` for browsers, with their own `WebSocket`. Bundlers that know the condition `browser`
 * take this in place of the entry for Node.
 *
 * @module
 */
import { AssayError, type Transport } from '@tensor-assay/core'
import { parseAddress } from './address.ts'
import { dial } from './browser-dial.ts'
import { type DialerOptions, resolveDialerOptions, timeoutOf } from './dialer-options.ts'

/**
 * Dials from a page or a worker. Options that only mean something in Node are not looked at, but for `tls`: which
 * certificates are trusted is for the browser to decide.
 *
 * @throws {RangeError} If a limit is not a positive integer.
 * @throws {TypeError} If the token cannot be used, or with `tls`.
 */
export function ws(options: DialerOptions = {}): Transport {
  if ('tls' in options && options.tls !== undefined) {
    throw new TypeError('ws({ tls }) is for Node: in a browser, only the browser decides which certificates it trusts')
  }
  const settings = resolveDialerOptions(options)
  return {
    specificationVersion: 'v1',
    name: 'ws',
    dial: async (address, { signal, handshakeTimeoutMs } = {}) =>
      dial(parseAddress(address), {
        ...settings,
        signal,
        handshakeTimeoutMs: timeoutOf({ handshakeTimeoutMs }) ?? settings.handshakeTimeoutMs,
      }),
    listen: async (address) => {
      parseAddress(address)
      const advice = 'let the other side listen, in Node, and dial it from here'
      throw new AssayError('address-unavailable', `a browser cannot listen on ${address}; ${advice}`)
    },
  }
}

export type { DialerOptions as WsOptions } from './dialer-options.ts'
