import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type NetConnectOpts, type Socket } from 'node:net'
import type { Channel, Transport } from '@tensor-assay/core'

/** A transport that dials through a relay, so that the connection can be cut from outside. */
export function relayed(transport: Transport): { transport: Transport; sever(dialed: Channel): void } {
  const sockets = new Map<Channel, Socket[]>()
  return {
    transport: {
      ...transport,
      async dial(address, options) {
        const relay: Socket[] = []
        const server = createServer((near) => {
          const far = connect(targetOf(address))
          for (const socket of [near, far]) socket.on('error', () => {})
          near.pipe(far).pipe(near)
          relay.push(near, far)
        })
        server.listen(0, '127.0.0.1')
        await once(server, 'listening')
        const scheme = address.startsWith('tls') ? 'tls' : 'tcp'
        const channel = await transport.dial(`${scheme}://127.0.0.1:${(server.address() as AddressInfo).port}`, options)
        server.close()
        sockets.set(channel, relay)
        return channel
      },
    },
    sever(dialed) {
      for (const socket of sockets.get(dialed)!) socket.destroy()
    },
  }
}

function targetOf(address: string): NetConnectOpts {
  if (address.startsWith('unix:')) return { path: address.slice('unix:'.length) }
  const { hostname, port } = new URL(address)
  return { host: hostname, port: Number(port) }
}
