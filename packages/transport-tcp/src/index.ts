/**
 * Channels over TCP, TLS and Unix sockets.
 *
 * @example
 * ```ts
 * import { tcp } from '@tensor-assay/transport-tcp'
 *
 * const listener = await tcp().listen('tcp://127.0.0.1:0', async (channel) => {
 *   for await (const message of channel) await channel.send([message])
 *   await channel.close()
 * })
 * const channel = await tcp().dial(listener.address)
 * await channel.send([new TextEncoder().encode('hello')])
 * ```
 *
 * @module
 */
export type { TcpOptions } from './options.ts'
export { tcp } from './tcp.ts'
export type { TlsOptions } from './tls.ts'
