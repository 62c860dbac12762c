import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { connect, type Socket } from 'node:net'
import { AssayError, type Channel, Deadline } from '@tensor-assay/core'
import { isTlsError, peerUntrusted, type TlsCredentials } from '@tensor-assay/core/node'
import { WebSocket } from 'ws'
import { type Address, dialable, formatAddress, requireDialable } from './address.ts'
import { greet } from './greeting.ts'
import { NodeLink } from './node-link.ts'
import type { Settings } from './options.ts'
import { malformed, subprotocol } from './wire.ts'
import { wsOptions } from './ws-options.ts'

export interface NodeSettings extends Settings {
  readonly credentials: TlsCredentials
  readonly signal: AbortSignal | undefined
}

export interface DialSettings extends NodeSettings {
  /** Whether the process may end while the channel is open. */
  readonly background: boolean
}

/** Keep-alive finds a machine that vanished where pings are turned off. */
export const keepAliveDelayMs = 60_000

/** Connects, opens the WebSocket, exchanges hellos and gives the channel, or leaves nothing behind. */
export async function dial(address: Address, settings: DialSettings): Promise<Channel> {
  const { signal, handshakeTimeoutMs, background } = settings
  const label = formatAddress(address)
  requireDialable(address)
  if (signal?.aborted) throw aborted(label, signal)

  const socket = open(address, settings)
  socket.on('error', () => {}) // whoever waits for it hears it too; after that nobody needs to
  const onAbort = () => socket.destroy(aborted(label, signal!))
  signal?.addEventListener('abort', onAbort, { once: true })
  const deadline = new Deadline(handshakeTimeoutMs, () => {
    const late = `${label} did not complete the handshake within ${handshakeTimeoutMs} ms`
    socket.destroy(new AssayError('deadline-exceeded', late))
  }).start()
  try {
    await once(socket, address.scheme === 'wss' ? 'secureConnect' : 'connect')
    // Before the request, which may carry a token.
    const distrust = settings.credentials.distrustOf(socket)
    if (distrust !== undefined) throw distrust
    const channel = await upgrade(socket, address, settings)
    if (background) socket.unref()
    return channel
  } catch (error) {
    socket.destroy()
    throw asDialError(error as Error, label, address.scheme === 'wss')
  } finally {
    deadline.stop()
    signal?.removeEventListener('abort', onAbort)
  }
}

function open(address: Address, { credentials }: NodeSettings): Socket {
  const { scheme, host: urlHost, port } = dialable(address)
  const host = urlHost.replace(/^\[|\]$/g, '')
  const socket = scheme === 'wss' ? credentials.connect({ host, port }) : connect({ host, port })
  return socket.setNoDelay(true).setKeepAlive(true, keepAliveDelayMs)
}

function upgrade(socket: Socket, address: Address, settings: NodeSettings): Promise<Channel> {
  const label = formatAddress(address)
  const websocket = new WebSocket(label, subprotocol, {
    ...wsOptions(settings),
    createConnection: () => socket,
    ...(settings.token !== undefined && { headers: { Authorization: `Bearer ${settings.token}` } }),
  })
  const link = new NodeLink(websocket, socket, settings)
  const refused = new Promise<never>((_, reject) => {
    websocket.on('unexpected-response', (_request, response) => reject(refusalOf(response, label)))
  })
  return Promise.race([greet(link, label, settings), refused])
}

function refusalOf({ statusCode = 0, headers }: IncomingMessage, label: string): AssayError {
  const unreachable = (problem: string) => new AssayError('peer-unreachable', `${label} ${problem}`)
  if (statusCode === 401) return peerUntrusted(`${label} wants a token, or another one: ws({ token })`)
  if (statusCode === 403) return peerUntrusted(`${label} does not accept the certificate of this side`)
  if (statusCode === 404) return unreachable('is a path that nobody listens on')
  if (statusCode === 503) return unreachable('has no room for another channel')
  if (statusCode > 500) return unreachable(`is behind a server that answered with the HTTP status ${statusCode}`)
  const wanted = headers['sec-websocket-protocol']
  if (statusCode === 400 && wanted !== undefined) return unsupported(`it speaks ${JSON.stringify(wanted)}`)
  return malformed(`the HTTP status ${statusCode}; is ${label} a listener of this transport?`)
}

function unsupported(problem: string, cause?: Error): AssayError {
  const versions = `the peer does not speak ${subprotocol}: ${problem}`
  return new AssayError('version-unsupported', `${versions}; install the same version of the transport on both`, {
    cause,
  })
}

function aborted(label: string, signal: AbortSignal): AssayError {
  return new AssayError('aborted', `dialing ${label} was aborted by the caller`, { cause: signal.reason })
}

function asDialError(error: NodeJS.ErrnoException, label: string, secure: boolean): AssayError {
  const { code, message } = error
  if (AssayError.isInstance(error)) {
    if (error.code !== 'channel-lost') return error
    return new AssayError('peer-unreachable', `${label}: ${message}`, { cause: error })
  }
  // A host with several addresses fails with one error for each, and no message of its own.
  const reasons = error instanceof AggregateError ? error.errors.map((each: Error) => each.message) : [message]
  if (reasons.length === 1) {
    if (code === undefined && message.includes('subprotocol')) return unsupported(message, error)
    // What `ws` finds wrong with an answer has no code.
    if (code === undefined || code.startsWith('HPE_')) return malformed(`an answer to HTTP: ${message}`, error)
    if (secure && isTlsError(error)) return peerUntrusted(`${label}: ${message}`, error)
  }
  return new AssayError('peer-unreachable', `nobody answers on ${label}: ${reasons.join('; ')}`, { cause: error })
}
