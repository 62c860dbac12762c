import type { Socket } from 'node:net'
import { createServer, type TLSSocket } from 'node:tls'
import { peerUntrusted, type TlsServerOptions } from '@tensor-assay/core/node'

interface Underway {
  resolve(socket: TLSSocket): void
  reject(error: Error): void
}

/** Turns accepted connections into TLS ones. The server inside never listens: it is given connections. */
export class TlsGate {
  readonly #server: ReturnType<typeof createServer>
  /** By the four-tuple of the connection, the one thing that is visible on both layers. */
  readonly #underway = new Map<string, Underway>()

  constructor(options: TlsServerOptions) {
    const server = createServer(options)
    this.#server = server
    server.on('secureConnection', (socket) => this.#underway.get(endpoints(socket))?.resolve(socket))
    server.on('tlsClientError', (error, socket) => {
      this.#underway.get(endpoints(socket))?.reject(peerUntrusted(`the TLS handshake failed: ${error.message}`, error))
    })
  }

  /** @throws {AssayError} `peer-untrusted`, or what the connection was destroyed with. */
  async secure(raw: Socket): Promise<TLSSocket> {
    const key = endpoints(raw)
    try {
      return await new Promise<TLSSocket>((resolve, reject) => {
        this.#underway.set(key, { resolve, reject })
        raw.once('close', () =>
          reject(raw.errored ?? peerUntrusted('it ended the connection during the TLS handshake')),
        )
        this.#server.emit('connection', raw)
      })
    } finally {
      this.#underway.delete(key)
    }
  }
}

function endpoints(socket: Socket): string {
  return `${socket.remoteAddress} ${socket.remotePort} ${socket.localAddress} ${socket.localPort}`
}
