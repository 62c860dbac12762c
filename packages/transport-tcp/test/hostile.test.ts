import { EventEmitter, once } from 'node:events'
import { setImmediate, setTimeout } from 'node:timers/promises'
import { AssayError, type Channel } from '@tensor-assay/core'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { type TcpOptions, tcp } from '../src/index.ts'
import { encodeHeader, encodePreamble, kinds } from '../src/wire.ts'
import { goodbye, goodbyeReceived, messageFrame, preamble, type RawPeer, rawDial, rawListen } from './support/raw.ts'

const hello = new TextEncoder().encode('hello')

/** A listener of the transport, the channels that it was given and the errors that it reported. */
async function listening(options: TcpOptions = {}) {
  const channels: Channel[] = []
  const errors: Error[] = []
  const arrivals = new EventEmitter()
  const transport = tcp({ ...options, onError: (error) => errors.push(error) })
  const listener = await transport.listen('tcp://127.0.0.1:0', (channel) => {
    channels.push(channel)
    arrivals.emit('channel', channel)
  })
  onTestFinished(async () => {
    for (const channel of channels) channel.abort(new Error('the test is over'))
    await listener.close()
  })
  const nextChannel = async (): Promise<Channel> => (await once(arrivals, 'channel'))[0]
  /** Proves that the listener goes on: another peer gets in, and a message through. */
  const stillServes = async () => {
    const arrival = nextChannel()
    const channel = await transport.dial(listener.address)
    onTestFinished(() => channel.abort(new Error('the test is over')))
    await channel.send([hello])
    for await (const message of await arrival) {
      expect(message).toEqual(hello)
      break
    }
  }
  return { transport, address: listener.address, channels, errors, nextChannel, stillServes }
}

async function drain(channel: Channel): Promise<Uint8Array[]> {
  const messages: Uint8Array[] = []
  for await (const message of channel) messages.push(message)
  return messages
}

/** The channel that a raw peer got, with its handshake done. */
async function accepted(options: TcpOptions = {}): Promise<{ peer: RawPeer; channel: Channel }> {
  const { address, nextChannel } = await listening(options)
  const arrival = nextChannel()
  const peer = await rawDial(address)
  peer.write(preamble)
  return { peer, channel: await arrival }
}

describe('a peer that does not complete the handshake', () => {
  test.each([
    ['garbage', Buffer.from('000102030405', 'hex'), 'frame-malformed'],
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\nHost: auditor\r\n\r\n'), 'frame-malformed'],
    ['a TLS greeting', Buffer.from('16030100c8010000c40303', 'hex'), 'frame-malformed'],
    ['another version', Buffer.from('5441535443500900', 'hex'), 'version-unsupported'],
  ])('%s: the connection ends, with a clear error, and the listener goes on', async (_, bytes, code) => {
    const { address, errors, channels, stillServes } = await listening()
    const peer = await rawDial(address)
    peer.write(bytes)
    await peer.ended
    expect(errors).toEqual([expect.objectContaining({ code })])
    expect(channels).toEqual([])
    await stillServes()
  })

  test('HTTP is shown in the error', async () => {
    const { address, errors } = await listening()
    const peer = await rawDial(address)
    peer.write('POST /audit HTTP/1.1\r\n\r\n')
    await peer.ended
    expect(errors[0]?.message).toContain('"POST /audit HTTP')
  })

  test('silence ends at the deadline', async () => {
    const { address, errors, stillServes } = await listening({ handshakeTimeoutMs: 50 })
    const peer = await rawDial(address)
    await peer.ended
    expect(errors).toEqual([expect.objectContaining({ code: 'deadline-exceeded' })])
    await stillServes()
  })

  test('one byte now and then does not extend the deadline', async () => {
    const { address, errors } = await listening({ handshakeTimeoutMs: 150 })
    const peer = await rawDial(address)
    let sent = 0
    const drip = setInterval(() => peer.write(preamble.subarray(sent, ++sent)), 40)
    await peer.ended
    clearInterval(drip)
    expect(sent).toBeLessThan(preamble.length)
    expect(errors).toEqual([expect.objectContaining({ code: 'deadline-exceeded' })])
  })

  test('leaving is reported and nothing else', async () => {
    const { address, errors, stillServes } = await listening()
    const peer = await rawDial(address)
    peer.write(preamble.subarray(0, 7))
    peer.socket.end()
    await peer.ended
    await vi.waitFor(() => expect(errors).toEqual([expect.objectContaining({ code: 'channel-lost' })]))
    await stillServes()
  })

  test('handshakes count as channels, and free their place', async () => {
    const { transport, address, errors, stillServes } = await listening({ maxChannels: 2, handshakeTimeoutMs: 100 })
    const silent = [await rawDial(address), await rawDial(address)]
    await expect(transport.dial(address)).rejects.toMatchObject({ code: 'peer-unreachable' })
    expect(errors[0]?.message).toContain('all 2 channels are taken')
    await Promise.all(silent.map(({ ended }) => ended))
    await stillServes()
  })

  test('closing the listener ends it without a report', async () => {
    const errors: Error[] = []
    const listener = await tcp({ onError: (error) => errors.push(error) }).listen('tcp://127.0.0.1:0', () => {})
    const peer = await rawDial(listener.address)
    await vi.waitFor(() => expect(peer.socket.bytesRead).toBe(preamble.length))
    await listener.close()
    await peer.ended
    await setTimeout(30)
    expect(errors).toEqual([])
  })
})

