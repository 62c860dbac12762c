import type { Transport } from '@tensor-assay/core'
import { parseAddress } from './address.ts'
import { dial } from './dial.ts'
import { listen } from './listen.ts'
import { maxChannelsOf, resolveOptions, type TcpOptions, timeoutOf } from './options.ts'

/**
 * Channels over `tcp://host:port`, `tls://host:port` and `unix:/path`; the scheme of the address decides.
 *
 * A host is a name, an IPv4 address or an IPv6 address in brackets; port 0 lets the system choose when listening. What a
 * listener reports about connections that never became channels goes to `onError`.
 *
 * A send that nobody awaits never ends the process: a connection that was lost shows in the iteration and in later
 * sends. `message-too-large` is told to whoever awaits the send, and to nobody else.
 *
 * @throws {RangeError} If a limit is not a positive integer.
 * @throws {TypeError} If the TLS options cannot be used.
 *
 * @example
 * ```ts
 * const transport = tcp({ tls: { key, cert }, maxMessageBytes: 16 * 2 ** 20 })
 * await transport.listen('tls://0.0.0.0:11234', (channel) => verifier.accept(channel))
 * ```
 */
export function tcp(options: TcpOptions = {}): Transport {
  const settings = resolveOptions(options)
  return {
    specificationVersion: 'v1',
    name: 'tcp',
    dial: async (address, { signal, handshakeTimeoutMs, background = false } = {}) =>
      dial(parseAddress(address), {
        ...settings,
        signal,
        background,
        handshakeTimeoutMs: timeoutOf({ handshakeTimeoutMs }) ?? settings.handshakeTimeoutMs,
      }),
    listen: async (address, onChannel, { signal, handshakeTimeoutMs, maxChannels } = {}) =>
      listen(parseAddress(address), onChannel, {
        ...settings,
        signal,
        handshakeTimeoutMs: timeoutOf({ handshakeTimeoutMs }) ?? settings.handshakeTimeoutMs,
        maxChannels: maxChannels === undefined ? settings.maxChannels : maxChannelsOf(maxChannels),
      }),
  }
}
