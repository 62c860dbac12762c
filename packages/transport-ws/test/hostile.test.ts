import { setImmediate, setTimeout } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { WebSocket } from 'ws'
import { ws } from '../src/index.ts'
import type { WsOptions } from '../src/options.ts'
import { eventually } from './support/eventually.ts'
import { accepted, drain, hello, listening } from './support/listening.ts'
import {
  closeCodeOf,
  frame,
  goodbyeFrame,
  greeted,
  head,
  helloFrame,
  opcodes,
  rawDial,
  receives,
  request,
} from './support/raw.ts'

const closeFrame = frame(opcodes.close, Buffer.from([3, 0xe8]))
const message = (payload: Uint8Array) => frame(opcodes.binary, payload)
const line = (text: string) => frame(opcodes.text, text)

describe('an accepted peer', () => {
  test.each<[string, Uint8Array, number, string]>([
    ['a message over the limit', head(opcodes.binary, 2 ** 20 + 1), 1009, 'message-too-large'],
    ['one over any limit', head(opcodes.binary, Number.MAX_SAFE_INTEGER), 1009, 'message-too-large'],
    ['one over the limit in fragments', fragments(2 ** 18, 5), 1009, 'message-too-large'],
    ['text', line('{"hello":"world"}'), 1003, 'frame-malformed'],
    ['empty text', line(''), 1003, 'frame-malformed'],
    ['text as long as a message', line('credit 1'.repeat(10_000)), 1003, 'frame-malformed'],
    ['text that is no UTF-8', frame(opcodes.text, Buffer.from([0xff, 0xfe])), 1007, 'frame-malformed'],
    ['a second hello', line('hello 1000 1000'), 1002, 'frame-malformed'],
    ['credit for what was not sent', line('credit 1'), 1002, 'frame-malformed'],
    ['a frame without a mask', Buffer.from([0x82, 0]), 1002, 'frame-malformed'],
    ['a frame of an unknown kind', frame(3, ''), 1002, 'frame-malformed'],
    ['a compressed frame', Buffer.from([0xc2, 0x80, 0, 0, 0, 0]), 1002, 'frame-malformed'],
    ['a fragment of nothing', frame(opcodes.continuation, hello), 1002, 'frame-malformed'],
    ['a long ping', frame(opcodes.ping, new Uint8Array(126)), 1002, 'frame-malformed'],
    ['a flood of empty fragments', fragments(0, 200), 1008, 'frame-malformed'],
    ['a flood of small fragments', fragments(100, 1000), 1008, 'frame-malformed'],
  ])('that sends %s is closed with the right code, after the messages before it', async (_, bytes, close, code) => {
    const { peer, channel } = await accepted({ maxMessageBytes: 2 ** 20 })
    peer.write(message(hello), bytes, closeFrame)
    expect(closeCodeOf(await peer.ended)).toBe(close)
    await expect(channel.send([hello])).rejects.toMatchObject({ code })
    const iterator = channel[Symbol.asyncIterator]()
    expect(await iterator.next()).toEqual({ done: false, value: hello })
    await expect(iterator.next()).rejects.toMatchObject({ code })
    await channel.close()
  })

  test.each([
    ['a message', message(hello)],
    ['another goodbye', goodbyeFrame],
  ])('that sends %s after its goodbye is closed, and its goodbye stands', async (_, bytes) => {
    const { peer, channel } = await accepted()
    peer.write(message(hello), goodbyeFrame, bytes, closeFrame)
    expect(closeCodeOf(await peer.ended)).toBe(1002)
    await expect(channel.send([hello])).rejects.toMatchObject({ code: 'frame-malformed' })
    expect(await drain(channel)).toEqual([hello])
  })

  test('that was refused has little time to go', async () => {
    const { peer, channel } = await accepted({ closeTimeoutMs: 600_000 })
    peer.write(line('text'))
    await channel.close()
    // It has not said that it will end the connection, and was waited for a moment.
    expect(closeCodeOf(await peer.ended)).toBe(1003)
  })

  test('the smaller limit of the two sides holds for both', async () => {
    const { address, nextChannel } = await listening({ maxMessageBytes: 1000 })
    const arrival = nextChannel()
    const dialed = await ws({ maxMessageBytes: 500 }).dial(address)
    const accepted = await arrival
    expect([dialed.maxMessageBytes, accepted.maxMessageBytes]).toEqual([500, 500])
    await expect(accepted.send([new Uint8Array(501)])).rejects.toMatchObject({ code: 'message-too-large' })
    dialed.abort(new Error('the test is over'))
    const larger = await ws().dial(address)
    expect(larger.maxMessageBytes).toBe(1000)
    larger.abort(new Error('the test is over'))
  })

  test('a limit shorter than a line leaves room for lines', async () => {
    const { transport, address, nextChannel } = await listening({ maxMessageBytes: 5 })
    const arrival = nextChannel()
    const dialed = await transport.dial(address)
    const channel = await arrival
    await dialed.send([hello])
    const reading = drain(channel)
    await Promise.all([dialed.close(), channel.close()])
    expect(await reading).toEqual([hello])
  })

  test('that breaks a limit below a line is closed as well', async () => {
    const { peer, channel } = await accepted({ maxMessageBytes: 5 })
    peer.write(message(new Uint8Array(6)), closeFrame)
    expect(closeCodeOf(await peer.ended)).toBe(1009)
    await expect(drain(channel)).rejects.toMatchObject({ code: 'message-too-large' })
  })

  test('may send one byte at a time', async () => {
    const { address, nextChannel } = await listening()
    const arrival = nextChannel()
    const peer = await greeted(address)
    const reading = drain(await arrival)
    const stream = [message(hello), frame(opcodes.binary, 'he', false), frame(opcodes.ping, 'hi')]
    const rest = [frame(opcodes.continuation, 'llo'), message(new Uint8Array(0)), goodbyeFrame]
    for (const byte of Buffer.concat([...stream, ...rest])) {
      peer.write(Uint8Array.of(byte))
      await setTimeout(1)
    }
    expect(await reading).toEqual([hello, hello, new Uint8Array(0)])
  })

  test('that dribbles a long message in single bytes is closed before they pile up', async () => {
    const { peer, channel } = await accepted({ maxMessageBytes: 2 ** 20 })
    peer.write(head(opcodes.binary, 2 ** 20))
    const reading = drain(channel)
    let ended = false
    reading.catch(() => {
      ended = true
    })
    let sent = 0
    for (; !ended && sent < 2 ** 19; sent++) {
      peer.write(Uint8Array.of(0))
      await setImmediate()
    }
    await expect(reading).rejects.toMatchObject({ code: 'frame-malformed', message: /too many buffered/i })
    expect(sent).toBeGreaterThan(2 ** 14)
  })

  test('whose messages are empty gives each memory of its own', async () => {
    const { peer, channel } = await accepted()
    peer.write(message(new Uint8Array(0)), message(new Uint8Array(0)), goodbyeFrame)
    const [first, second] = await drain(channel)
    expect(first!.buffer).not.toBe(second!.buffer)
  })

  test('may send everything in one piece, its request included', async () => {
    const { address, nextChannel } = await listening()
    const arrival = nextChannel()
    const peer = await rawDial(address)
    peer.write(Buffer.concat([Buffer.from(request()), helloFrame, message(hello), message(hello), goodbyeFrame]))
    expect(await drain(await arrival)).toEqual([hello, hello])
  })

  test('that leaves inside a message is lost, after the messages before it', async () => {
    const { peer, channel } = await accepted()
    peer.write(message(hello), message(hello).subarray(0, 8))
    peer.socket.end()
    const iterator = channel[Symbol.asyncIterator]()
    expect((await iterator.next()).value).toEqual(hello)
    await expect(iterator.next()).rejects.toMatchObject({ code: 'channel-lost' })
    await expect(iterator.next()).rejects.toMatchObject({ code: 'channel-lost' })
  })

  test('that closes without a goodbye is lost, and its words are told', async () => {
    const { peer, channel } = await accepted()
    peer.write(frame(opcodes.close, Buffer.concat([Buffer.from([3, 0xe9]), Buffer.from('gone "away"')])))
    await expect(drain(channel)).rejects.toMatchObject({
      code: 'channel-lost',
      message: expect.stringContaining('closed with 1001 "gone \\"away\\""'),
    })
  })

  test('that closes but keeps the connection is lost all the same', async () => {
    const { peer, channel } = await accepted({ closeTimeoutMs: 100 })
    peer.socket.on('end', () => {})
    peer.socket.allowHalfOpen = true
    peer.write(frame(opcodes.close, Buffer.from([3, 0xe8])))
    await expect(drain(channel)).rejects.toMatchObject({ code: 'channel-lost' })
    await channel.close()
  })

  test('that resets is lost, and nothing is thrown at the process', async () => {
    const { peer, channel } = await accepted()
    for (let i = 0; i < 100; i++) void channel.send([new Uint8Array(100_000)])
    peer.socket.resetAndDestroy()
    await expect(drain(channel)).rejects.toMatchObject({ code: 'channel-lost' })
    void channel.send([hello])
    await channel.close()
  })

  test('whose goodbye crosses ours has to confirm that ours arrived', async () => {
    const { peer, channel } = await accepted({ closeTimeoutMs: 1000 })
    let closed = false
    const closing = channel.close().then(() => {
      closed = true
    })
    peer.write(goodbyeFrame)
    await receives(peer, opcodes.text, 'goodbye')
    await receives(peer, opcodes.close, Buffer.from([3, 0xe8]))
    expect(closed).toBe(false)
    peer.write(closeFrame)
    await closing
    await expect(channel.send([hello])).rejects.toMatchObject({ code: 'channel-closed' })
  })

  test('that has heard no goodbye cannot confirm one', async () => {
    const { peer, channel } = await accepted()
    peer.write(goodbyeFrame, closeFrame)
    expect(await drain(channel)).toEqual([])
    await peer.ended
    await expect(channel.send([hello])).rejects.toMatchObject({ code: 'channel-lost' })
  })
})