describe('dialing', () => {
  test.each([
    ['an HTTP server', 'HTTP/1.1 400 Bad Request\r\n\r\n', 'frame-malformed'],
    ['another version', Buffer.from('5441535443500700', 'hex'), 'version-unsupported'],
  ])('%s is a clear error, and leaves no connection behind', async (_, answer, code) => {
    let ended: Promise<Buffer> | undefined
    const address = await rawListen((peer) => {
      ended = peer.ended
      peer.write(answer)
    })
    await expect(tcp().dial(address)).rejects.toMatchObject({ code })
    await ended
  })

  test('a listener that says nothing is a deadline', async () => {
    const address = await rawListen(() => {})
    await expect(tcp().dial(address, { handshakeTimeoutMs: 50 })).rejects.toMatchObject({ code: 'deadline-exceeded' })
    await expect(tcp({ handshakeTimeoutMs: 50 }).dial(address)).rejects.toMatchObject({ code: 'deadline-exceeded' })
  })

  test('a listener that hangs up is unreachable', async () => {
    const address = await rawListen((peer) => peer.socket.destroy())
    await expect(tcp().dial(address)).rejects.toMatchObject({ code: 'peer-unreachable' })
  })

  test('abort during the handshake ends the connection', async () => {
    const controller = new AbortController()
    const reason = new Error('no longer needed')
    let ended: Promise<Buffer> | undefined
    const address = await rawListen((peer) => {
      ended = peer.ended
      controller.abort(reason)
    })
    const dialing = tcp().dial(address, { signal: controller.signal })
    await expect(dialing).rejects.toMatchObject({ code: 'aborted', cause: reason })
    await ended
  })

  test('a name that does not exist is unreachable', async () => {
    await expect(tcp().dial('tcp://host.invalid:1')).rejects.toMatchObject({ code: 'peer-unreachable' })
  })
})

