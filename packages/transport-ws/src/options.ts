import type { Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Channel, Listener, ListenOptions, Transport } from '@tensor-assay/core'
import type { TlsOptions } from '@tensor-assay/core/node'
import { type DialerOptions, type DialerSettings, integer, resolveDialerOptions, timeoutOf } from './dialer-options.ts'

/** Every bound and wait of this transport. A timeout of `Infinity` means never. */
export interface WsOptions extends DialerOptions {
  /** Channels of one listener at once; and as many connections may be in the handshake. Default 1024. */
  readonly maxChannels?: number
  /**
   * Received bytes of all channels of a listener together, those of unfinished messages and of handshakes included. Beyond
   * it the channel ends that has held some for the longest time. Default 1 GiB.
   */
  readonly maxTotalBufferedBytes?: number
  /** Between the answer to one ping and the next. Pings keep the connection alive in proxies. Default 30 000 ms. */
  readonly pingIntervalMs?: number
  /**
   * For the answer to a ping, or for every 64 KiB of a message that it waits behind. It has to outlast the longest
   * synchronous product, during which a prover cannot answer. Default 120 000 ms.
   */
  readonly stallTimeoutMs?: number
  /**
   * Pages that a listener lets in, by their origin as browsers write it, `https://app.example`; `'*'` lets in all.
   * Programs that are not browsers send no origin, and are let in. Default: none.
   */
  readonly origins?: readonly string[]
  /** Certificates for `wss://`. */
  readonly tls?: TlsOptions
  /**
   * Told of each connection that a listener could not turn into a channel, of channels whose `onChannel` failed, and of
   * errors of the listening socket. Nothing has to be done about any of them. Default: they are not reported.
   *
   * @param peer - The address at the other end, or the listener's own.
   */
  readonly onError?: (error: Error, peer: string) => void
}

export interface WsListenOptions extends ListenOptions {
  /**
   * A server to listen on, besides whatever else it serves: requests to open a WebSocket at the path of the address
   * become channels. Binding, closing and TLS stay with its owner. The host and port of the address only name the
   * listener; port 0 becomes that of the server, which has to be listening then.
   */
  readonly server?: HttpServer | HttpsServer
}

export interface WsTransport extends Transport {
  listen(address: string, onChannel: (channel: Channel) => void, options?: WsListenOptions): Promise<Listener>
}

export interface Settings extends DialerSettings {
  readonly maxChannels: number
  readonly maxTotalBufferedBytes: number
  readonly pingIntervalMs: number
  readonly stallTimeoutMs: number
  readonly origins: ReadonlySet<string>
  readonly onError: (error: Error, peer: string) => void
}

export function resolveOptions(options: WsOptions): Settings {
  return {
    ...resolveDialerOptions(options),
    maxChannels: maxChannelsOf(options.maxChannels ?? 1024),
    maxTotalBufferedBytes: integer('maxTotalBufferedBytes', options.maxTotalBufferedBytes ?? 2 ** 30),
    pingIntervalMs: timeoutOf({ pingIntervalMs: options.pingIntervalMs }) ?? 30_000,
    stallTimeoutMs: timeoutOf({ stallTimeoutMs: options.stallTimeoutMs }) ?? 120_000,
    origins: new Set((options.origins ?? []).map(originOf)),
    onError: options.onError ?? (() => {}),
  }
}

export function maxChannelsOf(maxChannels: number): number {
  return integer('maxChannels', maxChannels)
}

/** @throws {TypeError} If no browser would ever send this. */
function originOf(origin: string): string {
  const isOrigin = /^[a-z][a-z\d+.-]*:\/\/[^/?#*\s]+$/.test(origin)
  const asSent = isOrigin && /^https?:/.test(origin) && URL.canParse(origin) ? new URL(origin).origin : origin
  if (origin === '*' || origin === 'null' || (isOrigin && asSent === origin)) return origin
  throw new TypeError(`origins are like https://app.example, as browsers write them, got ${JSON.stringify(origin)}`)
}
