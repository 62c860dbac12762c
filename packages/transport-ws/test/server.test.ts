import { once } from 'node:events'
import { createServer, get, type IncomingMessage } from 'node:http'
import { type AddressInfo, connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket, WebSocketServer } from 'ws'
import { ws } from '../src/index.ts'
import { hello, listening } from './support/listening.ts'
import { rawDial, request, statusOf } from './support/raw.ts'

/** An HTTP server that serves pages, and where it is. */
async function serving() {
  const server = createServer((_, response) => response.end('a page'))
  await once(server.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void server.close())
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`
  return { server, host }
}

async function statusAt(host: string, path: string): Promise<number> {
  const peer = await rawDial(`ws://${host}`)
  peer.write(request({}, path))
  return statusOf(await peer.ended)
}

test('a listener leaves the pages of its server alone', async () => {
  const { server, host } = await serving()
  const { stillServes } = await listening({ address: `ws://${host}/audit`, server })
  for (const path of ['/', '/audit']) {
    const [response] = (await once(get(`http://${host}${path}`), 'response')) as [IncomingMessage]
    expect(response.statusCode).toBe(200)
    response.resume()
  }
  await stillServes()
})

test('several listeners share a server, each on its path, and others get 404', async () => {
  const { server, host } = await serving()
  const first = await listening({ address: `ws://${host}/first`, server })
  const second = await listening({ address: 'ws://0.0.0.0:0/second', server })
  expect(second.address).toBe(`ws://0.0.0.0:${host.split(':')[1]}/second`)
  await first.stillServes()
  await second.stillServes()
  expect([first.channels.length, second.channels.length]).toEqual([1, 1])
  expect(await statusAt(host, '/third')).toBe(404)
  await first.listener.close()
  expect(await statusAt(host, '/first')).toBe(404)
  await second.stillServes()
})

test('paths that somebody else handles are left to them', async () => {
  const { server, host } = await serving()
  const other = new WebSocketServer({ server, path: '/chat', handleProtocols: () => 'chat' })
  onTestFinished(() => void other.close())
  other.on('connection', (socket) => socket.send('welcome'))
  // The other one answers whatever is not its own with 400, unless it is told not to.
  other.shouldHandle = ({ url }) => url === '/chat'
  const handle = other.handleUpgrade.bind(other)
  other.handleUpgrade = (incoming, ...rest) => {
    if (incoming.url === '/chat') handle(incoming, ...rest)
  }
  const { stillServes } = await listening({ address: `ws://${host}/audit`, server })
  await stillServes()
  const chat = new WebSocket(`ws://${host}/chat`, 'chat')
  onTestFinished(() => chat.terminate())
  const [greeting] = await once(chat, 'message')
  expect(String(greeting)).toBe('welcome')
})

test('a path is taken once', async () => {
  const { server, host } = await serving()
  const { listener } = await listening({ address: `ws://${host}/audit`, server })
  const again = () => ws().listen(`ws://${host}/audit`, () => {}, { server })
  await expect(again()).rejects.toMatchObject({ code: 'address-unavailable' })
  await listener.close()
  await listener.close()
  const next = await again()
  await listener.close()
  await expect(again()).rejects.toMatchObject({ code: 'address-unavailable' })
  await next.close()
})

test('nothing is left on a server when its listeners are closed', async () => {
  const { server, host } = await serving()
  const listeners = [
    await listening({ address: `ws://${host}/1`, server }),
    await listening({ address: `ws://${host}/2`, server }),
  ]
  expect(server.listenerCount('upgrade')).toBe(1)
  for (const { listener } of listeners) await listener.close()
  expect(server.listenerCount('upgrade')).toBe(0)
  expect(server.listening).toBe(true)
})

test('connections without an address of their own are told apart', async () => {
  const server = createServer()
  const path = join(tmpdir(), `assay-ws-${process.pid}.sock`)
  await once(server.listen(path), 'listening')
  onTestFinished(() => void server.close())
  const { channels, errors } = await listening({ address: 'ws://localhost:1/audit', server, handshakeTimeoutMs: 200 })
  const dial = async () => {
    const websocket = new WebSocket(`ws+unix://${path}:/audit`, 'tensor-assay.v1')
    websocket.on('error', () => {})
    await once(websocket, 'open')
    return websocket
  }
  const [silent, speaking] = [await dial(), await dial()]
  speaking.send('hello 1000 1000')
  speaking.send(hello)
  await once(silent, 'close')
  expect([channels.length, errors.length]).toEqual([1, 1])
  expect((await channels[0]![Symbol.asyncIterator]().next()).value).toEqual(hello)
  const nobody = connect(path)
  await once(nobody, 'connect')
  nobody.destroy()
})