describe('an accepted peer', () => {
  test('the smaller limit of the two sides holds for both', async () => {
    const { address, nextChannel } = await listening({ maxMessageBytes: 1000 })
    const arrival = nextChannel()
    const dialed = await tcp({ maxMessageBytes: 500 }).dial(address)
    const accepted = await arrival
    expect([dialed.maxMessageBytes, accepted.maxMessageBytes]).toEqual([500, 500])
    await expect(accepted.send([new Uint8Array(501)])).rejects.toMatchObject({ code: 'message-too-large' })
    dialed.abort(new Error('the test is over'))
    const larger = await tcp().dial(address)
    expect(larger.maxMessageBytes).toBe(1000)
    larger.abort(new Error('the test is over'))
  })

  test.each([
    ['a message over the limit', encodeHeader(kinds.message, 2 ** 20 + 1), 'message-too-large'],
    ['an unknown kind', encodeHeader(9, 0), 'frame-malformed'],
    ['a goodbye with a body', Buffer.concat([encodeHeader(kinds.goodbye, 1), hello]), 'frame-malformed'],
    ['a message after its goodbye', Buffer.concat([goodbye, messageFrame(hello)]), 'frame-malformed'],
    ['two goodbyes', Buffer.concat([goodbye, goodbye]), 'frame-malformed'],
    ['an answer to no goodbye', goodbyeReceived, 'frame-malformed'],
  ])('%s ends the channel', async (_, bytes, code) => {
    const { peer, channel } = await accepted({ maxMessageBytes: 2 ** 20 })
    peer.write(messageFrame(hello), bytes)
    await peer.ended
    await expect(channel.send([hello])).rejects.toMatchObject({ code })
    const iterator = channel[Symbol.asyncIterator]()
    expect(await iterator.next()).toEqual({ done: false, value: hello })
    // A goodbye that came first has ended the iteration; what follows it fails the sends alone.
    if (bytes[0] !== kinds.goodbye || bytes.length < 16) await expect(iterator.next()).rejects.toMatchObject({ code })
    else expect(await iterator.next()).toMatchObject({ done: true })
  })

  test('bytes one at a time are the same messages', async () => {
    const { peer, channel } = await accepted()
    const stream = Buffer.concat([messageFrame(hello), messageFrame(new Uint8Array(0)), messageFrame(hello), goodbye])
    const reading = drain(channel)
    for (const byte of stream) {
      peer.write(Uint8Array.of(byte))
      await setImmediate()
    }
    expect(await reading).toEqual([hello, new Uint8Array(0), hello])
  })

  test('everything in one piece, the preamble included, is the same messages', async () => {
    const { address, nextChannel } = await listening()
    const arrival = nextChannel()
    const peer = await rawDial(address)
    peer.write(Buffer.concat([preamble, messageFrame(hello), messageFrame(hello), goodbye]))
    expect(await drain(await arrival)).toEqual([hello, hello])
  })

  test('a connection that ends inside a message is lost, after the messages before it', async () => {
    const { peer, channel } = await accepted()
    peer.write(messageFrame(hello), messageFrame(hello).subarray(0, 10))
    peer.socket.end()
    const iterator = channel[Symbol.asyncIterator]()
    expect((await iterator.next()).value).toEqual(hello)
    await expect(iterator.next()).rejects.toMatchObject({ code: 'channel-lost', message: /inside a message/ })
    await expect(iterator.next()).rejects.toMatchObject({ code: 'channel-lost' })
  })

  test('a reset is lost, and nothing is thrown at the process', async () => {
    const { peer, channel } = await accepted()
    for (let i = 0; i < 100; i++) void channel.send([new Uint8Array(100_000)])
    peer.socket.resetAndDestroy()
    await expect(drain(channel)).rejects.toMatchObject({ code: 'channel-lost' })
    void channel.send([hello])
    await channel.close()
  })

  test('a goodbye without an answer to ours does not look like a completed close', async () => {
    const { peer, channel } = await accepted({ closeTimeoutMs: 2000 })
    let closed = false
    const closing = channel.close().then(() => {
      closed = true
    })
    peer.write(goodbye)
    await vi.waitFor(() =>
      expect(peer.socket.bytesRead).toBe(preamble.length + goodbye.length + goodbyeReceived.length),
    )
    expect(closed).toBe(false)
    await closing
    await peer.ended
  })

  test('a started message has to make progress', async () => {
    const { peer, channel } = await accepted({ stallTimeoutMs: 50 })
    peer.write(messageFrame(hello).subarray(0, 3))
    await expect(drain(channel)).rejects.toMatchObject({ code: 'deadline-exceeded', message: /3 bytes of a message/ })
    await peer.ended
  })

  test('a few bytes now and then are no progress', async () => {
    const { peer, channel } = await accepted({ stallTimeoutMs: 150 })
    peer.write(encodeHeader(kinds.message, 100_000))
    const drip = setInterval(() => peer.write(new Uint8Array(10)), 20)
    await expect(drain(channel)).rejects.toMatchObject({ code: 'deadline-exceeded' })
    clearInterval(drip)
  })

  test('steady progress is not cut, however long the message takes', async () => {
    const { peer, channel } = await accepted({ stallTimeoutMs: 300 })
    const body = new Uint8Array(8 * 70_000)
    const frame = messageFrame(body)
    const reading = channel[Symbol.asyncIterator]().next()
    for (let offset = 0; offset < frame.length; offset += 70_000) {
      peer.write(frame.subarray(offset, offset + 70_000))
      await setTimeout(100)
    }
    expect(Buffer.compare((await reading).value, body)).toBe(0)
  })

  test('every message has a deadline of its own', async () => {
    const { peer, channel } = await accepted({ stallTimeoutMs: 200 })
    const reading = drain(channel)
    const frame = messageFrame(hello)
    // Each write ends one message and begins the next, so that one is always under way.
    peer.write(frame.subarray(0, 4))
    for (let i = 0; i < 8; i++) {
      await setTimeout(50)
      peer.write(Buffer.concat([frame.subarray(4), frame.subarray(0, 4)]))
    }
    peer.write(Buffer.concat([frame.subarray(4), goodbye]))
    expect(await reading).toHaveLength(9)
  })

  test('between two messages nobody is late', async () => {
    const { peer, channel } = await accepted({ stallTimeoutMs: 30 })
    const iterator = channel[Symbol.asyncIterator]()
    for (let i = 0; i < 2; i++) {
      peer.write(messageFrame(hello))
      expect((await iterator.next()).value).toEqual(hello)
      await setTimeout(90)
    }
  })

  test('silence is idle, where that was asked for', async () => {
    const { peer, channel } = await accepted({ idleTimeoutMs: 50 })
    await expect(drain(channel)).rejects.toMatchObject({ code: 'deadline-exceeded', message: /sent nothing for 50 ms/ })
    await peer.ended
  })

  test('a peer is not idle while this side does not read', async () => {
    const { peer, channel } = await accepted({ idleTimeoutMs: 200, stallTimeoutMs: 200, maxBufferedBytes: 1000 })
    const frame = messageFrame(new Uint8Array(2 ** 16))
    peer.write(frame, frame, frame, frame, frame, goodbye)
    await setTimeout(500)
    expect(await drain(channel)).toHaveLength(5)
  })

  test('what arrives for a slow reader is bounded', async () => {
    const { peer, channel } = await accepted({ maxBufferedBytes: 300_000 })
    const burst = Buffer.concat(Array.from({ length: 16 }, () => messageFrame(new Uint8Array(65_536))))
    for (let i = 0; i < 64; i++) peer.write(burst)
    await setTimeout(100)
    // Of 64 MiB the raw peer still holds most: neither this side nor the system took them.
    expect(peer.socket.writableLength).toBeGreaterThan(2 ** 24)
    channel.abort(new Error('the test is over'))
  })
})

