/**
 * Channels over TCP, TLS and Unix sockets.
 *
 * @example
 * ```ts
 * import { tcp } from '@tensor-assay/transport-tcp'
 *
 * // Whoever listens: answers every message, and closes when the other side did.
 * const listener = await tcp().listen('tcp://127.0.0.1:0', async (channel) => {
 *   for await (const message of channel) await channel.send([message])
 *   await channel.close()
 * })
 *
 * // Whoever dials: a message is a list of parts, which are sent without being joined.
 * const channel = await tcp().dial(listener.address)
 * await channel.send([new TextEncoder().encode('hello, '), new TextEncoder().encode('auditor')])
 * for await (const message of channel) {
 *   console.log(new TextDecoder().decode(message)) // hello, auditor
 *   break
 * }
 * await channel.close()
 * await listener.close()
 * ```
 *
 * @module
 */

export type { TlsOptions } from '@tensor-assay/core/node'
export type { TcpOptions } from './options.ts'
export { tcp } from './tcp.ts'
