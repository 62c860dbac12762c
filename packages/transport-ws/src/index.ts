/**
 * Channels over WebSockets.
 *
 * @example
 * ```ts
 * import { ws } from '@tensor-assay/transport-ws'
 *
 * // Whoever listens: answers every message, and closes when the other side did.
 * const listener = await ws().listen('ws://127.0.0.1:0/audit', async (channel) => {
 *   for await (const message of channel) await channel.send([message])
 *   await channel.close()
 * })
 *
 * // Whoever dials, in Node or in a browser: a message is a list of parts.
 * const channel = await ws().dial(listener.address)
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
export type { WsListenOptions, WsOptions, WsTransport } from './options.ts'
export { ws } from './ws.ts'