describe('back-pressure', () => {
  test('a message without credit ends the channel', async () => {
    const { peer, channel } = await accepted({ maxBufferedBytes: 20_000 })
    // Each counts 1256 bytes; the window of 10 000 takes eight, and nobody reads.
    for (let i = 0; i < 30; i++) peer.write(message(new Uint8Array(1000)))
    peer.write(closeFrame)
    expect(closeCodeOf(await peer.ended)).toBe(1002)
    await expect(channel.send([hello])).rejects.toMatchObject({ message: expect.stringContaining('without waiting') })
    await expect(drain(channel)).rejects.toMatchObject({ code: 'frame-malformed' })
  })

  test('credit follows the reader, and no more than was read ahead', async () => {
    const { peer, channel } = await accepted({ maxBufferedBytes: 100_000 })
    // Each counts 10 000 bytes. The inbox is full with five, before the second half of the window.
    for (let i = 0; i < 7; i++) peer.write(message(new Uint8Array(9744)))
    await receives(peer, opcodes.text, 'credit 30000')
    const iterator = channel[Symbol.asyncIterator]()
    for (let i = 0; i < 4; i++) await iterator.next()
    expect(
      peer
        .received()
        .toString('latin1')
        .match(/credit \d+/g),
    ).toEqual(['credit 30000'])
    await iterator.next()
    await receives(peer, opcodes.text, 'credit 40000')
  })

  test('the window of the peer holds this side back', async () => {
    const { address, nextChannel } = await listening()
    const arrival = nextChannel()
    const peer = await greeted(address, 'hello 1000000 3000')
    const channel = await arrival
    let resolved = 0
    const count = () => {
      resolved += 1
    }
    const sends = Array.from({ length: 5 }, () => channel.send([new Uint8Array(1000)]).then(count, () => {}))
    // Two leave room for a third, which fills the window.
    const size = 1004
    await eventually(() => expect(countOf(peer.received(), size)).toBe(3))
    await setTimeout(50)
    expect([countOf(peer.received(), size), resolved]).toEqual([3, 2])
    peer.write(line('credit 1256'))
    await eventually(() => expect(countOf(peer.received(), size)).toBe(4))
    peer.write(line('credit 3768'))
    await Promise.all(sends)
  })

  test('a goodbye waits for the window as well', async () => {
    const { address, nextChannel } = await listening()
    const arrival = nextChannel()
    const peer = await greeted(address, 'hello 1000000 100')
    const channel = await arrival
    void channel.send([hello])
    void channel.close()
    await eventually(() => expect(peer.received().includes(Buffer.from('hello', 'latin1'))).toBe(true))
    await setTimeout(50)
    expect(peer.received().includes(Buffer.from('goodbye'))).toBe(false)
    peer.write(line('credit 261'))
    await receives(peer, opcodes.text, 'goodbye')
  })

  test('what arrives for a slow reader is bounded, whatever the peer was told', async () => {
    const { peer } = await accepted({ maxBufferedBytes: 300_000 })
    const burst = Buffer.concat(Array.from({ length: 16 }, () => message(new Uint8Array(65_536))))
    for (let i = 0; i < 64; i++) peer.write(burst)
    expect(closeCodeOf(await peer.ended)).toBe(1002)
  })
})