describe('a peer that does not read', () => {
  test('has to take what is sent to it, as far as it comes', async () => {
    const { peer, channel } = await accepted({ stallTimeoutMs: 100 })
    peer.socket.pause()
    // More than the system's buffers take.
    const sending = channel.send([new Uint8Array(2 ** 20 - 1)])
    const more = Array.from({ length: 31 }, () => channel.send([new Uint8Array(2 ** 20 - 1)]))
    const refusals = await Promise.allSettled([sending, ...more])
    expect(refusals.at(-1)).toMatchObject({ reason: { code: 'deadline-exceeded', message: /took \d+ of \d+ bytes/ } })
    await expect(drain(channel)).rejects.toMatchObject({ code: 'deadline-exceeded' })
  })

  test('is not helped by sending', async () => {
    const { peer, channel } = await accepted({ stallTimeoutMs: 150 })
    peer.socket.pause()
    const drip = setInterval(() => peer.write(messageFrame(hello)), 20)
    const reading = drain(channel)
    for (let i = 0; i < 32; i++) void channel.send([new Uint8Array(2 ** 20 - 1)])
    await expect(reading).rejects.toMatchObject({ code: 'deadline-exceeded', message: /took/ })
    clearInterval(drip)
  })

  test('and reads slowly is not cut, however long it takes', async () => {
    const { peer, channel } = await accepted({ stallTimeoutMs: 300 })
    peer.socket.pause()
    const sent = channel.send(Array.from({ length: 15 }, () => new Uint8Array(69_000)))
    const more = Array.from({ length: 15 }, () => channel.send([new Uint8Array(2 ** 20 - 1)]))
    let isSent = false
    const sending = Promise.all([sent, ...more]).then(() => {
      isSent = true
    })
    for (let i = 0; i < 200 && !isSent; i++) {
      peer.socket.resume()
      await setTimeout(5)
      peer.socket.pause()
      await setTimeout(40)
    }
    peer.socket.resume()
    await sending
    expect(isSent).toBe(true)
  })

  test('of messages now and then, each has its own time', async () => {
    const { peer, channel } = await accepted({ stallTimeoutMs: 60 })
    for (let i = 0; i < 4; i++) {
      await channel.send([hello])
      await setTimeout(40)
    }
    expect(peer.socket.destroyed).toBe(false)
    await channel.send([hello])
  })
})

