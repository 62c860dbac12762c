import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import type { Channel, Transport } from '@tensor-assay/core'

export interface Relay {
  /** Dials through the relay. */
  readonly transport: Transport
  /** Cuts the connection under a channel, as a pulled cable would. */
  sever(dialed: Channel): void
}

type Carry = (from: Socket, to: Socket) => unknown

/** A transport that dials through a relay in between. */
export function relayed(transport: Transport, carry: Carry = (from, to) => from.pipe(to)): Relay {
  const sockets = new Map<Channel, Socket[]>()
  return {
    transport: {
      ...transport,
      async dial(address, options) {
        if (!URL.canParse(address)) return transport.dial(address, options)
        const { hostname, port } = new URL(address)
        const pair: Socket[] = []
        const server = createServer({ noDelay: true }, (near) => {
          const far = connect({ host: hostname, port: Number(port), noDelay: true })
          for (const socket of [near, far]) socket.on('error', () => {})
          void carry(near, far)
          void carry(far, near)
          pair.push(near, far)
        })
        server.listen(0, '127.0.0.1')
        await once(server, 'listening')
        const there = address.replace(/\/\/[^/]+/, `//127.0.0.1:${(server.address() as AddressInfo).port}`)
        try {
          const channel = await transport.dial(there, options)
          sockets.set(channel, pair)
          return channel
        } finally {
          server.close()
        }
      },
    },
    sever(dialed) {
      for (const socket of sockets.get(dialed)!) socket.destroy()
    },
  }
}

/** Carries what it reads in small pieces: the first bytes one by one, in which headers are, and the rest in thirds. */
export async function inPieces(from: Socket, to: Socket): Promise<void> {
  try {
    for await (const chunk of from as AsyncIterable<Buffer>) {
      let offset = 0
      while (offset < chunk.length) {
        const length = offset < 20 ? 1 : Math.max(1, Math.ceil((chunk.length - offset) / 3))
        const written = to.write(chunk.subarray(offset, offset + length))
        offset += length
        if (written) await setImmediate()
        else await Promise.race([once(to, 'drain'), once(to, 'close')])
      }
    }
    to.end()
  } catch {
    to.destroy()
  }
}