describe('the memory of all channels of a listener', () => {
  test('is bounded: when it is used up, the one goes that has held some for the longest time', async () => {
    const { address, nextChannel, stillServes } = await listening({ maxTotalBufferedBytes: 500_000 })
    const join = async () => {
      const arrival = nextChannel()
      return { peer: await greeted(address), channel: await arrival }
    }
    const [first, second, third] = [await join(), await join(), await join()]
    // A message that was started, one that nobody reads, and what is too much beside them.
    first.peer.write(message(new Uint8Array(400_000)).subarray(0, 150_000))
    await eventually(() => expect(first.peer.socket.writableLength).toBe(0))
    await setTimeout(50)
    second.peer.write(message(new Uint8Array(200_000)))
    await setTimeout(50)
    third.peer.write(message(new Uint8Array(200_000)))
    await first.peer.ended
    await expect(drain(first.channel)).rejects.toMatchObject({
      code: 'channel-lost',
      message: expect.stringContaining('memory of all channels'),
    })
    for (const { channel } of [second, third]) {
      expect((await channel[Symbol.asyncIterator]().next()).value).toHaveLength(200_000)
    }
    await stillServes()
  })

  test('is that of handshakes, too', async () => {
    const { address, errors, stillServes } = await listening({ maxTotalBufferedBytes: 100_000 })
    const peer = await rawDial(address)
    peer.write(request(), message(new Uint8Array(400_000)).subarray(0, 200_000))
    await peer.ended
    expect(errors).toMatchObject([{ code: 'channel-lost', message: expect.stringContaining('memory of all channels') }])
    await stillServes()
  })

  test('is free again once messages are read, and takes no pings for parts of one', async () => {
    const { peer, channel } = await accepted({ maxTotalBufferedBytes: 30_000 })
    const messages = channel[Symbol.asyncIterator]()
    for (let i = 0; i < 10; i++) {
      peer.write(message(new Uint8Array(20_000)))
      expect((await messages.next()).value).toHaveLength(20_000)
    }
    for (let i = 0; i < 40; i++) {
      peer.write(...Array.from({ length: 10 }, () => frame(opcodes.ping, new Uint8Array(100))))
      await setImmediate()
    }
    peer.write(message(hello))
    expect((await messages.next()).value).toEqual(hello)
  })
})

