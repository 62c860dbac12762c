import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'
import { eventually } from './eventually.ts'

/** A peer that writes bytes instead of calling the transport. */
export interface RawPeer {
  readonly socket: Socket
  write(...parts: (Uint8Array | string)[]): void
  received(): Buffer
  /** Everything received, once the other side has ended the connection. */
  readonly ended: Promise<Buffer>
}

export async function rawDial(address: string, options: { allowHalfOpen?: boolean } = {}): Promise<RawPeer> {
  const { hostname, port } = new URL(address)
  const socket = connect({ ...options, host: hostname, port: Number(port), noDelay: true })
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
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`
}

function raw(socket: Socket): RawPeer {
  const received: Buffer[] = []
  socket.on('error', () => {})
  socket.on('data', (chunk) => received.push(chunk))
  onTestFinished(() => void socket.destroy())
  const all = () => Buffer.concat(received)
  const ended = new Promise<Buffer>((resolve) => socket.on('close', () => resolve(all())))
  return { socket, write: (...parts) => parts.forEach((part) => void socket.write(part)), received: all, ended }
}

/** A request to open a WebSocket, correct but for the headers that are replaced, or left out where `undefined`. */
export function request(headers: Readonly<Record<string, string | undefined>> = {}, target = '/'): string {
  const all: Record<string, string | undefined> = {
    Host: 'auditor',
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'Sec-WebSocket-Protocol': 'tensor-assay.v1',
    ...headers,
  }
  const lines = Object.entries(all).flatMap(([name, value]) => (value === undefined ? [] : [`${name}: ${value}`]))
  return [`GET ${target} HTTP/1.1`, ...lines, '', ''].join('\r\n')
}

export const opcodes = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const

/** The start of a frame, masked with zeros, which leave the payload as it is. */
export function head(opcode: number, length: number, final = true): Buffer {
  const bytes = Buffer.alloc(length < 126 ? 6 : length < 2 ** 16 ? 8 : 14)
  bytes[0] = opcode | (final ? 0x80 : 0)
  bytes[1] = 0x80 | (length < 126 ? length : length < 2 ** 16 ? 126 : 127)
  if (bytes.length === 8) bytes.writeUInt16BE(length, 2)
  if (bytes.length === 14) bytes.writeBigUInt64BE(BigInt(length), 2)
  return bytes
}

export function frame(opcode: number, payload: Uint8Array | string, final = true): Buffer {
  const bytes = Buffer.from(payload as string)
  return Buffer.concat([head(opcode, bytes.length, final), bytes])
}

const usualHello = 'hello 67108864 8388608'
export const helloFrame = frame(opcodes.text, usualHello)
export const goodbyeFrame = frame(opcodes.text, 'goodbye')

/** Opens a WebSocket and says hello. */
export async function greeted(address: string, line = usualHello): Promise<RawPeer> {
  const peer = await rawDial(address)
  peer.write(request(), frame(opcodes.text, line))
  return peer
}

/** Waits for the bytes of a whole frame with this opcode, sent without a mask and with a payload under 126 bytes. */
export async function receives(peer: RawPeer, opcode: number, payload: Uint8Array | string): Promise<void> {
  const bytes = Buffer.from(payload as string)
  const expected = Buffer.concat([Buffer.from([0x80 | opcode, bytes.length]), bytes])
  await eventually(() => {
    if (!peer.received().includes(expected)) throw new Error(`did not receive ${expected.toString('latin1')}`)
  })
}

/** The code of the close frame that a peer got last. */
export function closeCodeOf(received: Buffer): number {
  const at = received.lastIndexOf(0x88)
  return received.readUInt16BE(at + 2)
}

export function statusOf(received: Buffer): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(received.toString('latin1'))?.[1])
}
