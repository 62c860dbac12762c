import { once } from 'node:events'
import { createServer as createHttpServer, type Server as HttpServer } from 'node:http'
import { createServer as createHttpsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { AssayError, type Channel, type Listener } from '@tensor-assay/core'
import { type Address, formatAddress } from './address.ts'
import { attach } from './attach.ts'
import type { NodeSettings } from './dial.ts'
import { Reception } from './reception.ts'

export interface ListenSettings extends NodeSettings {
  readonly server: HttpServer | HttpsServer | undefined
}

type OnChannel = (channel: Channel) => void

/** Hands every WebSocket that completes its handshake to `onChannel`. */
export async function listen(address: Address, onChannel: OnChannel, settings: ListenSettings): Promise<Listener> {
  const { signal, server } = settings
  throwIfAborted(address, signal)
  const listener =
    server === undefined ? bind(address, onChannel, settings) : join(server, address, onChannel, settings)
  const { close, ...rest } = await listener
  if (signal?.aborted) await close()
  throwIfAborted(address, signal)
  return { ...rest, close, [Symbol.asyncDispose]: close }
}

type Bound = Omit<Listener, typeof Symbol.asyncDispose>

/** Listens with a server of its own. */
async function bind(address: Address, onChannel: OnChannel, settings: ListenSettings): Promise<Bound> {
  const server = createServer(address, settings)
  const reception = new Reception(address, onChannel, settings)
  server.on('connection', (socket) => reception.accept(socket))
  // Those of TLS are among them.
  server.on('clientError', (error, stream) => reception.reject(error, stream))
  server.on('request', (request, response) => reception.answer(request, response))
  server.on('upgrade', (request, stream, head) => reception.upgrade(request, stream, head))
  try {
    server.listen({ host: address.host.replace(/^\[|\]$/g, ''), port: address.port })
    await once(server, 'listening')
  } catch (cause) {
    throw unavailable(address, (cause as Error).message, cause)
  }
  const label = formatAddress({ ...address, port: (server.address() as AddressInfo).port })
  // For example, no file descriptor was left for a connection. The next one may find one.
  server.on('error', (error) => settings.onError(error, label))
  const close = async () => {
    // Its callback would wait for the open channels to end, which go on.
    server.close()
    reception.close()
  }
  return { address: label, close }
}

const certificateAdvice = 'pass ws({ tls: { key, cert } }), or a server that has one'

function createServer({ scheme }: Address, { credentials }: ListenSettings): HttpServer | HttpsServer {
  return scheme === 'ws' ? createHttpServer() : createHttpsServer(credentials.serverOptions(certificateAdvice))
}

/** Listens on a path of somebody else's server. */
async function join(
  server: HttpServer | HttpsServer,
  address: Address,
  onChannel: OnChannel,
  settings: ListenSettings,
): Promise<Bound> {
  const bound = { ...address, port: address.port || portOf(server) }
  const reception = new Reception(bound, onChannel, settings)
  const detach = attach(server, address.path, (...upgrade) => reception.upgrade(...upgrade))
  if (detach === undefined) throw unavailable(bound, 'the server has a listener on this path already')
  const close = async () => {
    detach()
    reception.close()
  }
  return { address: formatAddress(bound), close }
}

function portOf(server: HttpServer | HttpsServer): number {
  const bound = server.address()
  if (bound !== null && typeof bound === 'object') return bound.port
  throw new TypeError('port 0 stands for that of the server, which listens on none: state one, or let it listen first')
}

function unavailable(address: Address, problem: string, cause?: unknown): AssayError {
  return new AssayError('address-unavailable', `cannot listen on ${formatAddress(address)}: ${problem}`, { cause })
}

function throwIfAborted(address: Address, signal: AbortSignal | undefined): void {
  if (!signal?.aborted) return
  const message = `listening on ${formatAddress(address)} was aborted by the caller`
  throw new AssayError('aborted', message, { cause: signal.reason })
}
