import type { IncomingMessage, ServerResponse } from 'node:http'
import type { Socket } from 'node:net'
import type { Duplex } from 'node:stream'
import { AssayError, type Channel, MemoryBudget } from '@tensor-assay/core'
import { peerUntrusted } from '@tensor-assay/core/node'
import { type WebSocket, WebSocketServer } from 'ws'
import { type Address, formatAddress } from './address.ts'
import { Arrival } from './arrival.ts'
import { keepAliveDelayMs } from './dial.ts'
import { Gate, pathOf, type Refusal, refusal, refuse } from './gate.ts'
import { greet } from './greeting.ts'
import type { ListenSettings } from './listen.ts'
import { NodeLink } from './node-link.ts'
import { malformed, subprotocol } from './wire.ts'
import { wsOptions } from './ws-options.ts'

/**
 * Turns connections to an HTTP server into channels. Whatever a peer does ends its own connection and is reported;
 * nothing is thrown to the server.
 */
export class Reception {
  readonly #address: Address
  readonly #onChannel: (channel: Channel) => unknown
  readonly #settings: ListenSettings
  readonly #gate: Gate
  readonly #upgrader: WebSocketServer
  readonly #memory: MemoryBudget
  readonly #arriving = new Map<unknown, Arrival>()
  #channels = 0

  constructor(address: Address, onChannel: (channel: Channel) => unknown, settings: ListenSettings) {
    this.#address = address
    this.#onChannel = onChannel
    this.#settings = settings
    this.#memory = new MemoryBudget(settings.maxTotalBufferedBytes)
    this.#gate = new Gate({ ...settings, path: address.path })
    const handleProtocols = () => subprotocol
    this.#upgrader = new WebSocketServer({
      ...wsOptions(settings),
      noServer: true,
      clientTracking: false,
      handleProtocols,
    })
  }

  /** A connection has been accepted. Not called for connections of a server that belongs to somebody else. */
  accept(socket: Socket): void {
    const { maxChannels } = this.#settings
    if (this.#arriving.size < maxChannels) {
      this.#arrive(socket)
      return
    }
    const peer = this.#peerOf(socket)
    socket.on('error', () => {})
    socket.destroy()
    this.#report(new AssayError('channel-lost', `refused ${peer}: ${maxChannels} others are in the handshake`), peer)
  }

  /** It has asked for something else than a WebSocket. */
  answer(request: IncomingMessage, response: ServerResponse): void {
    const status = pathOf(request) === this.#address.path ? 426 : 404
    const { error } = refusal(status, 'frame-malformed', 'it asked for a page, and this is a WebSocket')
    this.#arrivalOf(request.socket).report(error)
    response.writeHead(status, { Connection: 'close', Upgrade: 'websocket', 'Content-Type': 'text/plain' })
    response.end(`${error.message}\n`)
  }

  /** It has asked for a WebSocket. */
  upgrade(request: IncomingMessage, stream: Duplex, head: Buffer): void {
    const socket = stream as Socket
    const arrival = this.#arrivalOf(socket)
    const refused = this.#refusalOf(request, socket)
    if (refused !== undefined) {
      arrival.report(refused.error)
      refuse(socket, refused)
      return
    }
    let websocket: WebSocket | undefined
    this.#upgrader.handleUpgrade(request, socket, head, (opened) => {
      websocket = opened
    })
    if (websocket === undefined) {
      // `ws` has answered already.
      arrival.report(malformed('a request that opens no WebSocket'))
      return
    }
    socket.setKeepAlive(true, keepAliveDelayMs)
    this.#channels += 1
    socket.once('close', () => {
      this.#channels -= 1
    })
    void this.#welcome(new NodeLink(websocket, socket, this.#settings, this.#memory), arrival)
  }

  /** It speaks no HTTP, or no TLS, or has left. */
  reject(error: NodeJS.ErrnoException, stream: Duplex): void {
    // None where it was not even let in.
    const arrival = this.#arriving.get(endpoints(stream as Socket))
    const { code = '', message } = error
    if (code.startsWith('HPE_') && code !== 'HPE_INVALID_EOF_STATE' && stream.writable) {
      const refused = {
        status: code === 'HPE_HEADER_OVERFLOW' ? 431 : 400,
        error: malformed(`no HTTP: ${message}`, error),
      }
      arrival?.report(refused.error)
      refuse(stream, refused)
      return
    }
    if (/^(ERR_SSL_|EPROTO$)/.test(code)) arrival?.report(peerUntrusted(`TLS failed: ${message}`, error))
    stream.destroy()
  }

  /** Ends the handshakes under way. Channels go on. */
  close(): void {
    for (const arrival of this.#arriving.values()) arrival.dismiss()
  }

  async #welcome(link: NodeLink, arrival: Arrival): Promise<void> {
    const channel = await this.#greet(link, arrival)
    if (channel === undefined) return
    try {
      // An asynchronous handler returns a promise, whatever its type says.
      await this.#onChannel(channel)
    } catch (error) {
      const failure = error instanceof Error ? error : new Error(`onChannel threw ${String(error)}`)
      channel.abort(failure)
      this.#report(failure, arrival.peer)
    }
  }

  async #greet(link: NodeLink, arrival: Arrival): Promise<Channel | undefined> {
    try {
      const channel = await greet(link, arrival.peer, this.#settings)
      arrival.succeed()
      return channel
    } catch (error) {
      arrival.report(error as Error)
      return undefined
    }
  }

  #refusalOf(request: IncomingMessage, socket: Socket): Refusal | undefined {
    const { credentials, maxChannels, server } = this.#settings
    // TLS of another's server is for that one to decide.
    const distrust = server === undefined ? credentials.refusalOf(socket) : undefined
    if (distrust !== undefined) return { status: 403, error: distrust }
    const refused = this.#gate.refusalOf(request)
    if (refused !== undefined || this.#channels < maxChannels) return refused
    return refusal(503, 'channel-lost', `all ${maxChannels} channels are taken`)
  }

  #arrivalOf(socket: Socket): Arrival {
    return this.#arriving.get(endpoints(socket)) ?? this.#arrive(socket)
  }

  #arrive(socket: Socket): Arrival {
    const key = endpoints(socket)
    const { handshakeTimeoutMs, onError } = this.#settings
    const onGone = () => this.#arriving.delete(key)
    const arrival = new Arrival(socket, this.#peerOf(socket), handshakeTimeoutMs, onError, onGone)
    this.#arriving.set(key, arrival)
    return arrival
  }

  #report(error: Error, peer: string): void {
    this.#settings.onError(error, peer)
  }

  #peerOf({ remoteAddress, remotePort }: Socket): string {
    if (remoteAddress === undefined || remotePort === undefined) return formatAddress(this.#address)
    const host = remoteAddress.includes(':') ? `[${remoteAddress}]` : remoteAddress
    return formatAddress({ ...this.#address, host, port: remotePort, path: '/' })
  }
}

/** What names a connection beneath TLS as well as above it: its four-tuple, if it has one. */
function endpoints(socket: Socket): unknown {
  const { remoteAddress, remotePort, localAddress, localPort } = socket
  return remoteAddress === undefined ? socket : `${remoteAddress} ${remotePort} ${localAddress} ${localPort}`
}
