import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import type { Channel, Transport } from '@tensor-assay/core'
import { tcp } from '@tensor-assay/transport-tcp'
import { ws } from '@tensor-assay/transport-ws'
import { WebSocket, WebSocketServer } from 'ws'

/** Messages there and back, of a transport or of a bare WebSocket. */
export interface Pipe {
  /** Resolves when another can be sent. */
  send(message: Uint8Array): Promise<void>
  /** The next message; undefined once the other side has closed. */
  receive(): Promise<Uint8Array | undefined>
  close(): Promise<void>
}

/** A way of carrying messages. */
export interface Carrier {
  dial(address: string): Promise<Pipe>
  /** @returns The address that is listened on. */
  listen(onPipe: (pipe: Pipe) => void): Promise<string>
}

/** By name: what is measured, and what it is measured against. */
export const carriers = {
  ws: bareWebSocket(),
  'transport-ws': overTransport(ws(), 'ws://127.0.0.1:0/'),
  'transport-tcp': overTransport(tcp(), 'tcp://127.0.0.1:0'),
  base64: bareWebSocket(
    (message) => Buffer.from(message.buffer, message.byteOffset, message.byteLength).toString('base64'),
    (data) => Buffer.from(data.toString('latin1'), 'base64'),
  ),
} as const satisfies Record<string, Carrier>

export type CarrierName = keyof typeof carriers

function overTransport(transport: Transport, address: string): Carrier {
  const pipeOf = (channel: Channel): Pipe => {
    const messages = channel[Symbol.asyncIterator]()
    return {
      send: (message) => channel.send([message]),
      receive: async () => (await messages.next()).value as Uint8Array | undefined,
      close: () => channel.close(),
    }
  }
  return {
    dial: async (to) => pipeOf(await transport.dial(to)),
    async listen(onPipe) {
      const listener = await transport.listen(address, (channel) => onPipe(pipeOf(channel)))
      return listener.address
    },
  }
}

/** The package `ws` as it comes, uncompressed, as the transport has it. */
function bareWebSocket(
  encode: (message: Uint8Array) => Uint8Array | string = (message) => message,
  decode: (data: Buffer) => Uint8Array = (data) => data,
): Carrier {
  const options = { perMessageDeflate: false, maxPayload: 64 * 2 ** 20 }
  const pipeOf = (socket: WebSocket): Pipe => {
    const held: Uint8Array[] = []
    let waiting: ((message: Uint8Array | undefined) => void) | undefined
    const give = (message: Uint8Array | undefined) => {
      const take = waiting
      waiting = undefined
      if (take !== undefined) take(message)
      else if (message !== undefined) held.push(message)
    }
    socket.on('message', (data) => give(decode(data as Buffer)))
    socket.on('close', () => give(undefined))
    return {
      send: (message) =>
        new Promise((resolve, reject) => socket.send(encode(message), (error) => (error ? reject(error) : resolve()))),
      async receive() {
        const message = held.shift()
        if (message !== undefined || socket.readyState === WebSocket.CLOSED) return message
        return new Promise((resolve) => {
          waiting = resolve
        })
      },
      async close() {
        const closed = once(socket, 'close')
        socket.close()
        await closed
      },
    }
  }
  return {
    async dial(address) {
      const socket = new WebSocket(address, options)
      await once(socket, 'open')
      return pipeOf(socket)
    },
    async listen(onPipe) {
      const server = new WebSocketServer({ ...options, host: '127.0.0.1', port: 0 })
      server.on('connection', (socket) => onPipe(pipeOf(socket)))
      await once(server, 'listening')
      return `ws://127.0.0.1:${(server.address() as AddressInfo).port}/`
    },
  }
}
