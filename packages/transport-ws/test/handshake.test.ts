import { once } from 'node:events'
import { createServer } from 'node:tls'
import { describe, expect, onTestFinished, test } from 'vitest'
import { WebSocketServer } from 'ws'
import { ws } from '../src/index.ts'
import { certificate } from './support/certificates.ts'
import { eventually } from './support/eventually.ts'
import { listening } from './support/listening.ts'
import {
  closeCodeOf,
  frame,
  greeted,
  head,
  helloFrame,
  opcodes,
  rawDial,
  rawListen,
  request,
  statusOf,
} from './support/raw.ts'

const token = 'a+secret/of~ours=='
/** Of a dialer in a browser, in which no header can be set. */
const tokenOffer = 'tensor-assay.bearer.YStzZWNyZXQvb2Z-b3Vycz09'

describe('a request that opens no channel', () => {
  test.each<[string, string, number, string]>([
    ['a page', 'GET / HTTP/1.1\r\nHost: auditor\r\n\r\n', 426, 'frame-malformed'],
    ['a form', 'POST / HTTP/1.1\r\nHost: auditor\r\nContent-Length: 1000\r\n\r\na=b', 426, 'frame-malformed'],
    ['a page elsewhere', 'GET /page HTTP/1.1\r\nHost: auditor\r\n\r\n', 404, 'frame-malformed'],
    ['another path', request({}, '/elsewhere'), 404, 'frame-malformed'],
    ['a longer path', request({}, '//'), 404, 'frame-malformed'],
    ['no subprotocol', request({ ...authorized(), 'Sec-WebSocket-Protocol': undefined }), 400, 'version-unsupported'],
    ['another one', request({ ...authorized(), 'Sec-WebSocket-Protocol': 'chat' }), 400, 'version-unsupported'],
    ['no token', request(), 401, 'peer-untrusted'],
    ['an empty token', request({ Authorization: 'Bearer ' }), 401, 'peer-untrusted'],
    ['the wrong token', request({ Authorization: 'Bearer another' }), 401, 'peer-untrusted'],
    ['half of the token', request({ Authorization: `Bearer ${token.slice(0, -1)}` }), 401, 'peer-untrusted'],
    ['a password', request({ Authorization: `Basic ${token}` }), 401, 'peer-untrusted'],
    ['a wrong offer', request({ 'Sec-WebSocket-Protocol': `tensor-assay.v1, ${tokenOffer}A` }), 401, 'peer-untrusted'],
    ['a page of nobody', request({ ...authorized(), Origin: 'null' }), 403, 'peer-untrusted'],
    ['a page from elsewhere', request({ ...authorized(), Origin: 'https://evil.example' }), 403, 'peer-untrusted'],
    ['a longer origin', request({ ...authorized(), Origin: 'https://app.example.evil' }), 403, 'peer-untrusted'],
    ['the wrong method', request(authorized()).replace('GET', 'PUT'), 405, 'frame-malformed'],
    ['another upgrade', request({ ...authorized(), Upgrade: 'h2c' }), 400, 'frame-malformed'],
    ['no key', request({ ...authorized(), 'Sec-WebSocket-Key': 'short' }), 400, 'frame-malformed'],
    ['an old version', request({ ...authorized(), 'Sec-WebSocket-Version': '7' }), 400, 'frame-malformed'],
    ['what is not HTTP', 'TASTCP\x01\x00\r\n\r\n', 400, 'frame-malformed'],
    ['endless headers', request({ Cookie: 'a'.repeat(20_000) }), 431, 'frame-malformed'],
  ])('%s is refused with the right status and reported, and the listener goes on', async (_, bytes, status, code) => {
    const options = { token, origins: ['https://app.example'], maxChannels: 1 }
    const { address, errors, channels, stillServes } = await listening(options)
    const peer = await rawDial(address)
    peer.write(bytes)
    expect(statusOf(await peer.ended)).toBe(status)
    expect(errors).toEqual([expect.objectContaining({ code })])
    expect(channels).toEqual([])
    // There is one place, which has to be free again.
    await eventually(stillServes)
  })

  test.each([
    ['with a token in a header', request(authorized())],
    ['with the scheme in small letters', request({ Authorization: `bearer ${token}` })],
    ['with a token as a subprotocol', request({ 'Sec-WebSocket-Protocol': `${tokenOffer},tensor-assay.v1` })],
    ['from a page of a listed origin', request({ ...authorized(), Origin: 'https://app.example' })],
    ['with a query', request(authorized(), '/?from=here')],
  ])('%s it does', async (_, bytes) => {
    const { address, nextChannel } = await listening({ token, origins: ['https://app.example'] })
    const arrival = nextChannel()
    const peer = await rawDial(address)
    peer.write(bytes, helloFrame)
    await arrival
    await eventually(() => expect(peer.received().toString('latin1')).toContain('hello'))
    const answer = peer.received().toString('latin1')
    expect(answer).toContain('\r\nSec-WebSocket-Protocol: tensor-assay.v1\r\n')
    expect(answer).not.toContain(tokenOffer)
    expect(answer).not.toMatch(/deflate/i)
  })

  test('any origin is let in where that was asked for', async () => {
    const { address, nextChannel } = await listening({ origins: ['*'] })
    const arrival = nextChannel()
    const peer = await rawDial(address)
    peer.write(request({ Origin: 'https://anybody.example' }), helloFrame)
    await arrival
  })

  test('names itself in the report', async () => {
    const { address, errors, peers } = await listening({ origins: ['https://app.example'] })
    const peer = await rawDial(address)
    const { localPort } = peer.socket
    peer.write(request({ Origin: 'https://evil.example' }))
    await peer.ended
    expect(errors[0]?.message).toContain('a page of "https://evil.example" is not let in')
    expect(peers).toEqual([`ws://127.0.0.1:${localPort}`])
  })
})

