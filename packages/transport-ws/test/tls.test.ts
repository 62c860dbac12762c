import { once } from 'node:events'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { connect as connectTls } from 'node:tls'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type TlsOptions, ws } from '../src/index.ts'
import { type Certificate, certificate } from './support/certificates.ts'
import { eventually } from './support/eventually.ts'
import { hello, listening } from './support/listening.ts'
import { rawDial } from './support/raw.ts'

let server: Certificate
let client: Certificate
let stranger: Certificate
let elsewhere: Certificate
beforeAll(async () => {
  server = await certificate()
  client = await certificate()
  stranger = await certificate()
  elsewhere = await certificate('elsewhere.example')
})

type There = Awaited<ReturnType<typeof listening>>

const secure = (tls: TlsOptions) => listening({ address: 'wss://127.0.0.1:0/audit', tls, handshakeTimeoutMs: 400 })

/** Dials, sends a message through and closes. */
async function succeeds(tls: TlsOptions, { address, nextChannel }: Pick<There, 'address' | 'nextChannel'>) {
  const arrival = nextChannel()
  const dialed = await ws({ tls }).dial(address)
  await dialed.send([hello])
  const accepted = await arrival
  const { value } = await accepted[Symbol.asyncIterator]().next()
  expect(value).toEqual(hello)
  await Promise.all([dialed.close(), accepted.close()])
}

async function isUntrusted(tls: TlsOptions, address: string, message: RegExp) {
  const error = await ws({ tls })
    .dial(address)
    .catch((reason) => reason)
  expect(error).toMatchObject({ code: 'peer-untrusted' })
  expect(error.message).toMatch(message)
}

const own = ({ key, cert }: Certificate): TlsOptions => ({ key, cert })

describe('the dialer', () => {
  test('trusts a certificate that its authority vouches for', async () => {
    const there = await secure(own(server))
    await succeeds({ ca: [stranger.cert, server.cert] }, there)
    await succeeds({ ca: server.cert }, { ...there, address: there.address.replace('127.0.0.1', 'localhost') })
    expect(there.errors).toEqual([])
  })

  test('refuses one that nobody vouches for', async () => {
    const { address, errors, channels } = await secure(own(server))
    await isUntrusted({}, address, /self-signed/)
    await isUntrusted({ ca: stranger.cert }, address, /certificate/)
    expect(channels).toEqual([])
    await eventually(() => expect(errors).toHaveLength(2))
  })

  test('refuses one for another host', async () => {
    const { address } = await secure(own(elsewhere))
    await isUntrusted({ ca: elsewhere.cert }, address, /altnames|does not match/i)
  })

  test('refuses nobody where that was asked for', async () => {
    await succeeds({ rejectUnauthorized: false }, await secure(own(server)))
  })

  test('with a fingerprint accepts that certificate, whoever vouches for it', async () => {
    const there = await secure(own(elsewhere))
    await succeeds({ fingerprints: [stranger.fingerprint, elsewhere.fingerprint] }, there)
    await succeeds({ fingerprints: [elsewhere.fingerprint.replaceAll(':', '').toLowerCase()] }, there)
    await isUntrusted({ fingerprints: [stranger.fingerprint] }, there.address, /which is not pinned/)
    const vouched = { fingerprints: [stranger.fingerprint], ca: elsewhere.cert }
    await isUntrusted(vouched, there.address, /which is not pinned/)
    await isUntrusted({ fingerprints: [] }, there.address, /which is not pinned/)
  })

  test('of a listener without TLS is not fooled', async () => {
    const { address } = await listening()
    await isUntrusted({ ca: server.cert }, address.replace('ws:', 'wss:'), /./)
  })

  test('of nobody is unreachable, not untrusted', async () => {
    const { address, listener } = await secure(own(server))
    await listener.close()
    await expect(ws().dial(address)).rejects.toMatchObject({ code: 'peer-unreachable' })
    await expect(ws().dial('wss://host.invalid:1')).rejects.toMatchObject({ code: 'peer-unreachable' })
  })
})

