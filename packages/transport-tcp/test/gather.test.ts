import type { Socket } from 'node:net'
import { Duplex } from 'node:stream'
import { expect, test } from 'vitest'
import { SocketChannel } from '../src/channel.ts'

const never = Number.POSITIVE_INFINITY
const limits = {
  maxMessageBytes: 2 ** 20,
  maxBufferedBytes: 2 ** 20,
  idleTimeoutMs: never,
  stallTimeoutMs: never,
  closeTimeoutMs: 1000,
}

/** A channel over a stream that records each gathering write. */
function recorded() {
  const writes: Buffer[][] = []
  const stream = new Duplex({
    read() {},
    write(chunk, _encoding, callback) {
      writes.push([chunk])
      callback()
    },
    writev(chunks, callback) {
      writes.push(chunks.map(({ chunk }) => chunk))
      callback()
    },
  })
  return { writes, channel: new SocketChannel(stream as Socket, 'tcp://peer:1', limits, new Uint8Array(0)) }
}

test('a message is one gathering write of the memory of the sender', async () => {
  const { writes, channel } = recorded()
  const parts = [new Uint8Array(100).fill(1), new Uint8Array(0), new Uint8Array(5000).subarray(7)]
  await channel.send(parts)
  expect(writes).toHaveLength(1)
  const [header, ...bodies] = writes[0]!
  expect(header).toHaveLength(8)
  expect(bodies.map(({ buffer, byteOffset, length }) => [buffer === parts[0]!.buffer, byteOffset, length])).toEqual([
    [true, 0, 100],
    [false, 7, 4993],
  ])
  expect(bodies[1]!.buffer).toBe(parts[2]!.buffer)
})

test('messages of the same turn are one gathering write, in their order', async () => {
  const { writes, channel } = recorded()
  const bodies = [new Uint8Array(10).fill(1), new Uint8Array(0), new Uint8Array(20).fill(2)]
  await Promise.all(bodies.map((body) => channel.send([body])))
  await channel.send([new Uint8Array(30).fill(3)])
  expect(writes.map((write) => write.map(({ length }) => length))).toEqual([
    [8, 10, 8, 8, 20],
    [8, 30],
  ])
})

test('a send that fails to be written rejects as channel-lost', async () => {
  const broken = new Duplex({ read() {}, write: (_chunk, _encoding, callback) => callback(new Error('EPIPE')) })
  const channel = new SocketChannel(broken as Socket, 'tcp://peer:1', limits, new Uint8Array(0))
  await expect(channel.send([])).rejects.toMatchObject({ code: 'channel-lost', cause: new Error('EPIPE') })
  await expect(channel[Symbol.asyncIterator]().next()).rejects.toMatchObject({ code: 'channel-lost' })
})

test('what cannot be a message is a TypeError', async () => {
  const { channel } = recorded()
  for (const wrong of [new Uint8Array(3), 'text', ['text'], [new ArrayBuffer(3)], undefined]) {
    await expect(channel.send(wrong as never)).rejects.toThrow(TypeError)
  }
})