describe('a peer that does not complete the handshake', () => {
  test.each([
    ['silence', ''],
    ['half of a request', request().slice(0, 60)],
    ['a request without a hello', request()],
    ['half of a hello', `${request()}${helloFrame.subarray(0, 9).toString('latin1')}`],
  ])('%s ends at the deadline', async (_, bytes) => {
    const { address, errors, stillServes } = await listening({ handshakeTimeoutMs: 100 })
    const peer = await rawDial(address)
    peer.write(Buffer.from(bytes, 'latin1'))
    await peer.ended
    expect(errors).toEqual([expect.objectContaining({ code: 'deadline-exceeded' })])
    await stillServes()
  })

  test.each([
    ['in the request', request()],
    ['in the hello', `${request()}${helloFrame.toString('latin1')}`],
  ])('one byte now and then %s does not extend the deadline', async (where, bytes) => {
    const { address, errors } = await listening({ handshakeTimeoutMs: 200 })
    const peer = await rawDial(address)
    let sent = where === 'in the hello' ? request().length : 0
    peer.write(bytes.slice(0, sent))
    const drip = setInterval(() => peer.write(Buffer.from(bytes.slice(sent, ++sent), 'latin1')), 40)
    await peer.ended
    clearInterval(drip)
    expect(sent).toBeLessThan(bytes.length)
    expect(errors).toEqual([expect.objectContaining({ code: 'deadline-exceeded' })])
  })

  test('leaving is reported and nothing else', async () => {
    const { address, errors, stillServes } = await listening()
    const peer = await rawDial(address)
    peer.write(request().slice(0, 40))
    peer.socket.destroy()
    await eventually(() => expect(errors).toEqual([expect.objectContaining({ code: 'channel-lost' })]))
    await stillServes()
  })

  test.each([
    ['a message', frame(opcodes.binary, 'message')],
    ['another line', frame(opcodes.text, 'goodbye')],
    ['text', frame(opcodes.text, 'GET / HTTP/1.1')],
    ['a limit of nothing', frame(opcodes.text, 'hello 0 1000')],
    ['no window', frame(opcodes.text, 'hello 1000')],
    ['a limit over what is possible', frame(opcodes.text, 'hello 2147483648 1000')],
    ['a figure written otherwise', frame(opcodes.text, 'hello 1000 0x10')],
    ['a line that goes on', frame(opcodes.text, `hello 1000 1000${' '.repeat(60)}`)],
  ])('%s in place of the hello is refused with 1002', async (_, bytes) => {
    const { address, errors, channels, stillServes } = await listening()
    const peer = await rawDial(address)
    peer.write(request(), bytes, frame(opcodes.close, Buffer.from([3, 0xe8])))
    expect(closeCodeOf(await peer.ended)).toBe(1002)
    expect(errors).toEqual([expect.objectContaining({ code: 'frame-malformed' })])
    expect(channels).toEqual([])
    await stillServes()
  })

  test('a message over the limit in place of the hello is refused with 1009', async () => {
    const { address, errors } = await listening()
    const peer = await rawDial(address)
    peer.write(request(), head(opcodes.binary, 2 ** 40), frame(opcodes.close, Buffer.from([3, 0xe8])))
    expect(closeCodeOf(await peer.ended)).toBe(1009)
    expect(errors).toEqual([expect.objectContaining({ code: 'message-too-large' })])
  })

  test('one that was refused and stays takes no place', async () => {
    const { address, stillServes } = await listening({ maxChannels: 1, handshakeTimeoutMs: 600_000 })
    const peer = await rawDial(address, { allowHalfOpen: true })
    peer.write(request({}, '/elsewhere'))
    await eventually(() => expect(statusOf(peer.received())).toBe(404))
    await eventually(stillServes)
    expect(peer.socket.writableEnded).toBe(false)
  })

  test('as many handshakes as channels may be under way, and free their place', async () => {
    const options = { maxChannels: 2, handshakeTimeoutMs: 150 }
    const { transport, address, errors, stillServes } = await listening(options)
    const silent = [await rawDial(address), await rawDial(address)]
    await expect(transport.dial(address)).rejects.toMatchObject({ code: 'peer-unreachable' })
    expect(errors[0]?.message).toContain('2 others are in the handshake')
    await Promise.all(silent.map(({ ended }) => ended))
    await stillServes()
  })

  test('a channel too many is refused with 503', async () => {
    const { address, nextChannel, errors } = await listening({ maxChannels: 1 })
    const arrival = nextChannel()
    await greeted(address)
    await arrival
    const second = await rawDial(address)
    second.write(request())
    expect(statusOf(await second.ended)).toBe(503)
    expect(errors[0]?.message).toContain('all 1 channels are taken')
  })

  test('closing the listener ends it without a report', async () => {
    const errors: Error[] = []
    const listener = await ws({ onError: (error) => errors.push(error) }).listen('ws://127.0.0.1:0', () => {})
    const peers = [await rawDial(listener.address), await rawDial(listener.address)]
    peers[1]!.write(request())
    await eventually(() => expect(peers[1]!.received().toString()).toContain('101'))
    await listener.close()
    await Promise.all(peers.map(({ ended }) => ended))
    expect(errors).toEqual([])
  })
})