describe('a listener that asks for certificates', () => {
  const mutual = (): TlsOptions => ({ ...own(server), ca: client.cert, requestCert: true })

  test('accepts one that its authority vouches for', async () => {
    await succeeds({ ...own(client), ca: server.cert }, await secure(mutual()))
  })

  test('refuses none and the wrong one, and both sides are told', async () => {
    const there = await secure(mutual())
    await isUntrusted({ ca: server.cert }, there.address, /does not accept the certificate of this side/)
    await isUntrusted({ ...own(stranger), ca: server.cert }, there.address, /does not accept the certificate/)
    await eventually(() => expect(there.errors).toHaveLength(2))
    for (const [i, message] of ['it showed none', 'is not accepted'].entries()) {
      expect(there.errors[i]).toMatchObject({ code: 'peer-untrusted', message: expect.stringContaining(message) })
    }
    expect(there.channels).toEqual([])
    await succeeds({ ...own(client), ca: server.cert }, there)
  })

  test('takes any where that was asked for', async () => {
    await succeeds({ ca: server.cert }, await secure({ ...mutual(), rejectUnauthorized: false }))
  })

  test('by fingerprint needs no authority', async () => {
    const there = await secure({ ...own(server), fingerprints: [client.fingerprint] })
    await succeeds({ ...own(client), fingerprints: [server.fingerprint] }, there)
    await isUntrusted({ ...own(stranger), fingerprints: [server.fingerprint] }, there.address, /does not accept/)
    await isUntrusted({ fingerprints: [server.fingerprint] }, there.address, /does not accept/)
    await isUntrusted({ ...own(client), fingerprints: [stranger.fingerprint] }, there.address, /not pinned/)
  })
})

describe('a TLS listener', () => {
  test('survives peers without TLS, and says who they were', async () => {
    const there = await listening({ address: 'wss://127.0.0.1:0', tls: own(server), maxChannels: 1 })
    const plain = there.address.replace('wss:', 'ws:')
    await expect(ws().dial(plain)).rejects.toMatchObject({ code: expect.stringMatching(/unreachable|malformed/) })
    const peer = await rawDial(plain)
    const { localPort } = peer.socket
    peer.write('GET / HTTP/1.1\r\n\r\n')
    await peer.ended
    await eventually(() => expect(there.errors).toHaveLength(2))
    for (const error of there.errors) expect(error).toMatchObject({ code: 'peer-untrusted' })
    expect(there.peers[1]).toBe(`wss://127.0.0.1:${localPort}`)
    await eventually(() => succeeds({ ca: server.cert }, there))
  })

  test('ends a TLS handshake that drags on, whatever dribbles in', async () => {
    const there = await secure(own(server))
    const peer = await rawDial(there.address)
    // The head of a ClientHello of 512 bytes, and then one byte now and then.
    peer.write(Buffer.from('1603010200010001fc0303', 'hex'))
    const drip = setInterval(() => peer.write(Uint8Array.of(0)), 30)
    await peer.ended
    clearInterval(drip)
    await eventually(() => expect(there.errors).toEqual([expect.objectContaining({ code: 'deadline-exceeded' })]))
    await succeeds({ ca: server.cert }, there)
  })

  test('ends a secure connection that never says what it wants', async () => {
    const { address, errors } = await secure(own(server))
    const socket = connectTls({ host: '127.0.0.1', port: Number(new URL(address).port), rejectUnauthorized: false })
    socket.on('error', () => {})
    socket.resume()
    await once(socket, 'close')
    expect(errors).toEqual([expect.objectContaining({ code: 'deadline-exceeded' })])
  })

  test('counts the connections in the handshake, secured or not', async () => {
    const options = { tls: own(server), maxChannels: 2, handshakeTimeoutMs: 300 }
    const there = await listening({ address: 'wss://127.0.0.1:0', ...options })
    const silent = [await rawDial(there.address), await rawDial(there.address)]
    const refused = await rawDial(there.address)
    await refused.ended
    expect(there.errors[0]?.message).toContain('2 others are in the handshake')
    await Promise.all(silent.map(({ ended }) => ended))
    await eventually(() => succeeds({ ca: server.cert }, there))
  })

  test('speaks TLS 1.3 only', async () => {
    const { address } = await secure(own(server))
    const port = Number(new URL(address).port)
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' })
    const [error] = await once(socket, 'error').catch((reason) => [reason])
    expect(String(error)).toMatch(/protocol version/i)
  })
})

test('TLS of a server that belongs to somebody else is for that one to decide', async () => {
  const other = createServer({ key: server.key, cert: server.cert })
  await once(other.listen(0, '127.0.0.1'), 'listening')
  onTestFinished(() => void other.close())
  const address = `wss://127.0.0.1:${(other.address() as AddressInfo).port}/audit`
  const there = await listening({ address, server: other, tls: { fingerprints: [client.fingerprint] } })
  await succeeds({ ca: server.cert }, there)
})

test('unusable options are slips of the programmer', async () => {
  await expect(ws().listen('wss://127.0.0.1:0', () => {})).rejects.toThrow('pass ws({ tls: { key, cert } })')
  expect(() => ws({ tls: { key: 'no key', cert: server.cert } })).toThrow(TypeError)
  expect(() => ws({ tls: { key: stranger.key, cert: server.cert } })).toThrow(TypeError)
  expect(() => ws({ tls: { fingerprints: ['AB:CD'] } })).toThrow('64 hexadecimal digits, got "AB:CD"')
})
