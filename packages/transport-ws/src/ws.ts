import { TlsCredentials } from '@tensor-assay/core/node'
import { parseAddress } from './address.ts'
import { dial } from './dial.ts'
import { timeoutOf } from './dialer-options.ts'
import { listen } from './listen.ts'
import { maxChannelsOf, resolveOptions, type WsOptions, type WsTransport } from './options.ts'

/**
 * Channels over `ws://host:port/path` and `wss://host:port/path`; the scheme of the address decides.
 *
 * A host is a name, an IPv4 address or an IPv6 address in brackets; port 0 lets the system choose when listening. With
 * the option `server` a listener shares an HTTP server with whatever else that serves. What a listener reports about
 * connections that never became channels goes to `onError`.
 *
 * A send that nobody awaits never ends the process: a connection that was lost shows in the iteration and in later
 * sends. `message-too-large` is told to whoever awaits the send, and to nobody else.
 *
 * @throws {RangeError} If a limit is not a positive integer.
 * @throws {TypeError} If the TLS options, an origin or the token cannot be used.
 *
 * @example
 * ```ts
 * const transport = ws({ token, origins: ['https://app.example'] })
 * await transport.listen('ws://0.0.0.0:11234/audit', (channel) => verifier.accept(channel))
 * ```
 */
export function ws(options: WsOptions = {}): WsTransport {
  const settings = { ...resolveOptions(options), credentials: new TlsCredentials(options.tls ?? {}) }
  return {
    specificationVersion: 'v1',
    name: 'ws',
    dial: async (address, { signal, handshakeTimeoutMs, background = false } = {}) =>
      dial(parseAddress(address), {
        ...settings,
        signal,
        background,
        handshakeTimeoutMs: timeoutOf({ handshakeTimeoutMs }) ?? settings.handshakeTimeoutMs,
      }),
    listen: async (address, onChannel, { signal, handshakeTimeoutMs, maxChannels, server } = {}) =>
      listen(parseAddress(address), onChannel, {
        ...settings,
        signal,
        server,
        handshakeTimeoutMs: timeoutOf({ handshakeTimeoutMs }) ?? settings.handshakeTimeoutMs,
        maxChannels: maxChannels === undefined ? settings.maxChannels : maxChannelsOf(maxChannels),
      }),
  }
}