describe('dialing', () => {
  const switched = (headers = '') =>
    `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n${headers}\r\n`

  test.each([
    ['a page', 'HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n', 'frame-malformed'],
    ['a redirection', 'HTTP/1.1 302 Found\r\nLocation: ws://elsewhere/\r\n\r\n', 'frame-malformed'],
    ['a page without end', 'HTTP/1.1 200 OK\r\n\r\nand so on', 'frame-malformed'],
    ['what is not HTTP', 'TASTCP\x01\x00', 'frame-malformed'],
    ['the wrong key', switched('Sec-WebSocket-Accept: wrong\r\n'), 'frame-malformed'],
    ['401', 'HTTP/1.1 401 Unauthorized\r\n\r\n', 'peer-untrusted'],
    ['403', 'HTTP/1.1 403 Forbidden\r\n\r\n', 'peer-untrusted'],
    ['404', 'HTTP/1.1 404 Not Found\r\n\r\n', 'peer-unreachable'],
    ['502', 'HTTP/1.1 502 Bad Gateway\r\n\r\n', 'peer-unreachable'],
    ['503', 'HTTP/1.1 503 Service Unavailable\r\n\r\n', 'peer-unreachable'],
    [
      'another version',
      'HTTP/1.1 400 Bad Request\r\nSec-WebSocket-Protocol: tensor-assay.v2\r\n\r\n',
      'version-unsupported',
    ],
  ])('a server that answers with %s is a clear error, and leaves no connection behind', async (_, answer, code) => {
    let ended: Promise<Buffer> | undefined
    const address = await rawListen((peer) => {
      ended = peer.ended
      peer.write(answer)
    })
    await expect(ws().dial(address)).rejects.toMatchObject({ code })
    await ended
  })

  test('a listener of another subprotocol is an unsupported version', async () => {
    const other = new WebSocketServer({ port: 0, handleProtocols: () => false })
    onTestFinished(() => void other.close())
    const { port } = other.address() as { port: number }
    await expect(ws().dial(`ws://127.0.0.1:${port}`)).rejects.toMatchObject({ code: 'version-unsupported' })
  })

  test('a listener that closes in place of a hello is unreachable, and its words are told', async () => {
    const other = new WebSocketServer({ port: 0 })
    onTestFinished(() => void other.close())
    other.on('connection', (socket) => socket.close(1013, 'come back later'))
    const { port } = other.address() as { port: number }
    await expect(ws().dial(`ws://127.0.0.1:${port}`)).rejects.toMatchObject({
      code: 'peer-unreachable',
      message: expect.stringContaining('with 1013 "come back later"'),
    })
  })

  test('a listener that says nothing is a deadline', async () => {
    const address = await rawListen(() => {})
    await expect(ws().dial(address, { handshakeTimeoutMs: 50 })).rejects.toMatchObject({ code: 'deadline-exceeded' })
    await expect(ws({ handshakeTimeoutMs: 50 }).dial(address)).rejects.toMatchObject({ code: 'deadline-exceeded' })
  })

  test('a listener that hangs up is unreachable', async () => {
    const address = await rawListen((peer) => peer.socket.destroy())
    await expect(ws().dial(address)).rejects.toMatchObject({ code: 'peer-unreachable' })
  })

  test('abort during the handshake ends the connection', async () => {
    const controller = new AbortController()
    const reason = new Error('no longer needed')
    let ended: Promise<Buffer> | undefined
    const address = await rawListen((peer) => {
      ended = peer.ended
      controller.abort(reason)
    })
    const dialing = ws().dial(address, { signal: controller.signal })
    await expect(dialing).rejects.toMatchObject({ code: 'aborted', cause: reason })
    await ended
  })

  test('a name that does not exist is unreachable', async () => {
    await expect(ws().dial('ws://host.invalid:1')).rejects.toMatchObject({ code: 'peer-unreachable' })
  })

  test('refusals name their reason', async () => {
    const { address } = await listening({ token })
    await expect(ws().dial(address)).rejects.toMatchObject({
      code: 'peer-untrusted',
      message: expect.stringContaining('wants a token'),
    })
    await expect(ws({ token: 'another' }).dial(address)).rejects.toMatchObject({ code: 'peer-untrusted' })
    await expect(ws({ token }).dial(`${address}/elsewhere`)).rejects.toMatchObject({
      code: 'peer-unreachable',
      message: expect.stringContaining('nobody listens on'),
    })
    const channel = await ws({ token }).dial(address)
    channel.abort(new Error('the test is over'))
  })

  test('a request offers no compression, no origin, and a token only where there is one', async () => {
    const requests: string[] = []
    const address = await rawListen((peer) => {
      peer.socket.once('data', (chunk) => {
        requests.push(chunk.toString())
        peer.socket.destroy()
      })
    })
    for (const options of [{}, { token }])
      await ws(options)
        .dial(`${address}/audit`)
        .catch(() => {})
    for (const each of requests) {
      expect(each).toMatch(/^GET \/audit HTTP\/1\.1\r\n/)
      expect(each).toMatch(/\r\nSec-WebSocket-Protocol: tensor-assay\.v1\r\n/i)
      expect(each).not.toMatch(/extensions|origin/i)
    }
    expect(requests.map((each) => /\r\nAuthorization: (.*)\r\n/.exec(each)?.[1])).toEqual([
      undefined,
      `Bearer ${token}`,
    ])
  })

  test('a token is not shown to a server that is not trusted', async () => {
    const [own, stranger] = [await certificate(), await certificate()]
    const received: Buffer[] = []
    const impostor = createServer({ key: stranger.key, cert: stranger.cert }, (socket) => {
      socket.on('error', () => {}).on('data', (chunk) => received.push(chunk))
    })
    await once(impostor.listen(0, '127.0.0.1'), 'listening')
    onTestFinished(() => void impostor.close())
    const { port } = impostor.address() as { port: number }
    for (const tls of [{ fingerprints: [own.fingerprint] }, { ca: own.cert }]) {
      const dialing = ws({ token, tls }).dial(`wss://127.0.0.1:${port}`)
      await expect(dialing).rejects.toMatchObject({ code: 'peer-untrusted' })
    }
    expect(received).toEqual([])
  })
})

function authorized() {
  return { Authorization: `Bearer ${token}` }
}
