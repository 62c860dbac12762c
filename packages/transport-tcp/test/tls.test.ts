import { once } from 'node:events'
import { connect as connectTls } from 'node:tls'
import type { Channel } from '@tensor-assay/core'
import { beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { type TlsOptions, tcp } from '../src/index.ts'
import { type Certificate, certificate } from './support/certificates.ts'
import { rawDial } from './support/raw.ts'

const hello = new TextEncoder().encode('hello')

let server: Certificate
let client: Certificate
let stranger: Certificate
let elsewhere: Certificate
beforeAll(async () => {
  const made = [certificate(), certificate(), certificate(), certificate('elsewhere.example')]
  ;[server, client, stranger, elsewhere] = (await Promise.all(made)) as [
    Certificate,
    Certificate,
    Certificate,
    Certificate,
  ]
})

async function listening(tls: TlsOptions, address = 'tls://127.0.0.1:0') {
  const errors: Error[] = []
  const channels: Channel[] = []
  const listener = await tcp({ tls, handshakeTimeoutMs: 400, onError: (error) => errors.push(error) }).listen(
    address,
    (channel) => {
      channels.push(channel)
    },
  )
  onTestFinished(async () => {
    for (const channel of channels) channel.abort(new Error('the test is over'))
    await listener.close()
  })
  return { errors, channels, listener, address: listener.address }
}

/** Dials, sends a message through and closes. */
async function succeeds(tls: TlsOptions, { address, channels }: { address: string; channels: Channel[] }) {
  const { length } = channels
  const dialed = await tcp({ tls }).dial(address)
  await dialed.send([hello])
  await vi.waitFor(() => expect(channels).toHaveLength(length + 1))
  const accepted = channels[length]!
  const { value } = await accepted[Symbol.asyncIterator]().next()
  expect(value).toEqual(hello)
  await Promise.all([dialed.close(), accepted.close()])
}

async function isUntrusted(tls: TlsOptions | undefined, address: string, message: RegExp) {
  const error = await tcp(tls && { tls })
    .dial(address)
    .catch((reason) => reason)
  expect(error).toMatchObject({ code: 'peer-untrusted' })
  expect(error.message).toMatch(message)
}

const own = ({ key, cert }: Certificate): TlsOptions => ({ key, cert })

describe('the dialer', () => {
  test('trusts a certificate that its authority vouches for', async () => {
    const there = await listening(own(server))
    await succeeds({ ca: server.cert }, there)
    await succeeds(
      { ca: [stranger.cert, server.cert] },
      { ...there, address: there.address.replace('127.0.0.1', 'localhost') },
    )
    expect(there.errors).toEqual([])
  })

  test('refuses one that nobody vouches for', async () => {
    const { address, errors, channels } = await listening(own(server))
    await isUntrusted(undefined, address, /self-signed/)
    await isUntrusted({ ca: stranger.cert }, address, /certificate/)
    expect(channels).toEqual([])
    await vi.waitFor(() => expect(errors).toHaveLength(2))
  })

  test('refuses one for another host', async () => {
    const { address } = await listening(own(elsewhere))
    await isUntrusted({ ca: elsewhere.cert }, address, /altnames|does not match/i)
  })

  test('refuses nobody where that was asked for', async () => {
    await succeeds({ rejectUnauthorized: false }, await listening(own(server)))
  })

  test('with a fingerprint accepts that certificate, whoever vouches for it', async () => {
    const there = await listening(own(elsewhere))
    await succeeds({ fingerprints: [stranger.fingerprint, elsewhere.fingerprint] }, there)
    await succeeds({ fingerprints: [elsewhere.fingerprint.replaceAll(':', '').toLowerCase()] }, there)
    await isUntrusted({ fingerprints: [stranger.fingerprint] }, there.address, /which is not pinned/)
    await isUntrusted(
      { fingerprints: [stranger.fingerprint], ca: elsewhere.cert },
      there.address,
      /which is not pinned/,
    )
    await isUntrusted({ fingerprints: [] }, there.address, /which is not pinned/)
  })

  test('is not trusted by saying so: a listener without TLS is refused', async () => {
    const listener = await tcp().listen('tcp://127.0.0.1:0', () => {})
    onTestFinished(() => listener.close())
    await isUntrusted({ ca: server.cert }, listener.address.replace('tcp:', 'tls:'), /./)
  })

  test('of nobody is unreachable, not untrusted', async () => {
    const { address, listener } = await listening(own(server))
    await listener.close()
    await expect(tcp().dial(address)).rejects.toMatchObject({ code: 'peer-unreachable' })
    await expect(tcp().dial('tls://host.invalid:1')).rejects.toMatchObject({ code: 'peer-unreachable' })
  })
})

describe('a listener that asks for certificates', () => {
  const mutual = (): TlsOptions => ({ ...own(server), ca: client.cert, requestCert: true })

  test('accepts one that its authority vouches for', async () => {
    await succeeds({ ...own(client), ca: server.cert }, await listening(mutual()))
  })

  test('refuses none and the wrong one, and both sides are told', async () => {
    const there = await listening(mutual())
    await isUntrusted({ ca: server.cert }, there.address, /does not accept the certificate of this side/)
    await isUntrusted({ ...own(stranger), ca: server.cert }, there.address, /does not accept the certificate/)
    await vi.waitFor(() => expect(there.errors).toHaveLength(2))
    expect(there.errors[0]).toMatchObject({
      code: 'peer-untrusted',
      message: expect.stringContaining('it showed none'),
    })
    expect(there.errors[1]).toMatchObject({
      code: 'peer-untrusted',
      message: expect.stringContaining('is not accepted'),
    })
    expect(there.channels).toEqual([])
    await succeeds({ ...own(client), ca: server.cert }, there)
  })

  test('takes any where that was asked for', async () => {
    await succeeds({ ca: server.cert }, await listening({ ...mutual(), rejectUnauthorized: false }))
  })

  test('by fingerprint needs no authority', async () => {
    const there = await listening({ ...own(server), fingerprints: [client.fingerprint] })
    await succeeds({ ...own(client), fingerprints: [server.fingerprint] }, there)
    await isUntrusted({ ...own(stranger), fingerprints: [server.fingerprint] }, there.address, /does not accept/)
    await isUntrusted({ fingerprints: [server.fingerprint] }, there.address, /does not accept/)
    await isUntrusted({ ...own(client), fingerprints: [stranger.fingerprint] }, there.address, /not pinned/)
  })

  test('ends a refused dialer that says nothing', async () => {
    const { address, errors } = await listening(mutual())
    const port = Number(new URL(address).port)
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
    socket.on('error', () => {})
    socket.resume()
    await once(socket, 'close')
    await vi.waitFor(() => expect(errors).toEqual([expect.objectContaining({ code: 'deadline-exceeded' })]))
  })
})

describe('a TLS listener', () => {
  test('survives peers without TLS, and says who they were', async () => {
    const there = await listening(own(server))
    const plain = there.address.replace('tls:', 'tcp:')
    await expect(tcp().dial(plain)).rejects.toMatchObject({ code: expect.stringMatching(/unreachable|malformed/) })
    const peer = await rawDial(plain)
    peer.write('GET / HTTP/1.1\r\n\r\n')
    await peer.ended
    await vi.waitFor(() => expect(there.errors.length).toBeGreaterThanOrEqual(2))
    for (const error of there.errors) expect(error).toMatchObject({ code: 'peer-untrusted' })
    await succeeds({ ca: server.cert }, there)
  })

  test('ends a TLS handshake that drags on, whatever dribbles in', async () => {
    const there = await listening(own(server))
    const peer = await rawDial(there.address.replace('tls:', 'tcp:'))
    // The head of a ClientHello of 512 bytes, and then one byte now and then.
    peer.write(Buffer.from('1603010200010001fc0303', 'hex'))
    const drip = setInterval(() => peer.write(Uint8Array.of(0)), 30)
    await peer.ended
    clearInterval(drip)
    await vi.waitFor(() => expect(there.errors).toEqual([expect.objectContaining({ code: 'deadline-exceeded' })]))
    await succeeds({ ca: server.cert }, there)
  })

  test('ends a secure connection that never says what it wants', async () => {
    const { address, errors } = await listening(own(server))
    const port = Number(new URL(address).port)
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
    socket.on('error', () => {})
    socket.resume()
    await once(socket, 'close')
    expect(errors).toEqual([expect.objectContaining({ code: 'deadline-exceeded' })])
  })

  test('speaks TLS 1.3 only', async () => {
    const { address } = await listening(own(server))
    const port = Number(new URL(address).port)
    const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false, maxVersion: 'TLSv1.2' })
    const [error] = await once(socket, 'error').catch((reason) => [reason])
    expect(String(error)).toMatch(/protocol version/i)
  })
})

test('unusable options are slips of the programmer', async () => {
  await expect(tcp().listen('tls://127.0.0.1:0', () => {})).rejects.toThrow('pass tcp({ tls: { key, cert } })')
  expect(() => tcp({ tls: { key: 'no key', cert: server.cert } })).toThrow(TypeError)
  expect(() => tcp({ tls: { key: stranger.key, cert: server.cert } })).toThrow(TypeError)
  expect(() => tcp({ tls: { fingerprints: ['AB:CD'] } })).toThrow('64 hexadecimal digits, got "AB:CD"')
})