describe('the memory of all channels of a listener', () => {
  test('is bounded: when it is used up, the one goes that has held some for the longest time', async () => {
    const { address, nextChannel, stillServes } = await listening({ maxTotalBufferedBytes: 500_000 })
    const peers: { peer: RawPeer; channel: Channel }[] = []
    for (let i = 0; i < 3; i++) {
      const arrival = nextChannel()
      const peer = await rawDial(address)
      peer.write(preamble)
      peers.push({ peer, channel: await arrival })
    }
    const [first, second, third] = peers
    // A message that was started, one that nobody reads, and what is too much beside them.
    first!.peer.write(messageFrame(new Uint8Array(400_000)).subarray(0, 150_000))
    await vi.waitFor(() => expect(first!.peer.socket.writableLength).toBe(0))
    await setTimeout(50)
    second!.peer.write(messageFrame(new Uint8Array(200_000)))
    await setTimeout(50)
    third!.peer.write(messageFrame(new Uint8Array(200_000)))
    await first!.peer.ended
    await expect(drain(first!.channel)).rejects.toMatchObject({
      code: 'channel-lost',
      message: /memory of all channels/,
    })
    for (const { channel } of [second!, third!]) {
      expect((await channel[Symbol.asyncIterator]().next()).value).toHaveLength(200_000)
    }
    await stillServes()
  })

  test('is free again once messages are read', async () => {
    const { peer, channel } = await accepted({ maxTotalBufferedBytes: 300_000 })
    const messages = channel[Symbol.asyncIterator]()
    for (let i = 0; i < 10; i++) {
      peer.write(messageFrame(new Uint8Array(200_000)))
      expect((await messages.next()).value).toHaveLength(200_000)
    }
  })
})

test('an error of the transport is an AssayError for every copy of the core', async () => {
  const error = await tcp()
    .dial('nonsense')
    .catch((reason) => reason)
  expect(AssayError.isInstance(error)).toBe(true)
})

test.each<[TcpOptions, string]>([
  [{ maxMessageBytes: 0 }, 'maxMessageBytes must be an integer from 1 to 4294967295, got 0'],
  [{ maxMessageBytes: 2 ** 32 }, 'maxMessageBytes'],
  [{ maxBufferedBytes: Number.NaN }, 'maxBufferedBytes'],
  [{ maxTotalBufferedBytes: -1 }, 'maxTotalBufferedBytes'],
  [{ maxChannels: 1.5 }, 'maxChannels'],
  [{ handshakeTimeoutMs: 2 ** 31 }, 'handshakeTimeoutMs'],
  [{ idleTimeoutMs: 0 }, 'idleTimeoutMs must be an integer'],
])('%j is a slip of the programmer', (options, message) => {
  expect(() => tcp(options)).toThrow(RangeError)
  expect(() => tcp(options)).toThrow(message)
})

test('limits of one call are checked as well', async () => {
  await expect(tcp().dial('tcp://127.0.0.1:1', { handshakeTimeoutMs: -1 })).rejects.toThrow(RangeError)
  await expect(tcp().listen('tcp://127.0.0.1:0', () => {}, { maxChannels: 0 })).rejects.toThrow(RangeError)
})

test('a preamble that states a smaller limit binds the sender', async () => {
  const { address, nextChannel } = await listening()
  const arrival = nextChannel()
  const peer = await rawDial(address)
  peer.write(encodePreamble({ maxMessageBytes: 10, refused: false }))
  await expect((await arrival).send([new Uint8Array(11)])).rejects.toMatchObject({ code: 'message-too-large' })
})
