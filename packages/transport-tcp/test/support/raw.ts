import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { encodeHeader, encodePreamble, kinds } from '../../src/wire.ts'

/** A peer that writes bytes instead of calling the transport. */
export interface RawPeer {
  readonly socket: Socket
  write(...parts: (Uint8Array | string)[]): void
  /** Everything received, once the other side has ended the connection. */
  readonly ended: Promise<Buffer>
}

export async function rawDial(address: string): Promise<RawPeer> {
  const { hostname, port } = new URL(address)
  const socket = connect({ host: hostname, port: Number(port), noDelay: true })
  const peer = raw(socket)
  await once(socket, 'connect')
  return peer
}

/** Listens for one connection at a time on the address that is returned. */
export async function rawListen(onPeer: (peer: RawPeer) => void): Promise<string> {
  const server = createServer({ noDelay: true }, (socket) => onPeer(raw(socket)))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function raw(socket: Socket): RawPeer {
  const received: Buffer[] = []
  socket.on('error', () => {})
  socket.on('data', (chunk) => received.push(chunk))
  onTestFinished(() => void socket.destroy())
  const ended = new Promise<Buffer>((resolve) => socket.on('close', () => resolve(Buffer.concat(received))))
  return { socket, write: (...parts) => parts.forEach((part) => void socket.write(part)), ended }
}

export const preamble = encodePreamble({ maxMessageBytes: 2 ** 20, refused: false })
export const goodbye = encodeHeader(kinds.goodbye, 0)
export const goodbyeReceived = encodeHeader(kinds.goodbyeReceived, 0)

export function messageFrame(body: Uint8Array): Buffer {
  return Buffer.concat([encodeHeader(kinds.message, body.length), body])
}
