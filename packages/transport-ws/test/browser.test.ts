import { EventEmitter, once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Channel, Transport } from '@tensor-assay/core'
import { transportConformance } from '@tensor-assay/core/conformance'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { type WebSocket, WebSocketServer } from 'ws'
import { ws } from '../src/index.ts'
import { bundle } from './support/bundle.ts'
import { certificate } from './support/certificates.ts'
import { launch, noChromium, Remote } from './support/chromium.ts'
import { eventually } from './support/eventually.ts'
import { relayed } from './support/relay.ts'

if (noChromium !== undefined) console.log(`The tests in a browser are skipped: ${noChromium}.`)

const hello = new TextEncoder().encode('hello')

describe.skipIf(noChromium !== undefined)('in Chromium', () => {
  let browser: Browser
  let remote: Remote
  let origin = ''
  const server = createServer()

  beforeAll(async () => {
    const { code } = await bundle('./page.ts')
    server.on('request', ({ url }, response) => {
      if (url === '/page.js') response.writeHead(200, { 'Content-Type': 'text/javascript' }).end(code)
      else response.writeHead(200, { 'Content-Type': 'text/html' }).end('<script type="module" src="page.js"></script>')
    })
    await once(server.listen(0, '127.0.0.1'), 'listening')
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
    browser = await launch()
    const page = await browser.newPage({ ignoreHTTPSErrors: true })
    remote = new Remote(page)
    await page.goto(origin)
    await page.waitForFunction('typeof run === "function"')
  })
  afterAll(async () => {
    await browser?.close()
    server.close()
  })

  async function listening(options: Parameters<typeof ws>[0] = {}, address = 'ws://127.0.0.1:0') {
    const errors: Error[] = []
    const transport = ws({ origins: [origin], onError: (error) => errors.push(error), ...options })
    const listener = await transport.listen(address, async (channel) => {
      for await (const message of channel) await channel.send([message])
      await channel.close()
    })
    onTestFinished(() => listener.close())
    return { address: listener.address, errors }
  }

  async function echoes(channel: Channel, message: Uint8Array) {
    const iterator = channel[Symbol.asyncIterator]()
    await channel.send([message])
    expect(Buffer.compare((await iterator.next()).value!, message)).toBe(0)
    await channel.close()
  }

  describe('the channel keeps the contract', () => {
    for (const { name, requires = [], run } of transportConformance) {
      test(name, async () => {
        const closeTimeoutMs = requires.includes('close-deadline') ? 500 : 30_000
        const limits = { maxMessageBytes: 2 ** 20, maxBufferedBytes: 2 ** 18, closeTimeoutMs }
        const transport: Transport = { ...ws({ ...limits, origins: [origin] }), ...remote.dialer(limits) }
        const cut = requires.includes('abrupt-loss') ? relayed(transport) : undefined
        await run({ listenAddress: () => 'ws://127.0.0.1:0/audit', transport, timeoutMs: 30_000, ...cut })
        expect(remote.complaints).toEqual([])
      })
    }
  })

  test('a message of the default limit', async () => {
    const { address } = await listening()
    const message = new Uint8Array(8 * 2 ** 20).map((_, i) => i % 251)
    await echoes(await remote.dialer({}).dial(address), message)
  })

  test('a listener on the server that the page came from', async () => {
    const transport = ws({ origins: [origin] })
    const listener = await transport.listen(
      `${origin.replace('http', 'ws')}/audit`,
      async (channel) => {
        for await (const message of channel) await channel.send([message])
        await channel.close()
      },
      { server },
    )
    onTestFinished(() => listener.close())
    await echoes(await remote.dialer({}).dial(listener.address), hello)
  })

  test('wss://', async () => {
    const { address } = await listening({ tls: await certificate() }, 'wss://127.0.0.1:0')
    await echoes(await remote.dialer({}).dial(address), hello)
  })

  test('a token goes in a subprotocol', async () => {
    const { address, errors } = await listening({ token: 'a/b+c~d==' })
    await echoes(await remote.dialer({ token: 'a/b+c~d==' }).dial(address), hello)
    await expect(remote.dialer({ token: 'another' }).dial(address)).rejects.toMatchObject({ code: 'peer-unreachable' })
    await expect(remote.dialer({}).dial(address)).rejects.toMatchObject({ code: 'peer-unreachable' })
    for (const error of errors) expect(error.message).toContain('401')
    expect(errors).toHaveLength(2)
  })

  test('a page of another origin is not let in', async () => {
    const { address, errors } = await listening({ origins: ['https://app.example'] })
    await expect(remote.dialer({}).dial(address)).rejects.toMatchObject({
      code: 'peer-unreachable',
      message: expect.stringContaining('origin of this page'),
    })
    expect(errors).toEqual([
      expect.objectContaining({ message: expect.stringContaining(`403: a page of "${origin}"`) }),
    ])
  })

  test('memory that threads share is sent as well', async () => {
    const { address } = await listening()
    const channel = await remote.dialer({}).dial(address)
    const iterator = channel[Symbol.asyncIterator]()
    await remote.run('sendShared', remote.idOf(channel), 1000)
    expect((await iterator.next()).value).toEqual(new Uint8Array(1000).fill(7))
    await channel.close()
  })

  // As long as a synchronous product, or a tab that nobody looks at, whose timers browsers hold up. `background` says
  // what may end a process, which a page is not.
  test.each([true, false])('a page that is held up keeps its channel, background %s', async (background) => {
    const arrivals = new EventEmitter()
    const arrival = once(arrivals, 'channel') as Promise<[Channel]>
    const transport = ws({ origins: [origin], pingIntervalMs: 100, stallTimeoutMs: 400 })
    const listener = await transport.listen('ws://127.0.0.1:0', (channel) => void arrivals.emit('channel', channel))
    onTestFinished(() => listener.close())
    // What was sent in time and not looked at is not late.
    const dialed = await remote.dialer({ background, idleTimeoutMs: 1000 }).dial(listener.address)
    const iterator = dialed[Symbol.asyncIterator]()
    const [channel] = await arrival
    const heldUp = remote.run('holdUp', 2500)
    await channel.send([hello])
    await heldUp
    expect((await iterator.next()).value).toEqual(hello)
    await dialed.send([hello])
    expect((await channel[Symbol.asyncIterator]().next()).value).toEqual(hello)
    await Promise.all([dialed.close(), channel.close()])
    expect(remote.complaints).toEqual([])
  })

  test('a page that is not held up and hears nothing gives up', async () => {
    const { address } = await listening()
    const dialed = await remote.dialer({ background: true, idleTimeoutMs: 300 }).dial(address)
    const next = dialed[Symbol.asyncIterator]().next()
    await expect(next).rejects.toMatchObject({ code: 'deadline-exceeded' })
  })

  test('listening is a clear error', async () => {
    await expect(remote.run('listen')).rejects.toMatchObject({
      code: 'address-unavailable',
      message: expect.stringContaining('let the other side listen, in Node'),
    })
  })

  describe('a listener that breaks the rules', () => {
    /** A WebSocket that the page dialed, on which nothing was said but by the page. */
    async function lying(options: object) {
      const liar = new WebSocketServer({ port: 0, handleProtocols: () => 'tensor-assay.v1' })
      onTestFinished(() => void liar.close())
      const arrival = once(liar, 'connection') as Promise<[WebSocket]>
      const { port } = liar.address() as AddressInfo
      const dialing = remote.dialer(options).dial(`ws://127.0.0.1:${port}`)
      dialing.catch(() => {})
      const [socket] = await arrival
      const closed = once(socket, 'close').then(([code, reason]) => ({ code, reason: String(reason) }))
      return { socket, dialing, closed }
    }

    test('says nothing', async () => {
      const { dialing, closed } = await lying({ handshakeTimeoutMs: 100 })
      await expect(dialing).rejects.toMatchObject({ code: 'deadline-exceeded' })
      await closed
    })

    test('says something else', async () => {
      const { socket, dialing, closed } = await lying({})
      socket.send('welcome')
      await expect(dialing).rejects.toMatchObject({ code: 'frame-malformed' })
      expect(await closed).toMatchObject({ code: 4002 })
    })

    test.each([
      [
        'sends more than the limit',
        4009,
        'message-too-large',
        (socket: WebSocket) => socket.send(new Uint8Array(1001)),
      ],
      ['sends text', 4003, 'frame-malformed', (socket: WebSocket) => socket.send('text')],
      [
        'sends without waiting for credit',
        4002,
        'frame-malformed',
        (socket: WebSocket) => {
          for (let i = 0; i < 100; i++) socket.send(new Uint8Array(1000))
        },
      ],
    ])('%s', async (_, closeCode, code, lie) => {
      const { socket, dialing, closed } = await lying({ maxMessageBytes: 1000, maxBufferedBytes: 8000 })
      socket.send('hello 1000 4000')
      const channel = await dialing
      lie(socket)
      expect(await closed).toMatchObject({ code: closeCode })
      await expect(channel.send([hello])).rejects.toMatchObject({ code })
    })

    test('gets no credit while the page does not read', async () => {
      const { socket, dialing } = await lying({ maxBufferedBytes: 100_000 })
      socket.send('hello 1000000 1000000')
      const channel = await dialing
      const credits: string[] = []
      socket.on('message', (data, isBinary) => !isBinary && credits.push(String(data)))
      // Each counts 10 000 bytes. The inbox is full with five, before the second half of the window.
      for (let i = 0; i < 7; i++) socket.send(new Uint8Array(9744))
      await eventually(() => expect(credits).toEqual(['credit 30000']))
      const iterator = channel[Symbol.asyncIterator]()
      for (let i = 0; i < 5; i++) await iterator.next()
      await eventually(() => expect(credits).toEqual(['credit 30000', 'credit 40000']))
    })
  })
})