describe('deadlines', () => {
  test('a peer that answers no ping is dead', async () => {
    const { peer, channel } = await accepted({ pingIntervalMs: 30, stallTimeoutMs: 100 })
    await expect(drain(channel)).rejects.toMatchObject({
      code: 'deadline-exceeded',
      message: expect.stringContaining('did not answer a ping within 100 ms'),
    })
    await peer.ended
  })

  test('one that answers is not, for as long as it likes', async () => {
    const { peer, channel } = await accepted({ pingIntervalMs: 20, stallTimeoutMs: 2000 })
    let pongs = 0
    peer.socket.on('data', (chunk) => {
      if (!chunk.includes(Buffer.from([0x89, 0]))) return
      pongs += 1
      peer.write(frame(opcodes.pong, ''))
    })
    await eventually(() => expect(pongs).toBeGreaterThan(10))
    await channel.send([hello])
  })

  test('a channel that has ended asks no more', async () => {
    const ping = vi.spyOn(WebSocket.prototype, 'ping')
    onTestFinished(() => ping.mockRestore())
    const { peer, channel } = await accepted({ pingIntervalMs: 20 })
    peer.socket.on('data', () => peer.write(frame(opcodes.pong, '')))
    await eventually(() => expect(ping.mock.calls.length).toBeGreaterThan(2))
    channel.abort(new Error('enough'))
    await channel.close()
    const { length } = ping.mock.calls
    await setTimeout(200)
    expect(ping.mock.calls).toHaveLength(length)
  })

  test('a few bytes now and then of a message are no answer', async () => {
    const { peer, channel } = await accepted({ pingIntervalMs: 20, stallTimeoutMs: 150 })
    peer.write(head(opcodes.binary, 100_000))
    const drip = setInterval(() => peer.write(new Uint8Array(10)), 20)
    await expect(drain(channel)).rejects.toMatchObject({ code: 'deadline-exceeded' })
    clearInterval(drip)
  })

  test.each<[string, WsOptions]>([
    ['a ping', { pingIntervalMs: 20, stallTimeoutMs: 1000 }],
    ['silence', { idleTimeoutMs: 1000 }],
  ])('a message that makes progress is as good as the answer to %s', async (_, options) => {
    const { peer, channel } = await accepted(options)
    const body = new Uint8Array(8 * 70_000)
    const bytes = message(body)
    const reading = channel[Symbol.asyncIterator]().next()
    for (let offset = 0; offset < bytes.length; offset += 70_000) {
      peer.write(bytes.subarray(offset, offset + 70_000))
      await setTimeout(250)
    }
    expect(Buffer.compare((await reading).value, body)).toBe(0)
  })

  test('silence is idle, where that was asked for, whatever answers pings', async () => {
    const { peer, channel } = await accepted({ idleTimeoutMs: 150, pingIntervalMs: 20 })
    peer.socket.on('data', () => peer.write(frame(opcodes.pong, '')))
    await expect(drain(channel)).rejects.toMatchObject({
      code: 'deadline-exceeded',
      message: expect.stringContaining('sent nothing for 150 ms'),
    })
    await peer.ended
  })

  test('a peer is not idle while this side does not read, nor after its goodbye', async () => {
    const { peer, channel } = await accepted({ idleTimeoutMs: 700, maxBufferedBytes: 10_000 })
    for (let i = 0; i < 4; i++) peer.write(message(new Uint8Array(1500)))
    await setTimeout(1000)
    const iterator = channel[Symbol.asyncIterator]()
    for (let i = 0; i < 4; i++) expect((await iterator.next()).value).toHaveLength(1500)
    peer.write(goodbyeFrame)
    expect((await iterator.next()).done).toBe(true)
    await setTimeout(1000)
    await channel.send([hello])
  })

  test('a flood of pings ends a peer that does not read the answers', async () => {
    const { peer, channel } = await accepted()
    peer.socket.pause()
    const flood = Buffer.concat(Array.from({ length: 10_000 }, () => frame(opcodes.ping, new Uint8Array(125))))
    const pour = () => {
      while (!peer.socket.destroyed && peer.socket.write(flood));
    }
    peer.socket.on('drain', pour)
    pour()
    await expect(drain(channel)).rejects.toMatchObject({ code: 'channel-lost' })
  })
})

/** A message in fragments of `length` bytes that is never finished. */
function fragments(length: number, count: number): Buffer {
  const pieces = Array.from({ length: count }, (_, i) =>
    frame(i === 0 ? opcodes.binary : opcodes.continuation, new Uint8Array(length), false),
  )
  return Buffer.concat(pieces)
}

/** How many whole frames of this many bytes, header and payload, of zeros were received. */
function countOf(received: Buffer, size: number): number {
  const start = Buffer.from([0x82, 126])
  let count = 0
  for (
    let at = received.indexOf(start);
    at !== -1 && at + size <= received.length;
    at = received.indexOf(start, at + size)
  ) {
    count += 1
  }
  return count
}
