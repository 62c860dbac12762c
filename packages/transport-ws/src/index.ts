/**
 * Channels over WebSockets.
 *
 * @module
 */
export type { WsListenOptions, WsOptions, WsTransport } from './options.ts'
export type { TlsOptions } from './tls.ts'
export { ws } from './ws.ts'
